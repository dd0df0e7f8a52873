import { ALARM_TEXTS, type AlarmText, alarmTextOf } from "@foieflow/node-red-foieflow/alarm/alarm-texts.js";
import type { AlarmState, AlarmUnit, Priority, RecordEvent, RuleType } from "@foieflow/node-red-foieflow/alarm/page.js";
import { formatNumber } from "./format.ts";
import type { Language } from "./settings.ts";

/** Everything the alarms' page and the banner say. */
export interface AlarmWords {
  title: string;
  none: string;
  noneHelp: string;
  loading: string;
  recordsWait(count: string): string;
  priorities: Record<Priority, string>;
  states: Record<AlarmState, string>;
  events: Record<RecordEvent, string>;
  since(time: string, age: string): string;
  over: string;
  value(value: string, limit: string): string;
  ackedBy(name: string): string;
  firstOut: string;
  ack: string;
  shelve: string;
  shelveTitle: string;
  minutes(count: number): string;
  reason: string;
  reasonHint: string;
  confirm: string;
  cancel: string;
  unshelve: string;
  outOfService: string;
  inService: string;
  shelved: string;
  noShelved: string;
  heldBy(name: string, reason: string): string;
  until(time: string): string;
  suppressedHelp: string;
  history: string;
  noHistory: string;
  by(name: string): string;
  rate: string;
  last10Min: string;
  lastHour: string;
  lastDay: string;
  flood: string;
  floodShare: string;
  stale: string;
  ofDay(acceptable: string, manageable: string): string;
  perPosition(count: number): string;
  frequent: string;
  chart: string;
  limits: string;
  limitsHelp: string;
  inForce: string;
  setBy(name: string, time: string): string;
  ofFlow(limit: string): string;
  set: string;
  reset: string;
  range(min: string, max: string): string;
  banner(unacknowledged: number, active: number): string;
  see: string;
  errors: Record<string, string>;
  otherError(code: string): string;
  texts: Readonly<Record<RuleType, AlarmText>>;
  units: Partial<Record<AlarmUnit, string>>;
}

