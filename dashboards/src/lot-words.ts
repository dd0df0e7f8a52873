import type { Language } from "./settings.ts";

/** What the card of lot and breeder says. */
export interface LotWords {
  title: string;
  lot: string;
  breeder: string;
  none: string;
  unknownBreeder: string;
  by(name: string, since: string): string;
  next(lot: string, at: string): string;
  change: string;
  choose(line: string): string;
  fromNow: string;
  correct(since: string): string;
  correctHelp: string;
  other: string;
  noLot: string;
  noRecent: string;
  newLot: string;
  newBreeder: string;
  lotName: string;
  breederName: string;
  provenance: string;
  save: string;
  cancel: string;
  back: string;
  saving: string;
  saved: string;
  loading: string;
  unreadable: string;
  noAnswer: string;
  errors: Record<string, string>;
  otherError(code: string): string;
}

export const LOT_WORDS: Record<Language, LotWords> = {
  fr: {
    title: "Lot et éleveur en cours",
    lot: "Lot",
    breeder: "Éleveur",
    none: "Aucun lot",
    unknownBreeder: "Éleveur inconnu",
    by: (name, since) => `par ${name}, depuis ${since}`,
    next: (lot, at) => `Ensuite : ${lot}, à partir de ${at}`,
    change: "Changer",
    choose: (line) => `Quel lot passe sur ${line} ?`,
    fromNow: "À partir de maintenant",
    correct: (since) => `Corriger depuis ${since}`,
    correctHelp: "Le choix remplacera le lot en cours depuis son début ; les produits déjà classés suivront.",
    other: "Autre lot",
    noLot: "Aucun lot",
    noRecent: "Aucun lot récent sur cette ligne : touchez « Autre lot ».",
    newLot: "Autre lot",
    newBreeder: "Autre éleveur",
    lotName: "Numéro du lot",
    breederName: "Nom de l’éleveur",
    provenance: "Provenance (facultatif)",
    save: "Enregistrer",
    cancel: "Annuler",
    back: "Retour",
    saving: "Enregistrement…",
    saved: "C’est enregistré.",
    loading: "Lecture des lots…",
    unreadable: "La base de données ne répond pas : ce lot est le dernier connu.",
    noAnswer: "Le serveur n’a pas répondu : rien n’est sûr. Regardez le lot affiché, puis recommencez.",
    errors: {
      forbidden: "Rien n’a été fait : connectez-vous d’abord comme opérateur.",
      "bad-action": "Rien n’a été fait : ce nom ne convient pas.",
      "bad-lot": "Rien n’a été fait : un nom est vide.",
      "bad-line": "Rien n’a été fait : cette ligne est inconnue.",
      "bad-time": "Rien n’a été fait : au plus 31 jours en arrière et un jour d’avance.",
      "no-such-assignment": "Rien n’a été fait : l’enregistrement à corriger n’existe pas.",
      "already-superseded": "Rien n’a été fait : quelqu’un l’a déjà corrigé. Vérifiez le lot affiché.",
      "database-away": "Rien n’a été fait : la base de données ne répond pas. Recommencez dans un moment.",
      "no-database": "Rien n’a été fait : la base de données ne répond pas. Recommencez dans un moment.",
      "lot-not-saved": "Rien n’a été enregistré. Recommencez dans un moment.",
    },
    otherError: (code) => `Rien n’a été enregistré (${code}). Recommencez dans un moment.`,
  },
  en: {
    title: "Lot and breeder in force",
    lot: "Lot",
    breeder: "Breeder",
    none: "No lot",
    unknownBreeder: "Unknown breeder",
    by: (name, since) => `by ${name}, since ${since}`,
    next: (lot, at) => `Next: ${lot}, from ${at}`,
    change: "Change",
    choose: (line) => `Which lot runs on ${line}?`,
    fromNow: "From now on",
    correct: (since) => `Correct since ${since}`,
    correctHelp: "The choice replaces the lot in force from its beginning; products graded already will follow.",
    other: "Another lot",
    noLot: "No lot",
    noRecent: 'No recent lot on this line: touch "Another lot".',
    newLot: "Another lot",
    newBreeder: "Another breeder",
    lotName: "Lot number",
    breederName: "Breeder's name",
    provenance: "Provenance (optional)",
    save: "Save",
    cancel: "Cancel",
    back: "Back",
    saving: "Saving…",
    saved: "Saved.",
    loading: "Reading the lots…",
    unreadable: "The database does not answer: this is the last lot known.",
    noAnswer: "The server did not answer: nothing is certain. Look at the lot shown, then try again.",
    errors: {
      forbidden: "Nothing was done: sign in as an operator first.",
      "bad-action": "Nothing was done: that name will not do.",
      "bad-lot": "Nothing was done: a name is empty.",
      "bad-line": "Nothing was done: this line is unknown.",
      "bad-time": "Nothing was done: at most 31 days back and one day ahead.",
      "no-such-assignment": "Nothing was done: the record to correct does not exist.",
      "already-superseded": "Nothing was done: somebody corrected it before. Check the lot shown.",
      "database-away": "Nothing was done: the database does not answer. Try again in a moment.",
      "no-database": "Nothing was done: the database does not answer. Try again in a moment.",
      "lot-not-saved": "Nothing was saved. Try again in a moment.",
    },
    otherError: (code) => `Nothing was saved (${code}). Try again in a moment.`,
  },
};
