import type { ChartView } from "@foieflow/node-red-foieflow/api/quality-schema.js";
import type { Rule } from "@foieflow/node-red-foieflow/spc/western-electric.js";
import type { Language } from "./settings.ts";

type Figure = ChartView["figure"];
type Unmet = ChartView["capability"]["unmet"][number];
export const WINDOWS = ["8h", "24h", "7d", "30d", "90d", "days"] as const;
export type Window = (typeof WINDOWS)[number];
export const KINDS = ["shewhart", "ewma", "spread"] as const;
export type Kind = (typeof KINDS)[number];

/** Words of the quality page. */
export interface QualityWords {
  title: string;
  figure: string;
  figures: Record<Figure, string>;
  period: string;
  windows: Record<Window, string>;
  from: string;
  to: string;
  line: string;
  allLines: string;
  device: string;
  allDevices: string;
  points: string;
  sizes: Record<"auto" | "1" | "5" | "10", string>;
  kinds: Record<Kind, string>;
  spreads: Record<ChartView["spread_kind"], string>;
  center: string;
  upper: string;
  lower: string;
  loading: string;
  slow: string;
  away(code: string): string;
  nothing: string;
  tooFew: string;
  provisional: string;
  singles(count: string): string;
  cut(count: string): string;
  groups(size: string, slot: string): string;
  fromWindow: string;
  fromBaseline(name: string, when: string, from: string, to: string): string;
  ewmaIs(lambda: string, width: string): string;
  within: string;
  beyond: string;
  run: string;
  rules: Record<Rule, string>;
  sides: Record<"above" | "below", string>;
  ewmaBeyond: Record<"above" | "below", string>;
  spreadBeyond: string;
  sigmas(z: string, side: "above" | "below"): string;
  signals: string;
  noSignal: string;
  more(count: string): string;
  since(count: string, time: string): string;
  capability: string;
  unmet: Record<Unmet, string>;
  noIndex: string;
  interval(low: string, high: string): string;
  mean: string;
  sigma: string;
  sigmaHelp: string;
  outside: string;
  skewness: string;
  excess: string;
  calls: string;
  ofMost(count: string, most: string): string;
  tolerance: string;
  least: string;
  most: string;
  toleranceBy(name: string, when: string): string;
  save: string;
  baseline: string;
  baselineHelp: string;
  fix: string;
  withdraw: string;
  reason: string;
  reasonHint: string;
  needsQuality: string;
  drift: string;
  driftHelp(percent: string): string;
  driftTwo: string;
  verdicts: Record<"agrees" | "differs" | "unknown", string>;
  perDay(value: string): string;
  cells(count: string): string;
  products(count: string): string;
  noDrift: string;
  saved: string;
  failed: Record<string, string>;
}