export const ALARM_WORDS: Record<Language, AlarmWords> = {
  fr: {
    title: "Alarmes en cours",
    none: "Aucune alarme",
    noneHelp: "Tout est dans les limites.",
    loading: "Lecture des alarmes…",
    recordsWait: (count) =>
      `Base de données injoignable : les alarmes fonctionnent, leur historique attend sur le disque (${count}).`,
    priorities: { critical: "Critique", high: "Haute", medium: "Moyenne", low: "Basse" },
    states: {
      normal: "Normale",
      unacknowledged: "À acquitter",
      acknowledged: "Acquittée",
      returned: "Disparue, à acquitter",
      shelved: "Mise de côté",
      suppressed: "Conséquence d’une autre",
      "out-of-service": "Hors service",
    },
    events: {
      raised: "apparue",
      cleared: "disparue",
      acknowledged: "acquittée",
      shelved: "mise de côté",
      unshelved: "reprise",
      "shelf-over": "mise de côté terminée",
      suppressed: "supprimée par conception",
      unsuppressed: "de nouveau affichée",
      "out-of-service": "mise hors service",
      "in-service": "remise en service",
    },
    since: (time, age) => `depuis ${time} (${age})`,
    over: "La cause a disparu.",
    value: (value, limit) => `${value} (limite ${limit})`,
    ackedBy: (name) => `acquittée par ${name}`,
    firstOut: "Première",
    ack: "Acquitter",
    shelve: "Mettre de côté…",
    shelveTitle: "Mettre de côté pendant",
    minutes: (count) => (count < 60 ? `${count} min` : `${count / 60} h`),
    reason: "Pourquoi",
    reasonHint: "Par exemple : lampe commandée",
    confirm: "Confirmer",
    cancel: "Annuler",
    unshelve: "Reprendre",
    outOfService: "Hors service…",
    inService: "Remettre en service",
    shelved: "Mises de côté et hors service",
    noShelved: "Aucune alarme n’est cachée.",
    heldBy: (name, reason) => `par ${name} : ${reason}`,
    until: (time) => `jusqu’à ${time}`,
    suppressedHelp: "Suit d’une autre alarme en cours ; elle s’affichera si elle dure.",
    history: "Historique",
    noHistory: "Rien encore.",
    by: (name) => `par ${name}`,
    rate: "Charge d’alarmes",
    last10Min: "en 10 min",
    lastHour: "en 1 h",
    lastDay: "en 24 h",
    flood: "Avalanche : plus de 10 alarmes en 10 minutes. Traitez d’abord la première.",
    floodShare: "temps en avalanche",
    stale: "depuis plus de 24 h",
    ofDay: (acceptable, manageable) =>
      `Repères par jour et par opérateur : ${acceptable} acceptable, ${manageable} au plus.`,
    perPosition: (count) => (count > 1 ? `Chiffres par opérateur (${count} postes).` : ""),
    frequent: "Les plus fréquentes en 24 h",
    chart: "Alarmes par dix minutes sur 24 heures",
    limits: "Limites",
    limitsHelp: "Un ingénieur peut changer une limite ; elle vaut aussitôt et son nom est noté.",
    inForce: "en vigueur",
    setBy: (name, time) => `fixée par ${name}, ${time}`,
    ofFlow: (limit) => `celle du flow : ${limit}`,
    set: "Fixer",
    reset: "Celle du flow",
    range: (min, max) => `de ${min} à ${max}`,
    banner: (unacknowledged, active) =>
      unacknowledged > 0
        ? `${unacknowledged} alarme${unacknowledged > 1 ? "s" : ""} à acquitter`
        : `${active} alarme${active > 1 ? "s" : ""} en cours`,
    see: "Voir",
    errors: {
      "not-signed-in": "Identifiez-vous pour agir : cette action garde le nom de la personne.",
      "not-allowed": "Votre rôle ne permet pas cette action.",
      "alarm-nothing-to-acknowledge": "Cette alarme est déjà acquittée.",
      "alarm-unknown": "Cette alarme n’existe plus.",
      "alarm-not-held": "Cette alarme n’est plus mise de côté.",
      "alarm-out-of-service": "Cette alarme est hors service.",
      "alarm-limit-out-of-range": "Cette limite est hors de ce qui est permis.",
      "alarm-no-such-rule": "Le flow n’a plus cette règle.",
      "alarm-no-reason": "Dites pourquoi.",
      "alarm-bad-action": "Le serveur n’a pas compris la demande.",
      "no-answer": "Pas de réponse du serveur.",
    },
    otherError: (code) => `Action impossible (${code})`,
    texts: ALARM_TEXTS.fr,
    units: { points: "points", messages: "messages", MiB: "Mio" },
  },
  en: {
    title: "Standing alarms",
    none: "No alarm",
    noneHelp: "Everything is within its limits.",
    loading: "Reading the alarms…",
    recordsWait: (count) => `Database out of reach: alarms work, their history waits on the disk (${count}).`,
    priorities: { critical: "Critical", high: "High", medium: "Medium", low: "Low" },
    states: {
      normal: "Normal",
      unacknowledged: "To acknowledge",
      acknowledged: "Acknowledged",
      returned: "Over, to acknowledge",
      shelved: "Shelved",
      suppressed: "Follows from another",
      "out-of-service": "Out of service",
    },
    events: {
      raised: "raised",
      cleared: "cleared",
      acknowledged: "acknowledged",
      shelved: "shelved",
      unshelved: "unshelved",
      "shelf-over": "shelf over",
      suppressed: "suppressed by design",
      unsuppressed: "shown again",
      "out-of-service": "taken out of service",
      "in-service": "put back in service",
    },
    since: (time, age) => `since ${time} (${age})`,
    over: "The cause is over.",
    value: (value, limit) => `${value} (limit ${limit})`,
    ackedBy: (name) => `acknowledged by ${name}`,
    firstOut: "First out",
    ack: "Acknowledge",
    shelve: "Shelve…",
    shelveTitle: "Shelve for",
    minutes: (count) => (count < 60 ? `${count} min` : `${count / 60} h`),
    reason: "Why",
    reasonHint: "For example: lamp on order",
    confirm: "Confirm",
    cancel: "Cancel",
    unshelve: "Unshelve",
    outOfService: "Out of service…",
    inService: "Put back in service",
    shelved: "Shelved and out of service",
    noShelved: "No alarm is hidden.",
    heldBy: (name, reason) => `by ${name}: ${reason}`,
    until: (time) => `until ${time}`,
    suppressedHelp: "Follows from another alarm that stands; it will show if it lasts.",
    history: "History",
    noHistory: "Nothing yet.",
    by: (name) => `by ${name}`,
    rate: "Alarm load",
    last10Min: "in 10 min",
    lastHour: "in 1 h",
    lastDay: "in 24 h",
    flood: "Flood: more than 10 alarms in 10 minutes. Deal with the first one first.",
    floodShare: "of the time in flood",
    stale: "for more than 24 h",
    ofDay: (acceptable, manageable) =>
      `Per day and operator: ${acceptable} are acceptable, ${manageable} the most to manage.`,
    perPosition: (count) => (count > 1 ? `Figures per operator (${count} positions).` : ""),
    frequent: "Most frequent in 24 h",
    chart: "Alarms per ten minutes over 24 hours",
    limits: "Limits",
    limitsHelp: "An engineer can change a limit; it counts at once and the name is noted.",
    inForce: "in force",
    setBy: (name, time) => `set by ${name}, ${time}`,
    ofFlow: (limit) => `the flow's: ${limit}`,
    set: "Set",
    reset: "The flow's",
    range: (min, max) => `from ${min} to ${max}`,
    banner: (unacknowledged, active) =>
      unacknowledged > 0
        ? `${unacknowledged} alarm${unacknowledged > 1 ? "s" : ""} to acknowledge`
        : `${active} alarm${active > 1 ? "s" : ""} standing`,
    see: "See",
    errors: {
      "not-signed-in": "Sign in to act: this action keeps the person's name.",
      "not-allowed": "Your role does not allow this.",
      "alarm-nothing-to-acknowledge": "This alarm is acknowledged already.",
      "alarm-unknown": "This alarm is no longer there.",
      "alarm-not-held": "This alarm is no longer shelved.",
      "alarm-out-of-service": "This alarm is out of service.",
      "alarm-limit-out-of-range": "This limit is beyond what is allowed.",
      "alarm-no-such-rule": "The flow no longer has this rule.",
      "alarm-no-reason": "Say why.",
      "alarm-bad-action": "The server did not understand the request.",
      "no-answer": "No answer from the server.",
    },
    otherError: (code) => `Not possible (${code})`,
    texts: ALARM_TEXTS.en,
    units: {},
  },
};

/** The words of an alarm; a code of the flow's own is spelled out. */
export const alarmText = (words: AlarmWords, code: string): AlarmText => alarmTextOf(words.texts, code);

/** A value with its unit. */
export function alarmValue(words: AlarmWords, value: number, unit: AlarmUnit = ""): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1;
  return `${formatNumber(value, digits)} ${words.units[unit] ?? unit}`.trim();
}
