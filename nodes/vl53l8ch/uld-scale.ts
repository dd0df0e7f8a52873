import type { PhysicalOutputs, RawOutputs } from "./uld-frame.ts";

/** Divisors from the registers' integers to physical values (ST's public parsers). */
export const RATE_DIVISOR = 2048;
export const SIGMA_DIVISOR = 128;
export const DISTANCE_DIVISOR = 4;
export const REFLECTANCE_DIVISOR = 2;
export const MOTION_DIVISOR = 65535;
/** Status of a zone in which no target was found. */
export const NO_TARGET = 255;

interface Driver {
  isOldDriver: boolean;
  targetsPerZone: number;
}

/** Physical values with their fractions: rates in kcps/SPAD, lengths in mm, reflectance in percent. */
export function physicalOf(raw: RawOutputs, driver: Driver): PhysicalOutputs {
  const reflectanceDivisor = driver.isOldDriver ? 1 : REFLECTANCE_DIVISOR;
  return {
    ...(raw.ambientPerSpad && { ambientKcpsPerSpad: over(raw.ambientPerSpad, RATE_DIVISOR) }),
    ...(raw.spadsEnabled && { spadsEnabled: raw.spadsEnabled }),
    ...(raw.targetCount && { targetCount: raw.targetCount }),
    ...(raw.signalPerSpad && { signalKcpsPerSpad: over(raw.signalPerSpad, RATE_DIVISOR) }),
    ...(raw.rangeSigma && { rangeSigmaMm: over(raw.rangeSigma, SIGMA_DIVISOR) }),
    ...(raw.distance && { distanceMm: over(raw.distance, DISTANCE_DIVISOR) }),
    ...(raw.reflectance && { reflectancePercent: over(raw.reflectance, reflectanceDivisor) }),
    ...(raw.targetStatus && { targetStatus: statusOf(raw.targetStatus, raw.targetCount, driver.targetsPerZone) }),
    ...(raw.motion && { motion: { ...raw.motion, motion: over(raw.motion.motion, MOTION_DIVISOR) } }),
  };
}

/**
 * The integers ST's driver would have returned, for comparison with it: divisions truncated toward zero.
 * @param clampNegative negative distances become 0, as in the drivers of VL53L5CX and VL53LMZ (VL53L8CX keeps them)
 */
export function stConverted(raw: RawOutputs, driver: Driver & { clampNegative: boolean }): RawOutputs {
  const reflectanceDivisor = driver.isOldDriver ? 1 : REFLECTANCE_DIVISOR;
  return {
    ...(raw.ambientPerSpad && { ambientPerSpad: truncated(raw.ambientPerSpad, RATE_DIVISOR) }),
    ...(raw.spadsEnabled && { spadsEnabled: raw.spadsEnabled }),
    ...(raw.targetCount && { targetCount: raw.targetCount }),
    ...(raw.signalPerSpad && { signalPerSpad: truncated(raw.signalPerSpad, RATE_DIVISOR) }),
    ...(raw.rangeSigma && { rangeSigma: truncated(raw.rangeSigma, SIGMA_DIVISOR) }),
    ...(raw.distance && {
      distance: truncated(raw.distance, DISTANCE_DIVISOR).map((mm) => (driver.clampNegative ? Math.max(0, mm) : mm)),
    }),
    ...(raw.reflectance && { reflectance: truncated(raw.reflectance, reflectanceDivisor) }),
    ...(raw.targetStatus && { targetStatus: statusOf(raw.targetStatus, raw.targetCount, driver.targetsPerZone) }),
    ...(raw.motion && { motion: { ...raw.motion, motion: truncated(raw.motion.motion, MOTION_DIVISOR) } }),
  };
}

function over(values: readonly number[], divisor: number): number[] {
  const quotients = new Array<number>(values.length);
  for (let i = 0; i < values.length; i += 1) quotients[i] = (values[i] ?? 0) / divisor;
  return quotients;
}

// `+ 0` turns the −0 of a small negative value into 0, which is what an integer division gives.
function truncated(values: readonly number[], divisor: number): number[] {
  return values.map((value) => Math.trunc(value / divisor) + 0);
}

/** A zone without a target keeps its numbers but has the status "no target", whatever was sent. */
function statusOf(
  status: readonly number[],
  targetCount: readonly number[] | undefined,
  targetsPerZone: number,
): number[] {
  if (!targetCount) return [...status];
  return status.map((code, i) => (targetCount[Math.floor(i / targetsPerZone)] === 0 ? NO_TARGET : code));
}