export const QUALITY_WORDS: Record<Language, QualityWords> = {
  fr: {
    title: "Cartes de contrôle",
    figure: "Grandeur",
    figures: { thickness: "Épaisseur", mass: "Masse", score: "Score", delta_e: "ΔE" },
    period: "Période",
    windows: { "8h": "8 h", "24h": "24 h", "7d": "7 jours", "30d": "30 jours", "90d": "90 jours", days: "Dates…" },
    from: "Du",
    to: "Au",
    line: "Ligne",
    allLines: "toutes les lignes",
    device: "Capteur",
    allDevices: "tous les capteurs",
    points: "Points",
    sizes: { auto: "automatique", "1": "chaque produit", "5": "moyennes de 5", "10": "moyennes de 10" },
    kinds: { shewhart: "Shewhart", ewma: "EWMA", spread: "Dispersion" },
    spreads: {
      "moving-range": "étendue mobile (écart d’un produit au suivant)",
      range: "étendue du groupe",
      "standard-deviation": "écart-type du groupe",
    },
    center: "moyenne",
    upper: "LSC",
    lower: "LIC",
    loading: "Lecture…",
    slow: "La période est longue : lecture en cours…",
    away: (code) => `Les mesures ne peuvent pas être lues (${code}). Nouvel essai dans une minute.`,
    nothing: "Aucun produit avec cette grandeur sur la période.",
    tooFew: "Il faut au moins deux points pour calculer des limites.",
    provisional: "Limites provisoires : moins de 20 points.",
    singles: (count) => `${count} produits, un point chacun`,
    cut: (count) => `les ${count} derniers produits de la période seulement`,
    groups: (size, slot) =>
      `Un point : la moyenne de ${size} produits successifs, au début de chaque tranche de ${slot}`,
    fromWindow: "Limites calculées sur la période affichée.",
    fromBaseline: (name, when, from, to) =>
      `Limites de la période de référence du ${from} au ${to}, fixée par ${name} le ${when}.`,
    ewmaIs: (lambda, width) => `Moyenne mobile exponentielle, λ = ${lambda}, limites à ${width} σ`,
    within: "dans les limites",
    beyond: "hors limites",
    run: "suite anormale",
    rules: {
      "beyond-3-sigma": "Point au-delà de 3 σ",
      "two-of-three-beyond-2": "2 points sur 3 au-delà de 2 σ, du même côté",
      "four-of-five-beyond-1": "4 points sur 5 au-delà de 1 σ, du même côté",
      "eight-on-one-side": "8 points de suite du même côté de la moyenne",
    },
    sides: { above: "au-dessus", below: "en dessous" },
    ewmaBeyond: { above: "Moyenne mobile au-dessus de sa limite", below: "Moyenne mobile en dessous de sa limite" },
    spreadBeyond: "Dispersion hors limites",
    sigmas: (z, side) => `${z} σ ${side === "above" ? "au-dessus de" : "en dessous de"} la moyenne`,
    signals: "Signaux",
    noSignal: "Aucune règle enfreinte sur la période.",
    since: (count, time) => `${count} points, depuis ${time}`,
    more: (count) => `et ${count} autres, plus anciens`,
    capability: "Capabilité",
    unmet: {
      "no-tolerance": "Aucune tolérance n’est fixée pour cette grandeur.",
      "too-few": "Trop peu de mesures : il faut 25 points et 100 produits.",
      "no-spread": "Toutes les valeurs sont égales.",
      "out-of-control": "Le procédé n’est pas stable sur la période : plus de signaux que le hasard n’en donne.",
      "not-normal": "Les valeurs ne suivent pas une loi à peu près normale.",
    },
    noIndex: "Pas de Cp ni de Cpk : ils n’auraient pas de sens ici.",
    interval: (low, high) => `entre ${low} et ${high}, à 95 %`,
    mean: "Moyenne",
    sigma: "Écart-type σ",
    sigmaHelp: "à court terme, d’un produit",
    outside: "Hors tolérance",
    skewness: "Asymétrie",
    excess: "Aplatissement",
    calls: "Signaux",
    ofMost: (count, most) => `${count} (par hasard : ${most} au plus)`,
    tolerance: "Tolérance",
    least: "Minimum",
    most: "Maximum",
    toleranceBy: (name, when) => `fixée par ${name} le ${when}`,
    save: "Enregistrer",
    baseline: "Période de référence",
    baselineHelp:
      "Quand le procédé est stable, sa période peut servir de référence : les limites ne bougent plus avec la période affichée.",
    fix: "Fixer la période affichée",
    withdraw: "Retirer la référence",
    reason: "Motif",
    reasonHint: "ex. : semaine calme, capteurs étalonnés",
    needsQuality: "Le rôle « qualité » peut fixer la référence et la tolérance.",
    drift: "Capteurs, l’un contre les autres",
    driftHelp: (percent) =>
      `Sur la même ligne, le même lot et la même tranche de temps : la moyenne du capteur moins celle des autres, avec son intervalle à ${percent} pour tous les capteurs ensemble.`,
    driftTwo: "Avec deux capteurs seulement, on ne peut pas dire lequel des deux s’écarte.",
    verdicts: { agrees: "comme les autres", differs: "s’écarte", unknown: "pas assez de mesures communes" },
    perDay: (value) => `${value} par jour`,
    cells: (count) => `tranches : ${count}`,
    products: (count) => `produits : ${count}`,
    noDrift: "Aucun produit sur la période.",
    saved: "Enregistré.",
    failed: {
      "too-few-points": "Rien n’a été enregistré : une référence demande 20 points.",
      "bad-tolerance": "Rien n’a été enregistré : le minimum doit être sous le maximum.",
      "not-allowed": "Rien n’a été enregistré : il faut le rôle « qualité ».",
      "not-signed-in": "Rien n’a été enregistré : connectez-vous d’abord (rôle « qualité » au moins).",
      other: "Rien n’a été enregistré : le serveur n’a pas pu.",
    },
  },
  en: {
    title: "Control charts",
    figure: "Figure",
    figures: { thickness: "Thickness", mass: "Mass", score: "Score", delta_e: "ΔE" },
    period: "Period",
    windows: { "8h": "8 h", "24h": "24 h", "7d": "7 days", "30d": "30 days", "90d": "90 days", days: "Dates…" },
    from: "From",
    to: "To",
    line: "Line",
    allLines: "all lines",
    device: "Device",
    allDevices: "all devices",
    points: "Points",
    sizes: { auto: "automatic", "1": "each product", "5": "means of 5", "10": "means of 10" },
    kinds: { shewhart: "Shewhart", ewma: "EWMA", spread: "Spread" },
    spreads: {
      "moving-range": "moving range (from one product to the next)",
      range: "range of the group",
      "standard-deviation": "standard deviation of the group",
    },
    center: "mean",
    upper: "UCL",
    lower: "LCL",
    loading: "Reading…",
    slow: "This is a long period: still reading…",
    away: (code) => `The measurements cannot be read (${code}). Trying again in a minute.`,
    nothing: "No product with this figure in the period.",
    tooFew: "Limits take two points at least.",
    provisional: "Provisional limits: fewer than 20 points.",
    singles: (count) => `${count} products, a point each`,
    cut: (count) => `the newest ${count} products of the period only`,
    groups: (size, slot) => `A point: the mean of ${size} successive products, at the beginning of every ${slot}`,
    fromWindow: "Limits computed from the period shown.",
    fromBaseline: (name, when, from, to) =>
      `Limits of the baseline period ${from} to ${to}, fixed by ${name} on ${when}.`,
    ewmaIs: (lambda, width) => `Exponentially weighted moving average, λ = ${lambda}, limits at ${width} σ`,
    within: "within the limits",
    beyond: "beyond the limits",
    run: "unusual run",
    rules: {
      "beyond-3-sigma": "Point beyond 3 σ",
      "two-of-three-beyond-2": "2 of 3 points beyond 2 σ, on one side",
      "four-of-five-beyond-1": "4 of 5 points beyond 1 σ, on one side",
      "eight-on-one-side": "8 points in a row on one side of the mean",
    },
    sides: { above: "above", below: "below" },
    ewmaBeyond: { above: "Moving average above its limit", below: "Moving average below its limit" },
    spreadBeyond: "Spread beyond its limits",
    sigmas: (z, side) => `${z} σ ${side} the mean`,
    signals: "Signals",
    noSignal: "No rule broken in the period.",
    since: (count, time) => `${count} points, since ${time}`,
    more: (count) => `and ${count} more, older`,
    capability: "Capability",
    unmet: {
      "no-tolerance": "No tolerance is set for this figure.",
      "too-few": "Too few measurements: it takes 25 points and 100 products.",
      "no-spread": "All values are the same.",
      "out-of-control": "The process is not stable over the period: more signals than chance gives.",
      "not-normal": "The values do not follow a roughly normal distribution.",
    },
    noIndex: "No Cp and no Cpk: they would mean nothing here.",
    interval: (low, high) => `between ${low} and ${high}, at 95%`,
    mean: "Mean",
    sigma: "Deviation σ",
    sigmaHelp: "short term, of a product",
    outside: "Outside the tolerance",
    skewness: "Skewness",
    excess: "Excess kurtosis",
    calls: "Signals",
    ofMost: (count, most) => `${count} (by chance: ${most} at most)`,
    tolerance: "Tolerance",
    least: "Minimum",
    most: "Maximum",
    toleranceBy: (name, when) => `set by ${name} on ${when}`,
    save: "Save",
    baseline: "Baseline period",
    baselineHelp:
      "Once the process is stable, its period can serve as the baseline: the limits no longer move with the period shown.",
    fix: "Fix the period shown",
    withdraw: "Withdraw the baseline",
    reason: "Reason",
    reasonHint: "e.g. calm week, devices calibrated",
    needsQuality: 'The role "quality" can fix the baseline and the tolerance.',
    drift: "Devices against each other",
    driftHelp: (percent) =>
      `On the same line, lot and stretch of time: the device's mean less that of the others, with its ${percent} interval for all devices together.`,
    driftTwo: "Of two devices alone it cannot be said which one is off.",
    verdicts: { agrees: "like the others", differs: "differs", unknown: "too few measurements in common" },
    perDay: (value) => `${value} per day`,
    cells: (count) => `stretches: ${count}`,
    products: (count) => `products: ${count}`,
    noDrift: "No product in the period.",
    saved: "Saved.",
    failed: {
      "too-few-points": "Nothing was saved: a baseline takes 20 points.",
      "bad-tolerance": "Nothing was saved: the minimum must lie below the maximum.",
      "not-allowed": 'Nothing was saved: it takes the role "quality".',
      "not-signed-in": 'Nothing was saved: please sign in first (role "quality" at least).',
      other: "Nothing was saved: the server could not.",
    },
  },
};
