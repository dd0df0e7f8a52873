import assert from "node:assert/strict";
import fc from "fast-check";
import type { Calibration } from "../sample/calibration.ts";
import type { ChannelName } from "../sample/units.ts";
import type { ChartReading } from "./color-matrix.ts";

/** Asserts that two numbers differ by no more than `tolerance`. */
export function near(actual: number | undefined, expected: number, tolerance: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
}

const share = fc.double({ min: 0.02, max: 0.95, noNaN: true });

/** Charts of `count` patches with random reflectances and colours. */
export function randomCharts(count: number): fc.Arbitrary<ChartReading[]> {
  const patch = fc.record({
    reflectance: fc.array(share, { minLength: 8, maxLength: 8 }),
    xyz: fc.tuple(share, share, share),
  });
  return fc.array(patch, { minLength: count, maxLength: count });
}

/** The same value for every channel. */
export function every(value: number): Record<ChannelName, number> {
  return {
    F1: value,
    F2: value,
    F3: value,
    F4: value,
    F5: value,
    F6: value,
    F7: value,
    F8: value,
    Clear: value,
    NIR: value,
  };
}

/** A calibration whose white standard reflects 0.9 and gives these basic counts. */
export function calibrationOf(white: Record<ChannelName, number>, dark = every(0)): Calibration {
  return {
    calibrationId: "c1",
    deviceId: "d1",
    version: 1,
    validFrom: "2026-01-01T00:00:00Z",
    validUntil: "2027-01-01T00:00:00Z",
    madeBy: "test",
    reason: "test",
    spectral: { darkBasicCounts: dark, whiteBasicCounts: white, whiteReflectance: every(0.9) },
  };
}
