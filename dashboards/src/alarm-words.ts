import type { AlarmState, AlarmUnit, Priority, RecordEvent, RuleType } from "@foieflow/node-red-foieflow/alarm/page.js";
import { formatNumber } from "./format.ts";
import type { Language } from "./settings.ts";

/** What happened, and what to do about it. */
export interface AlarmText {
  what: string;
  todo: string;
}

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
  texts: Record<RuleType, AlarmText>;
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
    texts: {
      "device-silent": {
        what: "Capteur silencieux",
        todo: "Vérifiez son alimentation et sa liaison ; les produits passent sans être mesurés.",
      },
      saturation: {
        what: "Mesures saturées",
        todo: "Trop de lumière ou gain trop fort : vérifiez l’éclairage et le capteur de couleur.",
      },
      uncalibrated: {
        what: "Capteur sans étalonnage valable",
        todo: "Faites l’étalonnage à la page « Étalonnage » ; d’ici là, masse et couleur ne font pas foi.",
      },
      "reject-rate": {
        what: "Beaucoup de rejets",
        todo: "Regardez les raisons des derniers rejets ; vérifiez le lot, puis les capteurs.",
      },
      "drift-score": {
        what: "Le score dérive",
        todo: "Un autre lot ? Sinon nettoyez les fenêtres des capteurs et contrôlez l’étalonnage.",
      },
      "drift-thickness": {
        what: "L’épaisseur dérive",
        todo: "Un autre lot ? Sinon vérifiez le tapis et la tare du capteur de distance.",
      },
      "backlog-age": {
        what: "Mesures en attente d’enregistrement",
        todo: "Rien n’est perdu. Regardez la page « Santé » : base de données ou disque trop lents.",
      },
      "database-away": {
        what: "Base de données injoignable",
        todo: "Les mesures attendent sur le disque. Prévenez la personne qui s’occupe du serveur.",
      },
      "disk-low": {
        what: "Le disque se remplit",
        todo: "Faites libérer de la place avant que la ligne ne doive refuser des mesures.",
      },
      "inbox-refusing": {
        what: "Des mesures sont refusées",
        todo: "La boîte d’entrée ou le disque est plein : arrêtez la ligne si les capteurs ne gardent rien, et appelez.",
      },
    },
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
    texts: {
      "device-silent": {
        what: "Device silent",
        todo: "Check its power and connection; products pass without being measured.",
      },
      saturation: {
        what: "Readings saturated",
        todo: "Too much light or gain: check the lamp and the colour sensor.",
      },
      uncalibrated: {
        what: "Device without a valid calibration",
        todo: "Calibrate it on the page “Calibration”; until then mass and colour do not count.",
      },
      "reject-rate": {
        what: "Many rejects",
        todo: "Look at the reasons of the last rejects; check the lot, then the sensors.",
      },
      "drift-score": {
        what: "The score drifts",
        todo: "Another lot? Else clean the sensors' windows and check the calibration.",
      },
      "drift-thickness": {
        what: "The thickness drifts",
        todo: "Another lot? Else check the belt and the distance sensor's tare.",
      },
      "backlog-age": {
        what: "Measurements wait to be stored",
        todo: "Nothing is lost. Look at the page “Health”: database or disk too slow.",
      },
      "database-away": {
        what: "Database out of reach",
        todo: "Measurements wait on the disk. Tell whoever looks after the server.",
      },
      "disk-low": {
        what: "The disk fills up",
        todo: "Have room made before the line must refuse measurements.",
      },
      "inbox-refusing": {
        what: "Measurements are refused",
        todo: "The inbox or the disk is full: stop the line if the devices keep nothing, and call.",
      },
    },
    units: {},
  },
};

/** The words of an alarm; a code of the flow's own is spelled out. */
export function alarmText(words: AlarmWords, code: string): AlarmText {
  const known = Object.hasOwn(words.texts, code) ? words.texts[code as RuleType] : undefined;
  return known ?? { what: code.replaceAll("-", " "), todo: "" };
}

/** A value with its unit. */
export function alarmValue(words: AlarmWords, value: number, unit: AlarmUnit = ""): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 1;
  return `${formatNumber(value, digits)} ${words.units[unit] ?? unit}`.trim();
}
