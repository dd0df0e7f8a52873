import type { QualityState } from "./quality.ts";

/**
 * Diffuse reflectance of raw liver by Kubelka and Munk: R = 1 + K/S − √((K/S)² + 2K/S). Fat droplets scatter (S); blood,
 * bile, maize carotenoids and browning absorb (K). Band positions are the pigments' own; strengths are relative.
 */
interface Band {
  nm: number;
  sigmaNm: number;
  strength: number;
}
const OXY: readonly Band[] = [
  { nm: 415, sigmaNm: 13, strength: 9 },
  { nm: 542, sigmaNm: 11, strength: 1.1 },
  { nm: 577, sigmaNm: 9, strength: 1.15 },
  { nm: 920, sigmaNm: 90, strength: 0.1 },
];
const MET: readonly Band[] = [
  { nm: 405, sigmaNm: 16, strength: 9 },
  { nm: 500, sigmaNm: 25, strength: 0.9 },
  { nm: 631, sigmaNm: 16, strength: 0.55 },
];
const BILIRUBIN: readonly Band[] = [{ nm: 452, sigmaNm: 26, strength: 4 }];
const BILIVERDIN: readonly Band[] = [
  { nm: 380, sigmaNm: 25, strength: 3 },
  { nm: 665, sigmaNm: 38, strength: 1.2 },
];
const CAROTENOID: readonly Band[] = [
  { nm: 447, sigmaNm: 15, strength: 1 },
  { nm: 476, sigmaNm: 13, strength: 0.85 },
];
const WATER: readonly Band[] = [{ nm: 970, sigmaNm: 28, strength: 0.5 }];
const LIPID: readonly Band[] = [{ nm: 930, sigmaNm: 14, strength: 0.25 }];

function absorb(bands: readonly Band[], nm: number): number {
  let sum = 0;
  for (const band of bands) sum += band.strength * Math.exp(-((nm - band.nm) ** 2) / (2 * band.sigmaNm ** 2));
  return sum;
}

/** Stains covering part of what is looked at, 0…1 each. */
export interface Stains {
  hematoma: number;
  bile: number;
}

export type Tissue = Pick<QualityState, "freshness" | "fat" | "oxidation" | "blood" | "bile" | "carotenoid">;

/** Reflectance 0…1 of tissue at a wavelength. */
export function reflectance(tissue: Tissue, stains: Stains, nm: number): number {
  const scattering = (0.55 + 0.55 * tissue.fat) * (nm / 550) ** -0.9;
  // Pigment turns brown as the liver ages, faster once its fat oxidises.
  const met = Math.min(0.9, 0.05 + 0.55 * (1 - tissue.freshness) + 0.25 * tissue.oxidation);
  const blood = 0.12 * tissue.blood + 0.8 * stains.hematoma;
  const bile = 0.25 * tissue.bile + 0.35 * stains.bile;
  // Lipid oxidation products and pigment browning: a broad loss that grows toward the blue.
  const browning = (0.02 + 1.45 * tissue.oxidation + 0.75 * (1 - tissue.freshness)) * (nm / 450) ** -4;
  const absorption =
    0.03 +
    blood * ((1 - met) * absorb(OXY, nm) + met * absorb(MET, nm)) +
    bile * (absorb(BILIRUBIN, nm) + absorb(BILIVERDIN, nm)) +
    0.06 * tissue.carotenoid * absorb(CAROTENOID, nm) +
    browning +
    0.04 * (1 - 0.6 * tissue.fat) * absorb(WATER, nm) +
    0.03 * tissue.fat * absorb(LIPID, nm);
  const ratio = absorption / scattering;
  return 1 + ratio - Math.sqrt(ratio * ratio + 2 * ratio);
}

/** A sound liver of the better sort: what the lamp of a line is adjusted on. */
export const REFERENCE_TISSUE: Tissue = {
  freshness: 0.9,
  fat: 0.88,
  oxidation: 0.1,
  blood: 0.15,
  bile: 0.025,
  carotenoid: 0.45,
};
