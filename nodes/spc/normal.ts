import { deviationOf, meanOf } from "./shewhart.ts";

/** How far values are from a normal distribution, by their third and fourth moments. */
export interface Shape {
  skewness: number;
  /** Kurtosis less that of the normal distribution. */
  excess: number;
  isRoughlyNormal: boolean;
}

/** |skewness| up to a half counts as about symmetric (Bulmer, "Principles of Statistics"), tails accordingly. */
const MOST_SKEWNESS = 0.5;
const MOST_EXCESS = 1;

/**
 * Skewness G1 and excess kurtosis G2, unbiased under normality, with their standard errors (Joanes and Gill, The
 * Statistician 47, 1998). Few values are given what chance does to them: two standard errors.
 * @returns undefined for fewer than eight values, or without any spread
 */
export function shapeOf(values: readonly number[]): Shape | undefined {
  const n = values.length;
  if (n < 8) return undefined;
  const center = meanOf(values);
  const deviation = deviationOf(values) * Math.sqrt((n - 1) / n);
  if (!(deviation > 0)) return undefined;
  const moment = (power: number) => meanOf(values.map((value) => ((value - center) / deviation) ** power));
  const skewness = (moment(3) * Math.sqrt(n * (n - 1))) / (n - 2);
  const excess = ((n - 1) / ((n - 2) * (n - 3))) * ((n + 1) * (moment(4) - 3) + 6);
  const skewnessError = Math.sqrt((6 * n * (n - 1)) / ((n - 2) * (n + 1) * (n + 3)));
  const excessError = 2 * skewnessError * Math.sqrt((n * n - 1) / ((n - 3) * (n + 5)));
  return {
    skewness,
    excess,
    isRoughlyNormal:
      Math.abs(skewness) <= Math.max(MOST_SKEWNESS, 2 * skewnessError) &&
      Math.abs(excess) <= Math.max(MOST_EXCESS, 2 * excessError),
  };
}
