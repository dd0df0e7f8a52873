import { type Shape, shapeOf } from "./normal.ts";
import { type Process, pointsOf, processOf, spreadLimitsOf, spreadsOf, zScores } from "./shewhart.ts";
import { callsOf, mostByChance, RUN_LENGTH } from "./western-electric.ts";

/** What a product may be; one side may be open. */
export interface Tolerance {
  lower?: number | undefined;
  upper?: number | undefined;
}

/** Why no index is given. */
export type Unmet = "no-tolerance" | "too-few" | "no-spread" | "out-of-control" | "not-normal";

export interface Capability {
  /** Conditions that do not hold; with any, the indices are undefined. */
  unmet: Unmet[];
  /** (upper − lower) / 6σ; takes both limits. */
  cp?: number;
  /** min(upper − mean, mean − lower) / 3σ. */
  cpk?: number;
  /** 95 % interval of Cpk (Bissell, Applied Statistics 39, 1990). */
  cpkInterval?: [low: number, high: number];
  process?: Process;
  shape?: Shape;
  products: number;
  subgroups: number;
  /** Products outside the tolerance, as counted. */
  outside?: number;
  /** Calls of the Western Electric rules against the period's own limits (each begins anew), and how many chance explains. */
  signals: number;
  signalsByChance: number;
}

/** Least subgroups and products behind an index (Montgomery, section 8.3; AIAG "Statistical Process Control"). */
export const LEAST_SUBGROUPS = 25;
export const LEAST_PRODUCTS = 100;
/** Share of spreads beyond their limits in a stable process: 0.5 % of ranges of five, 0.9 % of moving ranges. */
const SPREADS_BEYOND = 0.01;

/**
 * Cp and Cpk, with the spread of single products within a short time. They say something only of a stable process with
 * about normal values: where a condition does not hold, it is named and no number given.
 * Stable means here: no more calls than chance gives in 99 of 100 stable processes, of the points by the four
 * rules and of the spreads beyond their limits.
 * @param subgroups equally many values each, in the order of time
 */
export function capabilityOf(subgroups: readonly (readonly number[])[], tolerance: Tolerance): Capability {
  const size = subgroups[0]?.length ?? 1;
  const values = subgroups.flat();
  const process = processOf(subgroups);
  const shape = shapeOf(values);
  const { lower, upper } = tolerance;
  const hasTolerance = lower !== undefined || upper !== undefined;
  const signals = process ? callsOf(zScores(pointsOf(subgroups), process, size)) : 0;
  const signalsByChance = mostByChance(subgroups.length / RUN_LENGTH);
  const unmet: Unmet[] = [];
  if (!hasTolerance) unmet.push("no-tolerance");
  if (subgroups.length < LEAST_SUBGROUPS || values.length < LEAST_PRODUCTS) unmet.push("too-few");
  if (process && !(process.sigma > 0)) unmet.push("no-spread");
  if (process && (signals > signalsByChance || !isSpreadStable(subgroups, process, size))) unmet.push("out-of-control");
  if (shape && !shape.isRoughlyNormal) unmet.push("not-normal");
  const counted: Capability = {
    unmet,
    products: values.length,
    subgroups: subgroups.length,
    signals,
    signalsByChance,
    ...(process && { process }),
    ...(shape && { shape }),
    ...(hasTolerance && {
      outside: values.filter((value) => value < (lower ?? Number.NEGATIVE_INFINITY) || value > (upper ?? Infinity))
        .length,
    }),
  };
  return process && unmet.length === 0 ? { ...counted, ...indicesOf(process, tolerance, values.length) } : counted;
}

/** The indices of a process, whatever its conditions. */
export function indicesOf(
  { center, sigma }: Process,
  { lower, upper }: Tolerance,
  products: number,
): Pick<Capability, "cp" | "cpk" | "cpkInterval"> {
  const sides = [
    ...(upper === undefined ? [] : [(upper - center) / (3 * sigma)]),
    ...(lower === undefined ? [] : [(center - lower) / (3 * sigma)]),
  ];
  const cpk = Math.min(...sides);
  const reach = 1.96 * Math.sqrt(1 / (9 * products) + cpk ** 2 / (2 * products - 2));
  return {
    ...(lower !== undefined && upper !== undefined && { cp: (upper - lower) / (6 * sigma) }),
    cpk,
    cpkInterval: [cpk - reach, cpk + reach],
  };
}

function isSpreadStable(subgroups: readonly (readonly number[])[], process: Process, size: number): boolean {
  const { lower, upper } = spreadLimitsOf(process, size);
  const beyond = spreadsOf(subgroups).filter((spread) => spread !== undefined && (spread > upper || spread < lower));
  return beyond.length <= mostByChance(SPREADS_BEYOND * subgroups.length);
}
