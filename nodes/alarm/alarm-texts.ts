import type { RuleType } from "./page.ts";

/** What happened, and what to do about it. */
export interface AlarmText {
  what: string;
  todo: string;
}

/** The built-in rules' alarms in words, for the screens (which bundle this module) and for mail. */
export const ALARM_TEXTS: Readonly<Record<"fr" | "en", Readonly<Record<RuleType, AlarmText>>>> = {
  fr: {
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
  en: {
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
};

/** An alarm's words; one of the flow's own is called by its code. */
export function alarmTextOf(texts: Readonly<Record<string, AlarmText>>, code: string): AlarmText {
  return (Object.hasOwn(texts, code) ? texts[code] : undefined) ?? { what: code.replaceAll("-", " "), todo: "" };
}
