import type { ReportLanguage } from "./lot-report.ts";

/** What a lot report says. */
export interface ReportWords {
  locale: string;
  title: string;
  lot: string;
  breeder: string;
  provenance: string;
  line: string;
  device: string;
  period: string;
  spec: string;
  madeBy: string;
  madeAt: string;
  samples: string;
  meanScore: string;
  compliance: string;
  defectRate: string;
  mass: string;
  totalMass: string;
  thickness: string;
  deltaE: string;
  distribution: string;
  reject: string;
  course: string;
  score: string;
  massInG: string;
  noCourse: string;
  defects: string;
  noDefects: string;
  sensor: string;
  sensors: Record<string, string>;
  severity: string;
  examined(count: string): string;
  byDevice: string;
  signature: string;
  signatureHelp: string;
  note: string;
  page(page: number, pages: number): string;
  sheets: { lot: string; samples: string; defects: string; devices: string };
  cut(rows: string): string;
  columns: Record<string, string>;
}

export const REPORT_WORDS: Record<ReportLanguage, ReportWords> = {
  fr: {
    locale: "fr-FR",
    title: "Rapport de lot",
    lot: "Lot",
    breeder: "Éleveur",
    provenance: "Provenance",
    line: "Ligne",
    device: "Capteur",
    period: "Période",
    spec: "Barème",
    madeBy: "Établi par",
    madeAt: "Établi le",
    samples: "Échantillons",
    meanScore: "Score moyen",
    compliance: "Conformes",
    defectRate: "Avec défaut",
    mass: "Masse moyenne",
    totalMass: "Masse totale",
    thickness: "Épaisseur moyenne",
    deltaE: "Écart de couleur moyen",
    distribution: "Répartition des classes",
    reject: "REJET",
    course: "Déroulement du lot",
    score: "Score (sur 100)",
    massInG: "Masse (g)",
    noCourse: "Pas assez de mesures pour une courbe",
    defects: "Défauts",
    noDefects: "Aucun défaut relevé",
    sensor: "Relevé par",
    sensors: { vl53l8ch: "forme", as7341: "couleur" },
    severity: "Gravité moyenne",
    examined: (count) => `Défauts et déroulement d’après les ${count} échantillons les plus récents.`,
    byDevice: "Par capteur",
    signature: "Visa du responsable qualité",
    signatureHelp: "Nom, date, signature",
    note: "Masses estimées par capteur, sans valeur pour une transaction au poids.",
    page: (page, pages) => `Page ${page} sur ${pages}`,
    sheets: { lot: "Lot", samples: "Échantillons", defects: "Défauts", devices: "Capteurs" },
    cut: (rows) => `Seuls les ${rows} échantillons les plus récents sont listés ; l’export CSV les contient tous.`,
    columns: {
      time: "Mesuré le",
      sample_id: "Échantillon",
      device_id: "Capteur",
      line_id: "Ligne",
      eleveur: "Éleveur",
      provenance: "Provenance",
      final_grade: "Classe",
      final_quality_score: "Score",
      is_compliant: "Conforme",
      num_defects: "Défauts",
      mass_g: "Masse (g)",
      mass_half_width_g: "± masse (g)",
      thickness_mm: "Épaisseur (mm)",
      length_mm: "Longueur (mm)",
      width_mm: "Largeur (mm)",
      delta_e: "Écart de couleur",
      shift: "Équipe",
      production_day: "Jour de production",
      spec_id: "Barème",
      spec_version: "Version du barème",
      sample_uid: "Identifiant",
    },
  },
  en: {
    locale: "en-GB",
    title: "Lot report",
    lot: "Lot",
    breeder: "Breeder",
    provenance: "Provenance",
    line: "Line",
    device: "Device",
    period: "Period",
    spec: "Grade spec",
    madeBy: "Made by",
    madeAt: "Made on",
    samples: "Samples",
    meanScore: "Mean score",
    compliance: "Compliant",
    defectRate: "With a defect",
    mass: "Mean mass",
    totalMass: "Total mass",
    thickness: "Mean thickness",
    deltaE: "Mean colour difference",
    distribution: "Grades",
    reject: "REJECT",
    course: "Course of the lot",
    score: "Score (out of 100)",
    massInG: "Mass (g)",
    noCourse: "Not enough measurements for a curve",
    defects: "Defects",
    noDefects: "No defect found",
    sensor: "Found by",
    sensors: { vl53l8ch: "shape", as7341: "colour" },
    severity: "Mean severity",
    examined: (count) => `Defects and course from the newest ${count} samples.`,
    byDevice: "By device",
    signature: "Quality manager's approval",
    signatureHelp: "Name, date, signature",
    note: "Masses are estimated by a sensor and not fit for trade by weight.",
    page: (page, pages) => `Page ${page} of ${pages}`,
    sheets: { lot: "Lot", samples: "Samples", defects: "Defects", devices: "Devices" },
    cut: (rows) => `Only the newest ${rows} samples are listed; the CSV export holds them all.`,
    columns: {
      time: "Measured at",
      sample_id: "Sample",
      device_id: "Device",
      line_id: "Line",
      eleveur: "Breeder",
      provenance: "Provenance",
      final_grade: "Grade",
      final_quality_score: "Score",
      is_compliant: "Compliant",
      num_defects: "Defects",
      mass_g: "Mass (g)",
      mass_half_width_g: "± mass (g)",
      thickness_mm: "Thickness (mm)",
      length_mm: "Length (mm)",
      width_mm: "Width (mm)",
      delta_e: "Colour difference",
      shift: "Shift",
      production_day: "Production day",
      spec_id: "Grade spec",
      spec_version: "Spec version",
      sample_uid: "Identifier",
    },
  },
};
