import { CodedError } from "../host/errors.ts";

/** Gain factors by gain code 0…10: 0.5 · 2^code (DS000504, register CFG1). */
export const GAINS: readonly number[] = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** One step of the integration clock, ms. */
export const STEP_MS = 2.78e-3;

/** Largest value of a 16-bit count. */
export const MAX_COUNT = 65_535;

/** ATIME 0…255, ASTEP 0…65534 (65535 is reserved). */
const MAX_ATIME = 255;
const MAX_ASTEP = 65_534;
const MAX_INTEGRATION_MS = 60_000;

/**
 * Gain factor of a gain code.
 * @throws CodedError `as7341-bad-gain` for codes other than 0…10
 */
export function gainOfCode(code: number): number {
  const gain = GAINS[code];
  if (gain === undefined) throw new CodedError("as7341-bad-gain", `gain code ${code} is not one of 0…10`);
  return gain;
}

/**
 * A gain factor, checked.
 * @throws CodedError `as7341-bad-gain` for anything but 0.5, 1, 2 … 512
 */
export function gainFactor(factor: number): number {
  if (!GAINS.includes(factor)) {
    throw new CodedError("as7341-bad-gain", `${factor} is not a gain factor (0.5, 1, 2, 4 … 512)`);
  }
  return factor;
}

/** Integration time of one pass, as registers or in ms. */
export interface Timing {
  aTime?: number;
  aStep?: number;
  integrationMs?: number;
}

/** What follows from the timing; empty where it is not known. */
export interface Exposure extends Timing {
  fullScale?: number;
}

/**
 * Integration time (ATIME + 1)(ASTEP + 1) · 2.78 µs and full scale min(65535, (ATIME + 1)(ASTEP + 1)). The registers go
 * before a time given in ms. From ms alone the full scale is taken 0.5 % low, because devices round the time they print.
 * @throws CodedError `as7341-bad-timing` for values outside the registers
 */
export function exposureOf({ aTime, aStep, integrationMs }: Timing): Exposure {
  if (aTime !== undefined) checkRegister("ATIME", aTime, MAX_ATIME);
  if (aStep !== undefined) checkRegister("ASTEP", aStep, MAX_ASTEP);
  const registers = { ...(aTime !== undefined && { aTime }), ...(aStep !== undefined && { aStep }) };
  if (aTime !== undefined && aStep !== undefined) {
    const steps = (aTime + 1) * (aStep + 1);
    return { ...registers, integrationMs: steps * STEP_MS, fullScale: Math.min(MAX_COUNT, steps) };
  }
  if (integrationMs === undefined) return registers;
  if (!(integrationMs > 0 && integrationMs <= MAX_INTEGRATION_MS)) {
    throw new CodedError("as7341-bad-timing", `${integrationMs} ms is not an integration time`);
  }
  const fullScale = Math.min(MAX_COUNT, Math.max(1, Math.floor((0.995 * integrationMs) / STEP_MS)));
  return { ...registers, integrationMs, fullScale };
}

function checkRegister(name: string, value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 0 && value <= max)) {
    throw new CodedError("as7341-bad-timing", `${name} is ${value}, not a whole number 0…${max}`);
  }
}

/** Basic counts, raw / (gain · integration time in ms): comparable across gains and times (AN000633). */
export function basicCount(count: number, gain: number, integrationMs: number): number {
  return count / (gain * integrationMs);
}
