import type { Language } from "./settings.ts";

/** What the detail of a stored sample says. */
export interface SampleWords {
  facts: string;
  measured: string;
  timeSources: Record<string, string>;
  received: string;
  historical: string;
  device: string;
  firmware: string;
  place: string;
  product: string;
  frames: string;
  number: string;
  shift: string;
  lot: string;
  breeder: string;
  provenance: string;
  lotSource: string;
  lotSources: Record<string, string>;
  setBy(name: string, at: string): string;
  spec: string;
  mode: string;
  calibration: string;
  calibrated(version: string, name: string, from: string, until: string): string;
  noCalibration: string;
  methods: string;
  defects: string;
  noDefects: string;
  claims: string;
  claimsHelp: string;
  noClaims: string;
  everything: string;
  raw: string;
  rawBytes(sensor: string, format: string, size: string): string;
  tables: Record<string, string>;
}

export const SAMPLE_WORDS: Record<Language, SampleWords> = {
  fr: {
    facts: "Fiche de l’échantillon",
    measured: "Mesuré",
    timeSources: { device: "horloge du capteur", server: "heure du serveur : le capteur n’a pas d’horloge" },
    received: "Reçu",
    historical: "arrivé tard : n’a pas été montré en direct",
    device: "Capteur",
    firmware: "micrologiciel",
    place: "Site et ligne",
    product: "Produit",
    frames: "images",
    number: "Numéro du capteur",
    shift: "Équipe et jour",
    lot: "Lot",
    breeder: "Éleveur",
    provenance: "Provenance",
    lotSource: "Origine du lot",
    lotSources: { sample: "donné par le capteur", line: "en cours sur la ligne" },
    setBy: (name, at) => `mis par ${name} le ${at}`,
    spec: "Barème",
    mode: "Mode de calcul",
    calibration: "Étalonnage",
    calibrated: (version, name, from, until) => `n° ${version}, fait par ${name}, valable du ${from} au ${until}`,
    noCalibration: "aucun en vigueur à ce moment",
    methods: "Méthodes d’analyse",
    defects: "Défauts",
    noDefects: "Aucun défaut relevé",
    claims: "Ce que le capteur affirmait",
    claimsHelp: "Gardé pour mémoire, jamais utilisé pour classer.",
    noClaims: "Rien.",
    everything: "Tout ce qui est enregistré",
    raw: "Message d’origine",
    rawBytes: (sensor, format, size) => `${sensor} : ${format}, ${size}`,
    tables: {
      fusion_results: "Classement",
      vl53l8ch_analysis: "Analyse de forme",
      as7341_analysis: "Analyse de couleur",
      vl53l8ch_raw: "Mesure de forme",
      as7341_raw: "Mesure de couleur",
      calibration: "Étalonnage",
      assignment: "Lot de la ligne",
    },
  },
  en: {
    facts: "Sample record",
    measured: "Measured",
    timeSources: { device: "device's clock", server: "server's time: the device has no clock" },
    received: "Received",
    historical: "arrived late: was not shown live",
    device: "Device",
    firmware: "firmware",
    place: "Site and line",
    product: "Product",
    frames: "frames",
    number: "Device's number",
    shift: "Shift and day",
    lot: "Lot",
    breeder: "Breeder",
    provenance: "Provenance",
    lotSource: "Where the lot is from",
    lotSources: { sample: "told by the device", line: "in force on the line" },
    setBy: (name, at) => `set by ${name} on ${at}`,
    spec: "Grade spec",
    mode: "How it was computed",
    calibration: "Calibration",
    calibrated: (version, name, from, until) => `no. ${version}, made by ${name}, valid from ${from} until ${until}`,
    noCalibration: "none in force at that moment",
    methods: "Methods of analysis",
    defects: "Defects",
    noDefects: "No defect found",
    claims: "What the device claimed",
    claimsHelp: "Kept for the record, never used for grading.",
    noClaims: "Nothing.",
    everything: "Everything stored",
    raw: "Original message",
    rawBytes: (sensor, format, size) => `${sensor}: ${format}, ${size}`,
    tables: {
      fusion_results: "Grade",
      vl53l8ch_analysis: "Shape analysis",
      as7341_analysis: "Colour analysis",
      vl53l8ch_raw: "Shape measurement",
      as7341_raw: "Colour measurement",
      calibration: "Calibration",
      assignment: "The line's lot",
    },
  },
};
