import { WAVELENGTHS } from "./as7341.ts";

/** CIE XYZ (Y = 1 for the perfect diffuser) and CIELAB under D65, 2° observer. */
export interface ColorTruth {
  xyz: [number, number, number];
  lab: [number, number, number];
}

/** CIE standard illuminant D65, 380…780 nm in steps of 10 (CIE 15). */
const D65 = [
  49.98, 54.65, 82.75, 91.49, 93.43, 86.68, 104.86, 117.01, 117.81, 114.86, 115.92, 108.81, 109.35, 107.8, 104.79,
  107.69, 104.41, 104.05, 100, 96.33, 95.79, 88.69, 90.01, 89.6, 87.7, 83.29, 83.7, 80.03, 80.21, 82.28, 78.28, 69.72,
  71.61, 74.35, 61.6, 69.89, 75.09, 63.59, 46.42, 66.81, 63.38,
];

function illuminant(nm: number): number {
  const at = (nm - 380) / 10;
  const low = Math.floor(at);
  const a = D65[low];
  if (a === undefined) return 0;
  return a + ((D65[low + 1] ?? a) - a) * (at - low);
}

const lobe = (nm: number, height: number, centre: number, left: number, right: number): number =>
  height * Math.exp(-0.5 * ((nm - centre) / (nm < centre ? left : right)) ** 2);

/** CIE 1931 colour matching functions as sums of lobes (Wyman, Sloan, Shirley 2013, jcgt.org/published/0002/02/01). */
const OBSERVER: ReadonlyArray<(nm: number) => number> = [
  (nm) => lobe(nm, 1.056, 599.8, 37.9, 31) + lobe(nm, 0.362, 442, 16, 26.7) + lobe(nm, -0.065, 501.1, 20.4, 26.2),
  (nm) => lobe(nm, 0.821, 568.8, 46.9, 40.5) + lobe(nm, 0.286, 530.9, 16.3, 31.1),
  (nm) => lobe(nm, 1.217, 437, 11.8, 36) + lobe(nm, 0.681, 459, 26, 13.8),
];
const WEIGHTS = OBSERVER.map((match) => Float64Array.from(WAVELENGTHS, (nm) => match(nm) * illuminant(nm)));
const sumOf = (weights: Float64Array, spectrum?: ArrayLike<number>): number =>
  weights.reduce((total, weight, i) => total + weight * (spectrum ? (spectrum[i] ?? 0) : 1), 0);
const WHITE = WEIGHTS.map((weights) => sumOf(weights));
const SCALE = 1 / (WHITE[1] ?? 1);

/** Colour of a surface from its reflectance at `WAVELENGTHS`. White point by the same sums, so a flat spectrum is exactly neutral. */
export function colorOf(spectrum: ArrayLike<number>): ColorTruth {
  const f = (t: number): number => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
  const sums = WEIGHTS.map((weights) => sumOf(weights, spectrum));
  const [x = 0, y = 0, z = 0] = sums.map((sum) => sum * SCALE);
  const [fx = 0, fy = 0, fz = 0] = sums.map((sum, i) => f(sum / (WHITE[i] ?? 1)));
  return { xyz: [x, y, z], lab: [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)] };
}
