import { c4, d2, d3 } from "./constants.ts";

/** How the spread of single products is estimated. */
export type SpreadKind = "moving-range" | "range" | "standard-deviation";

/** Where a process lies, in the unit of its figure. */
export interface Process {
  center: number;
  /** Standard deviation of single products within a short time, not of the points on the chart. */
  sigma: number;
}

export interface Limits {
  center: number;
  lower: number;
  upper: number;
}

/** Ranges say enough of up to so many values; of more, standard deviations waste less (Montgomery, section 6.3). */
const RANGES_UP_TO = 10;

/** What is charted for the spread: moving ranges of single values, ranges or standard deviations of subgroups. */
export function spreadKindOf(size: number): SpreadKind {
  return size === 1 ? "moving-range" : size <= RANGES_UP_TO ? "range" : "standard-deviation";
}

/** Mean of numbers; NaN for none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (dividing by n − 1). */
export function deviationOf(values: readonly number[]): number {
  const center = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** The point of each subgroup: its mean. */
export const pointsOf = (subgroups: readonly (readonly number[])[]): number[] => subgroups.map(meanOf);

/**
 * The spread of each subgroup; of single values the moving range, which the first one lacks.
 * @param subgroups equally many values each, in the order of time
 */
export function spreadsOf(subgroups: readonly (readonly number[])[]): (number | undefined)[] {
  const kind = spreadKindOf(subgroups[0]?.length ?? 1);
  return subgroups.map((values, index) => {
    if (kind === "range") return Math.max(...values) - Math.min(...values);
    if (kind === "standard-deviation") return deviationOf(values);
    const before = subgroups[index - 1]?.[0];
    return before === undefined ? undefined : Math.abs((values[0] ?? 0) - before);
  });
}

/**
 * Estimates the process from subgroups of one size: the mean of means, and the mean spread over d2 (ranges; moving ranges
 * of two) or c4 (standard deviations). Montgomery, sections 6.2 to 6.4.
 * @returns undefined for fewer than two subgroups
 */
export function processOf(subgroups: readonly (readonly number[])[]): Process | undefined {
  if (subgroups.length < 2) return undefined;
  const size = subgroups[0]?.length ?? 1;
  const spread = meanOf(spreadsOf(subgroups).filter((one) => one !== undefined));
  return { center: meanOf(pointsOf(subgroups)), sigma: spread / spreadFactor(size) };
}

/** Mean spread of `size` values over sigma. */
function spreadFactor(size: number): number {
  const kind = spreadKindOf(size);
  return kind === "moving-range" ? d2(2) : kind === "range" ? d2(size) : c4(size);
}

/** Standard deviation of the points: of means of `size` values. */
export const pointSigmaOf = ({ sigma }: Process, size: number): number => sigma / Math.sqrt(size);

/** Limits at three sigmas of the points: for means of n = 5 the same as X̿ ± A2·R̄. */
export function limitsOf(process: Process, size: number): Limits {
  const reach = 3 * pointSigmaOf(process, size);
  return { center: process.center, lower: process.center - reach, upper: process.center + reach };
}

/** Limits of the chart of spreads: D3·R̄ and D4·R̄, or B3·s̄ and B4·s̄, written with the process's sigma. */
export function spreadLimitsOf({ sigma }: Process, size: number): Limits {
  const kind = spreadKindOf(size);
  const center = sigma * spreadFactor(size);
  const deviation =
    kind === "standard-deviation" ? Math.sqrt(1 - c4(size) ** 2) : d3(kind === "moving-range" ? 2 : size);
  return { center, lower: Math.max(0, center - 3 * sigma * deviation), upper: center + 3 * sigma * deviation };
}

/** Distance of each point from the center in sigmas of the points; without any spread, off the center is infinitely far. */
export function zScores(points: readonly number[], process: Process, size: number): number[] {
  const sigma = pointSigmaOf(process, size);
  return points.map((point) => {
    const distance = point - process.center;
    return distance === 0 ? 0 : distance / sigma;
  });
}
