/** Absorption of a pigment by wavelength in nm, relative: 1 is oxyhaemoglobin at its green bands. */
export type Pigment = (nm: number) => number;

/** Molar absorption of haemoglobin per 50 000 /(M cm). */
const HAEMOGLOBIN_UNIT = 50;

/**
 * Oxy- and deoxyhaemoglobin, 10³ /(M cm), every 10 nm from 400 to 740: rounded from the tables of W. B. Gratzer and
 * N. Kollias as compiled by S. Prahl (omlc.org/spectra/hemoglobin, 1998).
 */
const OXY = [
  266, 467, 480, 246, 103, 62.8, 44.5, 33.2, 26.6, 23.7, 20.9, 20, 24.2, 40, 53.2, 43, 32.6, 44.5, 50.1, 14.4, 3.2, 1.5,
  0.94, 0.61, 0.44, 0.37, 0.32, 0.29, 0.28, 0.28, 0.29, 0.31, 0.35, 0.39, 0.45,
];
const DEOXY = [
  223, 304, 408, 529, 413, 103, 23.4, 16.2, 14.6, 16.7, 20.9, 25.8, 31.6, 39, 46.6, 53.4, 53.8, 45.1, 37, 28.3, 14.7,
  9.4, 6.5, 5.1, 4.3, 3.8, 3.2, 2.8, 2.4, 2.1, 1.8, 1.5, 1.3, 1.1, 1.1,
];
/** Both, flat over 830…1000 nm. */
const NEAR_INFRARED = { oxy: 1.2, deoxy: 0.8 };

function tabulated(table: readonly number[], nearInfrared: number): Pigment {
  return (nm) => (nm > 780 ? nearInfrared : (table[(nm - 400) / 10] ?? 0)) / HAEMOGLOBIN_UNIT;
}

const bell = (nm: number, centreNm: number, fwhmNm: number) =>
  Math.exp(-4 * Math.LN2 * ((nm - centreNm) / fwhmNm) ** 2);

const oxy = tabulated(OXY, NEAR_INFRARED.oxy);
const deoxy = tabulated(DEOXY, NEAR_INFRARED.deoxy);

/** Haemoglobin with its iron ferrous: what fresh blood is. @param deoxyShare 0…1 */
export function ferrousHaemoglobin(deoxyShare: number): Pigment {
  return (nm) => (1 - deoxyShare) * oxy(nm) + deoxyShare * deoxy(nm);
}

/** Methaemoglobin (brown, old blood): Soret band at 405 nm, charge-transfer bands at 500 and 630 nm. */
export const methaemoglobin: Pigment = (nm) =>
  6.6 * bell(nm, 405, 36) + 0.4 * bell(nm, 540, 90) + 0.75 * bell(nm, 500, 50) + 0.4 * bell(nm, 631, 38);

/** Bile: bilirubin (blue) and biliverdin (violet and red), 1 at bilirubin's peak. @param biliverdin peak share */
export function bilePigment(biliverdin: number): Pigment {
  return (nm) => bell(nm, 450, 68) + biliverdin * (bell(nm, 376, 70) + 0.4 * bell(nm, 668, 95));
}

/** Lutein and zeaxanthin of maize dissolved in fat, 1 at the main peak. */
export const carotenoid: Pigment = (nm) => 0.7 * bell(nm, 425, 26) + bell(nm, 450, 26) + 0.85 * bell(nm, 479, 24);
