import type { FindingCode } from "@foieflow/node-red-foieflow/calibration/finding.js";
import type { CalibrationStep } from "@foieflow/node-red-foieflow/calibration/page.js";
import type { CalibrationPart, CalibrationState } from "@foieflow/node-red-foieflow/sample/calibration.js";
import type { Language } from "./settings.ts";

/** A figure of a finding in the reader's language. */
type Figure = (name: string, digits?: number) => string;

/** Everything the calibration page says. */
export interface CalibrationWords {
  title: string;
  steps: Record<CalibrationStep, string>;
  /** What to do before the step is started. */
  instructions: Record<CalibrationStep, string>;
  parts: Record<CalibrationPart, string>;
  states: Record<CalibrationState, string>;
  until(date: string): string;
  since(date: string): string;
  by(name: string): string;
  noDevices: string;
  choose: string;
  notHeard: string;
  due(devices: string): string;
  more(count: number): string;
  affects: Record<CalibrationPart, string>;
  unreadable: string;
  loading: string;
  start: string;
  accept: string;
  again: string;
  cancel: string;
  done: string;
  next(step: string): string;
  collecting: string;
  idle: string;
  sound: string;
  unsound: string;
  who: string;
  why: string;
  reasons: string[];
  validFor: string;
  days: string;
  white: string;
  saving: string;
  saved(version: number): string;
  kept: string;
  patch: string;
  patches(done: number, needed: number): string;
  zones: string;
  figures: Record<string, string>;
  findings: Record<FindingCode, (figure: Figure, channels: string) => string>;
  errors: Record<string, string>;
  otherError(code: string): string;
}

