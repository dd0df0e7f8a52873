import { meanOf } from "./shewhart.ts";
import { studentQuantile } from "./student.ts";

/** What one device saw of one cell: the same line and lot within one stretch of time. */
export interface DeviceCell {
  /** Names the stretch, line and lot. */
  cell: string;
  /** Start of the stretch, ms since 1970. */
  atMs: number;
  device: string;
  products: number;
  mean: number;
}

export interface DeviceDrift {
  device: string;
  products: number;
  /** Cells in which other devices saw enough of the same. */
  cells: number;
  /** Mean of this device less that of the others in the same cells, with its interval. */
  difference?: Interval;
  /** Change of the difference per day. */
  slopePerDay?: Interval;
  verdict: "agrees" | "differs" | "unknown";
}

export interface Interval {
  value: number;
  low: number;
  high: number;
}

export interface DriftOptions {
  /** Probability with which the intervals of all devices together hold. */
  confidence: number;
  /** Least products of the device, and of the others, in a cell. */
  leastProducts: number;
  /** Least cells behind an interval. */
  leastCells: number;
}
export const DRIFT_DEFAULTS: DriftOptions = { confidence: 0.95, leastProducts: 3, leastCells: 8 };
const DAY_MS = 86_400_000;

/**
 * Holds each device against the others over the same products: in each cell, its mean less the mean of what the others
 * saw. Differences between lots, breeders and hours fall out; what remains is the device (or what it is given to see).
 * The interval of the mean difference is Student's over the cells, taken as independent; of d devices, each is computed
 * at 1 − (1 − confidence) / d (Bonferroni). Of two devices it cannot be said which one is off.
 */
export function deviceDrift(cells: readonly DeviceCell[], options: DriftOptions = DRIFT_DEFAULTS): DeviceDrift[] {
  const byCell = Map.groupBy(cells, ({ cell }) => cell);
  const devices = [...Map.groupBy(cells, ({ device }) => device)].sort(([a], [b]) => (a < b ? -1 : 1));
  const probability = 1 - (1 - options.confidence) / Math.max(1, devices.length) / 2;
  return devices.map(([device, own]) => {
    const pairs = own.flatMap(({ cell, atMs, products, mean }) => {
      const others = (byCell.get(cell) ?? []).filter((one) => one.device !== device);
      const seen = others.reduce((sum, one) => sum + one.products, 0);
      if (products < options.leastProducts || seen < options.leastProducts) return [];
      const theirs = others.reduce((sum, one) => sum + one.products * one.mean, 0) / seen;
      return [{ day: atMs / DAY_MS, difference: mean - theirs }];
    });
    const known = {
      device,
      products: own.reduce((sum, one) => sum + one.products, 0),
      cells: pairs.length,
    };
    if (pairs.length < options.leastCells) return { ...known, verdict: "unknown" };
    const difference = meanInterval(
      pairs.map((pair) => pair.difference),
      probability,
    );
    const slopePerDay = slopeInterval(pairs, probability);
    const isOff = difference.low > 0 || difference.high < 0;
    return { ...known, difference, ...(slopePerDay && { slopePerDay }), verdict: isOff ? "differs" : "agrees" };
  });
}

function meanInterval(values: readonly number[], probability: number): Interval {
  const value = meanOf(values);
  const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const error = Math.sqrt(squares / (values.length - 1) / values.length);
  const reach = studentQuantile(probability, values.length - 1) * error;
  return { value, low: value - reach, high: value + reach };
}

/** Ordinary least squares of the differences on the day. @returns undefined when all are of one day */
function slopeInterval(
  pairs: readonly { day: number; difference: number }[],
  probability: number,
): Interval | undefined {
  const day = meanOf(pairs.map((pair) => pair.day));
  const difference = meanOf(pairs.map((pair) => pair.difference));
  const xx = pairs.reduce((sum, pair) => sum + (pair.day - day) ** 2, 0);
  if (!(xx > 0) || pairs.length < 3) return undefined;
  const xy = pairs.reduce((sum, pair) => sum + (pair.day - day) * (pair.difference - difference), 0);
  const value = xy / xx;
  const rest = pairs.reduce((sum, pair) => sum + (pair.difference - difference - value * (pair.day - day)) ** 2, 0);
  const reach = studentQuantile(probability, pairs.length - 2) * Math.sqrt(rest / (pairs.length - 2) / xx);
  return { value, low: value - reach, high: value + reach };
}
