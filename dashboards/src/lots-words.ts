import type { Language } from "./settings.ts";

/** What the page of lots and breeders says. */
export interface LotsWords {
  title: string;
  lot: string;
  breeder: string;
  lots: string;
  breeders: string;
  searchLot: string;
  searchBreeder: string;
  from: string;
  to: string;
  grade: string;
  anyGrade: string;
  device: string;
  anyDevice: string;
  search: string;
  clear: string;
  more: string;
  found: string;
  nothing: string;
  choose: string;
  compare: string;
  compareThem(count: number): string;
  stopComparing: string;
  tooMany: string;
  reading(seconds: string): string;
  samples(count: string): string;
  meanScore: string;
  lotCount(count: string): string;
  distribution: string;
  compliance: string;
  score: string;
  mass: string;
  totalMass: string;
  thickness: string;
  deltaE: string;
  spread: string;
  range: string;
  defectRate: string;
  trend: string;
  trendOfLot: string;
  share: string;
  noTrend: string;
  defects: string;
  noDefects: string;
  sensors: Record<string, string>;
  severity: string;
  vetoes: string;
  examined(count: string): string;
  byDevice: string;
  lotsOf: string;
  period: string;
  provenance: string;
  showSamples: string;
  back: string;
  sampleList: string;
  open: string;
  exports: string;
  csv: string;
  xlsx: string;
  pdf: string;
  preparing: string;
  errors: Record<string, string>;
  otherError(code: string): string;
}

export const LOTS_WORDS: Record<Language, LotsWords> = {
  fr: {
    title: "Lots et éleveurs",
    lot: "Lot",
    breeder: "Éleveur",
    lots: "Lots",
    breeders: "Éleveurs",
    searchLot: "Lot ou éleveur",
    searchBreeder: "Éleveur",
    from: "Du",
    to: "Au",
    grade: "Classe",
    anyGrade: "Toutes",
    device: "Capteur",
    anyDevice: "Tous",
    search: "Chercher",
    clear: "Effacer",
    more: "Afficher la suite",
    found: "Résultats",
    nothing: "Rien ne correspond à cette recherche.",
    choose: "Choisissez un lot ou un éleveur, ou cochez-en jusqu’à cinq pour les comparer.",
    compare: "Comparer",
    compareThem: (count) => `Comparer (${count})`,
    stopComparing: "Ne plus comparer",
    tooMany: "Cinq au plus à la fois : décochez-en un d’abord.",
    reading: (seconds) => `Lecture en cours… ${seconds} s`,
    samples: (count) => `${count} échantillons`,
    meanScore: "Score moyen",
    lotCount: (count) => `${count} lots`,
    distribution: "Répartition des classes",
    compliance: "Conformes",
    score: "Score",
    mass: "Masse",
    totalMass: "Masse totale",
    thickness: "Épaisseur",
    deltaE: "ΔE",
    spread: "écart type",
    range: "de … à …",
    defectRate: "Avec défaut",
    trend: "Évolution par jour de production",
    trendOfLot: "Déroulement du lot",
    share: "part du lot passée",
    noTrend: "Pas assez de mesures pour une courbe",
    defects: "Défauts",
    noDefects: "Aucun défaut relevé",
    sensors: { vl53l8ch: "forme", as7341: "couleur" },
    severity: "gravité moyenne",
    vetoes: "Déclassements d’office",
    examined: (count) => `d’après les ${count} échantillons les plus récents`,
    byDevice: "Par capteur",
    lotsOf: "Ses lots",
    period: "Période",
    provenance: "Provenance",
    showSamples: "Voir les échantillons",
    back: "Retour",
    sampleList: "Échantillons",
    open: "Ouvrir",
    exports: "Exporter",
    csv: "CSV",
    xlsx: "Excel",
    pdf: "Rapport PDF",
    preparing: "Préparation du fichier…",
    errors: {
      "no-answer": "Le serveur ne répond pas. Recommencez dans un moment.",
      busy: "Trop de demandes à la fois. Recommencez dans un moment.",
      "database-away": "La base de données ne répond pas : rien n’est perdu, recommencez plus tard.",
      "query-timeout": "C’est trop long : demandez une période plus courte.",
      "no-such-lot": "Ce lot n’a aucun échantillon.",
      "no-such-breeder": "Cet éleveur n’a aucun échantillon dans cette période.",
      "no-such-sample": "Cet échantillon n’existe pas, ou plus.",
      "bad-period": "La période finit avant de commencer.",
      "bad-request": "Cette recherche ne convient pas.",
      "not-signed-in": "Connectez-vous d’abord : un export porte le nom de qui l’a fait.",
      "not-allowed": "Votre rôle ne permet pas cet export.",
    },
    otherError: (code) => `Cela n’a pas marché (${code}).`,
  },
  en: {
    title: "Lots and breeders",
    lot: "Lot",
    breeder: "Breeder",
    lots: "Lots",
    breeders: "Breeders",
    searchLot: "Lot or breeder",
    searchBreeder: "Breeder",
    from: "From",
    to: "To",
    grade: "Grade",
    anyGrade: "Any",
    device: "Device",
    anyDevice: "All",
    search: "Search",
    clear: "Clear",
    more: "Show more",
    found: "Found",
    nothing: "Nothing fits this search.",
    choose: "Choose a lot or a breeder, or tick up to five to compare them.",
    compare: "Compare",
    compareThem: (count) => `Compare (${count})`,
    stopComparing: "Stop comparing",
    tooMany: "Five at a time at most: untick one first.",
    reading: (seconds) => `Reading… ${seconds} s`,
    samples: (count) => `${count} samples`,
    meanScore: "Mean score",
    lotCount: (count) => `${count} lots`,
    distribution: "Grades",
    compliance: "Compliant",
    score: "Score",
    mass: "Mass",
    totalMass: "Total mass",
    thickness: "Thickness",
    deltaE: "ΔE",
    spread: "std. deviation",
    range: "from … to …",
    defectRate: "With a defect",
    trend: "Trend by production day",
    trendOfLot: "Course of the lot",
    share: "share of the lot passed",
    noTrend: "Not enough measurements for a curve",
    defects: "Defects",
    noDefects: "No defect found",
    sensors: { vl53l8ch: "shape", as7341: "colour" },
    severity: "mean severity",
    vetoes: "Downgraded by rule",
    examined: (count) => `from the newest ${count} samples`,
    byDevice: "By device",
    lotsOf: "Their lots",
    period: "Period",
    provenance: "Provenance",
    showSamples: "Show the samples",
    back: "Back",
    sampleList: "Samples",
    open: "Open",
    exports: "Export",
    csv: "CSV",
    xlsx: "Excel",
    pdf: "PDF report",
    preparing: "Preparing the file…",
    errors: {
      "no-answer": "The server does not answer. Try again in a moment.",
      busy: "Too many requests at once. Try again in a moment.",
      "database-away": "The database does not answer: nothing is lost, try again later.",
      "query-timeout": "That takes too long: ask for a shorter period.",
      "no-such-lot": "This lot has no sample.",
      "no-such-breeder": "This breeder has no sample in this period.",
      "no-such-sample": "This sample does not exist, or no longer.",
      "bad-period": "The period ends before it begins.",
      "bad-request": "This search will not do.",
      "not-signed-in": "Sign in first: an export carries the name of who made it.",
      "not-allowed": "Your role does not allow this export.",
    },
    otherError: (code) => `That did not work (${code}).`,
  },
};
