import type { Language } from "./settings.ts";

/** Words of the pages for accounts and the audit log. */
export interface PeopleWords {
  people: string;
  name: string;
  role: string;
  state: string;
  active: string;
  disabled: string;
  add: string;
  password: string;
  newPassword: string;
  passwordHint: string;
  save: string;
  disable: string;
  enable: string;
  cancel: string;
  done: string;
  needs(role: string): string;
  errors: Record<string, string>;
  audit: string;
  when: string;
  who: string;
  what: string;
  whatExample: string;
  target: string;
  result: string;
  from: string;
  since: string;
  until: string;
  everybody: string;
  all: string;
  results: Record<string, string>;
  search: string;
  more: string;
  nothing: string;
  loading: string;
  away: string;
}

export const PEOPLE_WORDS: Record<Language, PeopleWords> = {
  fr: {
    people: "Personnes",
    name: "Nom",
    role: "Rôle",
    state: "État",
    active: "actif",
    disabled: "désactivé",
    add: "Ajouter une personne",
    password: "Mot de passe",
    newPassword: "Nouveau mot de passe",
    passwordHint: "12 caractères au moins",
    save: "Enregistrer",
    disable: "Désactiver",
    enable: "Réactiver",
    cancel: "Annuler",
    done: "C'est fait.",
    needs: (role) => `Cette page demande le rôle « ${role} ».`,
    errors: {
      "bad-name": "Ce nom ne convient pas : 1 à 40 lettres, chiffres, espaces et . _ ' -",
      "name-taken": "Cette personne a déjà un compte.",
      "password-too-short": "Mot de passe trop court : 12 caractères au moins.",
      "password-too-long": "Mot de passe trop long.",
      "password-too-plain": "Mot de passe trop simple.",
      "password-is-name": "Le mot de passe ne doit pas contenir le nom.",
      "last-admin": "Il doit rester un administrateur.",
      "no-such-person": "Cette personne n'a pas de compte.",
    },
    audit: "Journal d'audit",
    when: "Quand",
    who: "Qui",
    what: "Quoi",
    whatExample: "ex. calibration",
    target: "Sur quoi",
    result: "Résultat",
    from: "D'où",
    since: "Du",
    until: "Au",
    everybody: "tous",
    all: "tous",
    results: { done: "fait", refused: "refusé", failed: "échoué" },
    search: "Chercher",
    more: "Plus anciens",
    nothing: "Rien de tel dans le journal.",
    loading: "Lecture…",
    away: "Le journal ne peut pas être lu : base de données absente.",
  },
  en: {
    people: "People",
    name: "Name",
    role: "Role",
    state: "State",
    active: "active",
    disabled: "disabled",
    add: "Add a person",
    password: "Password",
    newPassword: "New password",
    passwordHint: "12 characters at least",
    save: "Save",
    disable: "Disable",
    enable: "Enable",
    cancel: "Cancel",
    done: "Done.",
    needs: (role) => `This page takes the role "${role}".`,
    errors: {
      "bad-name": "This name will not do: 1 to 40 letters, digits, spaces and . _ ' -",
      "name-taken": "This person has an account already.",
      "password-too-short": "Password too short: 12 characters at least.",
      "password-too-long": "Password too long.",
      "password-too-plain": "Password too plain.",
      "password-is-name": "The password must not hold the name.",
      "last-admin": "Somebody must remain administrator.",
      "no-such-person": "This person has no account.",
    },
    audit: "Audit log",
    when: "When",
    who: "Who",
    what: "What",
    whatExample: "e.g. calibration",
    target: "To what",
    result: "Result",
    from: "From where",
    since: "From",
    until: "To",
    everybody: "everybody",
    all: "all",
    results: { done: "done", refused: "refused", failed: "failed" },
    search: "Search",
    more: "Older",
    nothing: "Nothing of the kind in the log.",
    loading: "Reading…",
    away: "The log cannot be read: the database is away.",
  },
};
