import { CodedError } from "../host/errors.ts";
import type { SpectralCalibration } from "../sample/calibration.ts";
import { CHANNEL_NM } from "../sample/units.ts";
import { applyMatrix, deltaE76, labOfXyz, type Triple, WHITE_D65 } from "./colour.ts";
import { solveSymmetric } from "./linear.ts";

/** The filters a colour is made of, in the order of a matrix's columns. */
export const COLOR_CHANNELS = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8"] as const;
const COUNT = COLOR_CHANNELS.length;

/** Ridge as a share of the mean square of the patches' reflectances. */
const RIDGE = 1e-3;

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

export interface ChartReading {
  /** Reflectances F1…F8, 0…1. */
  reflectance: readonly number[];
  /** The patch's true XYZ, D65, 2°, Y = 1 for the perfect diffuser. */
  xyz: Triple;
}

type Fitted = Omit<NonNullable<SpectralCalibration["colorMatrix"]>, "chart">;

/**
 * Fits XYZ = matrix · reflectances from a chart by ridge least squares, K = T Sᵀ (S Sᵀ + λ I)⁻¹ (AN000633, ridge after
 * Hoerl and Kennard), held to give white for a perfect white, so that greys are neutral. `meanDeltaE` is CIE 1976 over the patches.
 * @param ridge λ per patch over the reflectances' mean square
 * @throws CodedError `as7341-bad-chart` with fewer patches than channels, or values that are no reflectances
 */
export function fitColorMatrix(patches: readonly ChartReading[], ridge = RIDGE): Fitted {
  const isWhole = ({ reflectance, xyz }: ChartReading) =>
    reflectance.length === COUNT && [...reflectance, ...xyz].every(Number.isFinite);
  if (patches.length < COUNT || !patches.every(isWhole) || !(ridge >= 0)) {
    throw new CodedError("as7341-bad-chart", `a chart needs at least ${COUNT} patches with ${COUNT} reflectances each`);
  }
  const square = patches.reduce((sum, { reflectance }) => sum + reflectance.reduce((s, r) => s + r * r, 0), 0);
  const lambda = (ridge * square) / COUNT;
  const sum = (of: (patch: ChartReading) => number) => patches.reduce((total, patch) => total + of(patch), 0);
  const normal = COLOR_CHANNELS.map((_, i) =>
    COLOR_CHANNELS.map(
      (__, j) =>
        sum(({ reflectance }) => (reflectance[i] ?? 0) * (reflectance[j] ?? 0)) +
        (i === j ? Math.max(lambda, 1e-9) : 0),
    ),
  );
  const toWhite = solveSymmetric(normal, new Array<number>(COUNT).fill(1));
  const row = (axis: 0 | 1 | 2): number[] => {
    // The ridge pulls toward the interpolating matrix rather than toward nothing.
    const prior = INTERPOLATING_MATRIX[axis];
    const right = COLOR_CHANNELS.map(
      (_, i) => sum(({ reflectance, xyz }) => (reflectance[i] ?? 0) * xyz[axis]) + lambda * (prior[i] ?? 0),
    );
    const solved = solveSymmetric(normal, right);
    if (!solved || !toWhite) throw new CodedError("as7341-bad-chart", "the patches do not determine a matrix");
    // The least change, in the fit's own metric, that takes the perfect white to white.
    const lack = (WHITE_D65[axis] - total(solved)) / total(toWhite);
    return solved.map((value, index) => value + lack * (toWhite[index] ?? 0));
  };
  const rows: Fitted["rows"] = [row(0), row(1), row(2)];
  const differences = patches.map(({ reflectance, xyz }) =>
    deltaE76(labOfXyz(applyMatrix(rows, reflectance)), labOfXyz(xyz)),
  );
  return { rows, ridge, meanDeltaE: differences.reduce((total, value) => total + value, 0) / patches.length };
}

/** Relative power of D65 every 20 nm from 380 to 780 nm (CIE 15, table of illuminants). */
const D65 = [
  49.98, 82.75, 93.43, 104.86, 117.81, 115.92, 109.35, 104.79, 104.41, 100, 95.79, 90.01, 87.7, 83.7, 80.21, 78.28,
  71.61, 61.6, 75.09, 46.42, 63.38,
];

const slope = (nm: number, centre: number, below: number, above: number) =>
  Math.exp(-0.5 * ((nm - centre) * (nm < centre ? below : above)) ** 2);

/** CIE 1931 2° observer in closed form (Wyman, Sloan, Shirley: JCGT 2(2), 2013). */
const OBSERVER: readonly ((nm: number) => number)[] = [
  (nm) =>
    0.362 * slope(nm, 442, 0.0624, 0.0374) +
    1.056 * slope(nm, 599.8, 0.0264, 0.0323) -
    0.065 * slope(nm, 501.1, 0.049, 0.0382),
  (nm) => 0.821 * slope(nm, 568.8, 0.0213, 0.0247) + 0.286 * slope(nm, 530.9, 0.0613, 0.0322),
  (nm) => 1.217 * slope(nm, 437, 0.0845, 0.0278) + 0.681 * slope(nm, 459, 0.0385, 0.0725),
];

/**
 * Matrix for devices without a chart: the reflectance is taken as straight between the filters' centres and the light as
 * D65. Exactly neutral for greys, some ΔE off for colours with steep spectra.
 */
export const INTERPOLATING_MATRIX: readonly [number[], number[], number[]] = [
  interpolatingRow(0),
  interpolatingRow(1),
  interpolatingRow(2),
];

function interpolatingRow(axis: 0 | 1 | 2): number[] {
  const row = new Array<number>(COUNT).fill(0);
  const centres = COLOR_CHANNELS.map((channel) => CHANNEL_NM[channel]);
  for (let nm = 380; nm <= 780; nm += 5) {
    const weight = powerAt(nm) * (OBSERVER[axis]?.(nm) ?? 0);
    const above = centres.findIndex((centre) => centre >= nm);
    const high = above < 0 ? COUNT - 1 : above;
    const low = above <= 0 ? high : above - 1;
    const [from, to] = [centres[low] ?? 0, centres[high] ?? 0];
    const share = high === low ? 1 : (nm - from) / (to - from);
    row[high] = (row[high] ?? 0) + weight * share;
    row[low] = (row[low] ?? 0) + weight * (1 - share);
  }
  const total = row.reduce((sum, value) => sum + value, 0);
  return row.map((value) => (value / total) * WHITE_D65[axis]);
}

function powerAt(nm: number): number {
  const position = (nm - 380) / 20;
  const below = Math.min(Math.floor(position), D65.length - 1);
  const low = D65[below] ?? 0;
  return low + ((D65[below + 1] ?? low) - low) * (position - below);
}
