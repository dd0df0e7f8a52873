import type { ReportLanguage } from "./lot-report.ts";

/** Words for `Defect.type`; bands of the spectrum come as `<band>_low` and `<band>_high`. */
const TITLES: Record<ReportLanguage, Record<string, string>> = {
  fr: {
    dent: "Creux",
    bump: "Bosse",
    blood: "Sang",
    bile: "Bile",
    foreign_body: "Corps étranger possible",
    surface_deformation: "Surface déformée",
    nir_violet: "Rapport infrarouge/violet",
    discoloration: "Décoloration",
    lipid_oxidation: "Oxydation des lipides",
    violet_orange: "Rapport violet/orangé",
    freshness_meat: "Fraîcheur",
    oil_oxidation: "Oxydation de l’huile",
    saturation: "Canal saturé",
    weak: "Canal trop faible",
    low: "sous la limite",
    high: "au-dessus de la limite",
  },
  en: {
    dent: "Dent",
    bump: "Bump",
    blood: "Blood",
    bile: "Bile",
    foreign_body: "Possible foreign body",
    surface_deformation: "Deformed surface",
    nir_violet: "Infrared to violet ratio",
    discoloration: "Discoloration",
    lipid_oxidation: "Lipid oxidation",
    violet_orange: "Violet to orange ratio",
    freshness_meat: "Freshness",
    oil_oxidation: "Oil oxidation",
    saturation: "Saturated channel",
    weak: "Channel too weak",
    low: "below the limit",
    high: "above the limit",
  },
};

/** A defect in words; a type that is not known here is spelled out rather than hidden. */
export function defectTitle(type: string, language: ReportLanguage): string {
  const titles = TITLES[language];
  const spelled = (text: string) =>
    titles[text] ?? text.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
  const band = /^(.+)_(low|high)$/.exec(type);
  if (band) return `${spelled(band[1] ?? "")}, ${titles[band[2] ?? ""]}`;
  const channel = /^(saturation|weak)_(.+)$/.exec(type);
  if (channel) return `${titles[channel[1] ?? ""]} ${channel[2]}`;
  return spelled(type);
}
