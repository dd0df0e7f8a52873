import { percentile } from "../sample/statistics.ts";
import type { SqalShapeParameters } from "./parameters.ts";

export interface Occupancy {
  candidates: boolean[];
  occupied: boolean[];
  /** Zones that passed all thresholds, before the fallback. */
  qualifiedZones: number;
  usedFallback: boolean;
  heightThresholdMm: number;
  reflectanceThreshold: number;
  signalThreshold: number;
  /** 95th percentile of all heights; null where the rule has none. */
  heightP95Mm: number | null;
  /** 90th percentile of the heights above 0; null where the rule has none. */
  heightP90Mm: number | null;
  /** Heights above this are cut before volumes; null where the rule does not cut. */
  capMm: number | null;
}

/** Which zones see product (SQAL, both generations): high enough, reflective enough, and with enough signal. */
export function occupancyOf(
  heightMm: ArrayLike<number>,
  reflectancePercent: readonly number[],
  signal: readonly number[],
  parameters: SqalShapeParameters["occupancy"],
): Occupancy {
  return parameters.rule === "adaptive"
    ? adaptive(heightMm, reflectancePercent, signal, parameters)
    : allZones(heightMm, reflectancePercent, signal, parameters);
}

function adaptive(
  heightMm: ArrayLike<number>,
  reflectancePercent: readonly number[],
  signal: readonly number[],
  parameters: SqalShapeParameters["occupancy"],
): Occupancy {
  const heightP95Mm = percentile(heightMm, 95) ?? 0;
  const referenceMm = heightP95Mm > 0 ? heightP95Mm : maxOf(heightMm);
  const heightThresholdMm = Math.max(parameters.heightShare * referenceMm, parameters.minHeightMm);
  const candidates = zonesAbove(heightMm, heightThresholdMm);
  const candidateZones = countTrue(candidates);
  const percent = candidateZones >= parameters.manyZones ? parameters.manyPercentile : parameters.fewPercentile;
  const threshold = (values: readonly number[], minimum: number) => {
    const ofCandidates =
      percentile(
        values.filter((_, zone) => candidates[zone]),
        percent,
      ) ?? 0;
    return Math.max(parameters.percentileShare * ofCandidates, minimum);
  };
  const reflectanceThreshold = threshold(reflectancePercent, parameters.minReflectancePercent);
  const signalThreshold = threshold(signal, parameters.minSignal);
  const qualified = candidates.map(
    (candidate, zone) =>
      candidate && above(reflectancePercent[zone], reflectanceThreshold) && above(signal[zone], signalThreshold),
  );
  const qualifiedZones = countTrue(qualified);
  const usedFallback = qualifiedZones < parameters.minZones;
  return {
    candidates,
    occupied: usedFallback ? candidates : qualified,
    qualifiedZones,
    usedFallback,
    heightThresholdMm,
    reflectanceThreshold,
    signalThreshold,
    heightP95Mm,
    heightP90Mm:
      percentile(
        new Float64Array(heightMm).filter((height) => height > 0),
        90,
      ) ?? 0,
    capMm: parameters.capShare * referenceMm,
  };
}

function allZones(
  heightMm: ArrayLike<number>,
  reflectancePercent: readonly number[],
  signal: readonly number[],
  parameters: SqalShapeParameters["occupancy"],
): Occupancy {
  const heightThresholdMm = Math.max(parameters.heightShare * maxOf(heightMm), parameters.minHeightMm);
  const threshold = (values: readonly number[]) =>
    Math.max(percentile(values, parameters.allZonesPercentile) ?? 0, parameters.allZonesMinimum);
  const reflectanceThreshold = threshold(reflectancePercent);
  const signalThreshold = threshold(signal);
  const candidates = zonesAbove(heightMm, heightThresholdMm);
  const occupied = candidates.map(
    (candidate, zone) =>
      candidate && above(reflectancePercent[zone], reflectanceThreshold) && above(signal[zone], signalThreshold),
  );
  return {
    candidates,
    occupied,
    qualifiedZones: countTrue(occupied),
    usedFallback: false,
    heightThresholdMm,
    reflectanceThreshold,
    signalThreshold,
    heightP95Mm: null,
    heightP90Mm: null,
    capMm: null,
  };
}

function zonesAbove(heightMm: ArrayLike<number>, thresholdMm: number): boolean[] {
  const zones: boolean[] = [];
  for (let zone = 0; zone < heightMm.length; zone += 1) zones.push(above(heightMm[zone], thresholdMm));
  return zones;
}

function above(value: number | undefined, threshold: number): boolean {
  return value !== undefined && value > threshold;
}

export function countTrue(flags: readonly boolean[]): number {
  return flags.reduce((count, flag) => count + (flag ? 1 : 0), 0);
}

function maxOf(values: ArrayLike<number>): number {
  let max = 0;
  for (let index = 0; index < values.length; index += 1) max = Math.max(max, values[index] ?? 0);
  return max;
}