export const CALIBRATION_WORDS: Record<Language, CalibrationWords> = {
  fr: {
    title: "Étalonnage",
    steps: { tare: "Tapis vide", dark: "Noir", white: "Blanc", chart: "Mire" },
    instructions: {
      tare: "Videz le tapis sous le capteur : aucun produit, aucun outil, tapis propre. Le tapis peut tourner.",
      dark: "Éteignez l’éclairage du capteur et couvrez son champ : aucune lumière.",
      white: "Rallumez, laissez chauffer cinq minutes, puis posez l’étalon blanc à la hauteur du produit.",
      chart:
        "Choisissez une plage de la mire (comptées ligne par ligne) et placez-la sous le capteur, à la hauteur du produit.",
    },
    parts: { tof: "Forme", spectral: "Couleur" },
    states: {
      valid: "Valable",
      expiring: "Bientôt périmé",
      expired: "Périmé",
      missing: "Manquant",
      unknown: "Inconnu",
    },
    until: (date) => `jusqu’au ${date}`,
    since: (date) => `depuis le ${date}`,
    by: (name) => `par ${name}`,
    noDevices: "Aucun capteur vu",
    choose: "Choisissez un capteur",
    notHeard: "Ce capteur n’a encore rien mesuré : mettez-le en marche, l’étape s’ouvrira ici.",
    due: (devices) => `À étalonner : ${devices}.`,
    more: (count) => `et ${count} autres`,
    affects: {
      tof: "Sans tare valable, hauteurs, volume et masse sont marqués non étalonnés.",
      spectral: "Sans blanc valable, la couleur est marquée non étalonnée et aucun écart n’est donné.",
    },
    unreadable: "Les étalonnages sont illisibles : la base de données ne répond pas.",
    loading: "Lecture des étalonnages…",
    start: "Démarrer la mesure",
    accept: "Accepter et enregistrer",
    again: "Refaire",
    cancel: "Annuler",
    done: "Terminer",
    next: (step) => `Continuer : ${step}`,
    collecting: "Mesure en cours",
    idle: "Aucune mesure ne vient de ce capteur. Est-il allumé et relié ?",
    sound: "La mesure est saine.",
    unsound: "La mesure ne peut pas être acceptée.",
    who: "Étalonné par",
    why: "Pourquoi",
    reasons: ["Début d’équipe", "Capteur déplacé", "Après nettoyage", "Contrôle périodique"],
    validFor: "Valable pendant",
    days: "jours",
    white: "Réflectance de l’étalon blanc",
    saving: "Enregistrement…",
    saved: (version) => `Étalonnage n° ${version} enregistré et en vigueur.`,
    kept: "Noir gardé pour une heure : continuez par le blanc.",
    patch: "Plage",
    patches: (done, needed) => `Plages mesurées : ${done} (au moins ${needed})`,
    zones: "Distance du tapis par zone (mm)",
    figures: {
      heightMm: "Hauteur du capteur",
      tiltXDeg: "Inclinaison en travers",
      tiltYDeg: "Inclinaison en long",
      sigmaMm: "Bruit par zone",
      residualRmsMm: "Écart au plan",
      residualMaxMm: "Plus grand écart",
      viewSideMm: "Côté du champ",
      fullScalePercent: "Pleine échelle",
      noisePercent: "Bruit",
      driftPercent: "Dérive",
    },
    findings: {
      "no-frames": () => "Aucune image de distance.",
      "mixed-resolution": (n) => `Résolution changée pendant la mesure (${n("frames")} images).`,
      "zones-invalid": (n) => `${n("zones")} zones ne mesurent pas assez souvent : vitre sale ou tapis trop sombre ?`,
      "belt-not-empty": (n) => `Quelque chose est posé sur le tapis : ${n("zones")} zones, ${n("mm")} mm au-dessus.`,
      "belt-not-flat": (n) => `Le tapis n’est pas plan : ${n("zones")} zones, ${n("mm")} mm en dessous.`,
      "belt-unsteady": (n) => `${n("zones")} zones bougent (jusqu’à ${n("mm", 1)} mm) : vibration ou passage ?`,
      "height-implausible": (n) =>
        `Hauteur de ${n("heightMm")} mm : attendue entre ${n("minHeightMm")} et ${n("maxHeightMm")} mm.`,
      "tilt-implausible": (n) => `Incliné de ${n("tiltDeg", 1)}° : au plus ${n("maxTiltDeg")}°.`,
      "view-too-small": (n) =>
        `Le champ n’a que ${n("viewSideMm")} mm de côté : un foie entier en demande ${n("neededMm")}.`,
      "height-changed": (n) => `La hauteur a changé de ${n("changeMm")} mm depuis la dernière tare.`,
      "no-readings": () => "Aucune mesure spectrale.",
      "no-timing": () => "Gain ou temps d’intégration inconnus : le capteur doit les donner.",
      saturated: (_n, channels) => `Capteur ébloui (${channels}) : baissez le gain ou l’éclairage.`,
      reconstructed: (_n, channels) => `Canaux reconstitués par l’appareil (${channels}).`,
      "unsteady-light": (n) =>
        `La lumière n’est pas stable : bruit ${n("noisePercent", 1)} %, dérive ${n("driftPercent", 1)} %. Laissez chauffer.`,
      "dark-too-bright": (n) => `Encore de la lumière : ${n("percent", 1)} % de la pleine échelle.`,
      "white-too-dark": (n) => `Blanc faible : ${n("percent", 1)} % de la pleine échelle.`,
      "white-not-above-dark": (_n, channels) => `Le blanc se distingue mal du noir (${channels}).`,
      "dark-missing": () => "Mesurez d’abord le noir.",
    },
    errors: {
      "calibration-no-maker": "Dites qui étalonne.",
      "calibration-no-reason": "Dites pourquoi.",
      "calibration-bad-validity": "La durée de validité n’est pas possible.",
      "calibration-white-missing": "Mesurez d’abord le noir et le blanc.",
      "calibration-poor-matrix": "La mire ne donne pas une couleur assez juste : mauvaise plage, ou lumière instable ?",
      "calibration-not-acceptable": "La mesure ne peut pas être acceptée.",
      "calibration-busy": "Trop d’étalonnages en même temps.",
    },
    otherError: (code) => `L’enregistrement a échoué (${code}). Réessayez.`,
  },
  en: {
    title: "Calibration",
    steps: { tare: "Empty belt", dark: "Dark", white: "White", chart: "Chart" },
    instructions: {
      tare: "Clear the belt under the sensor: no product, no tool, a clean belt. The belt may run.",
      dark: "Switch the sensor’s light off and cover its view: no light at all.",
      white:
        "Switch the light on, let it warm up for five minutes, then lay the white standard at the product’s height.",
      chart: "Choose a patch of the chart (counted row by row) and place it under the sensor, at the product’s height.",
    },
    parts: { tof: "Shape", spectral: "Colour" },
    states: {
      valid: "Valid",
      expiring: "About to end",
      expired: "Expired",
      missing: "Missing",
      unknown: "Unknown",
    },
    until: (date) => `until ${date}`,
    since: (date) => `since ${date}`,
    by: (name) => `by ${name}`,
    noDevices: "No device seen",
    choose: "Choose a device",
    notHeard: "This device has measured nothing yet: start it, and its step opens here.",
    due: (devices) => `To be calibrated: ${devices}.`,
    more: (count) => `and ${count} more`,
    affects: {
      tof: "Without a valid tare, heights, volume and mass are marked uncalibrated.",
      spectral: "Without a valid white, colour is marked uncalibrated and no difference is given.",
    },
    unreadable: "The calibrations cannot be read: the database does not answer.",
    loading: "Reading the calibrations…",
    start: "Start measuring",
    accept: "Accept and save",
    again: "Measure again",
    cancel: "Cancel",
    done: "Done",
    next: (step) => `Continue: ${step}`,
    collecting: "Measuring",
    idle: "No measurement comes from this device. Is it on and connected?",
    sound: "The measurement is sound.",
    unsound: "The measurement cannot be accepted.",
    who: "Calibrated by",
    why: "Why",
    reasons: ["Start of shift", "Sensor moved", "After cleaning", "Periodic check"],
    validFor: "Valid for",
    days: "days",
    white: "Reflectance of the white standard",
    saving: "Saving…",
    saved: (version) => `Calibration no. ${version} saved and in force.`,
    kept: "Dark kept for an hour: continue with white.",
    patch: "Patch",
    patches: (done, needed) => `Patches measured: ${done} (at least ${needed})`,
    zones: "Distance to the belt per zone (mm)",
    figures: {
      heightMm: "Sensor height",
      tiltXDeg: "Tilt across",
      tiltYDeg: "Tilt along",
      sigmaMm: "Noise per zone",
      residualRmsMm: "Off the plane",
      residualMaxMm: "Furthest off",
      viewSideMm: "Side of the view",
      fullScalePercent: "Full scale",
      noisePercent: "Noise",
      driftPercent: "Drift",
    },
    findings: {
      "no-frames": () => "No distance frame.",
      "mixed-resolution": (n) => `Resolution changed while measuring (${n("frames")} frames).`,
      "zones-invalid": (n) => `${n("zones")} zones do not measure often enough: dirty window, or belt too dark?`,
      "belt-not-empty": (n) => `Something lies on the belt: ${n("zones")} zones, ${n("mm")} mm above it.`,
      "belt-not-flat": (n) => `The belt is not flat: ${n("zones")} zones, ${n("mm")} mm below it.`,
      "belt-unsteady": (n) => `${n("zones")} zones move (by up to ${n("mm", 1)} mm): vibration, or somebody passing?`,
      "height-implausible": (n) =>
        `Height of ${n("heightMm")} mm: expected ${n("minHeightMm")} to ${n("maxHeightMm")} mm.`,
      "tilt-implausible": (n) => `Tilted by ${n("tiltDeg", 1)}°: at most ${n("maxTiltDeg")}°.`,
      "view-too-small": (n) => `The view is only ${n("viewSideMm")} mm wide: a whole liver needs ${n("neededMm")}.`,
      "height-changed": (n) => `The height has changed by ${n("changeMm")} mm since the last tare.`,
      "no-readings": () => "No spectral reading.",
      "no-timing": () => "Gain or integration time unknown: the device must give them.",
      saturated: (_n, channels) => `Sensor dazzled (${channels}): lower the gain or the light.`,
      reconstructed: (_n, channels) => `Channels rebuilt by the device (${channels}).`,
      "unsteady-light": (n) =>
        `The light is not steady: noise ${n("noisePercent", 1)} %, drift ${n("driftPercent", 1)} %. Let it warm up.`,
      "dark-too-bright": (n) => `There is still light: ${n("percent", 1)} % of full scale.`,
      "white-too-dark": (n) => `White is weak: ${n("percent", 1)} % of full scale.`,
      "white-not-above-dark": (_n, channels) => `White is hardly above dark (${channels}).`,
      "dark-missing": () => "Measure dark first.",
    },
    errors: {
      "calibration-no-maker": "Say who calibrates.",
      "calibration-no-reason": "Say why.",
      "calibration-bad-validity": "This validity is not possible.",
      "calibration-white-missing": "Measure dark and white first.",
      "calibration-poor-matrix": "The chart gives no true enough colour: a wrong patch, or unsteady light?",
      "calibration-not-acceptable": "The measurement cannot be accepted.",
      "calibration-busy": "Too many calibrations at once.",
    },
    otherError: (code) => `Saving failed (${code}). Try again.`,
  },
};
