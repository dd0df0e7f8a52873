import type { Flicker } from "../sample/sample.ts";

/** Bits of register FD_STATUS (0xDB). */
const FOUND_100 = 0x01;
const FOUND_120 = 0x02;
const VALID_100 = 0x04;
const VALID_120 = 0x08;
const SATURATED = 0x10;
const MEASURED = 0x20;

/** How far from a whole number of periods an integration may be, in periods, before room light shows as ripple. */
const RIPPLE_PERIODS = 0.05;

/**
 * What the flicker detector says (44: measured, no frequency; 45: 100 Hz; 46: 120 Hz).
 * @param status the byte of FD_STATUS
 */
export function flickerOf(status: number, integrationMs?: number): Flicker {
  const isValid = (status & MEASURED) !== 0;
  const has = (found: number, valid: number) => isValid && (status & found) !== 0 && (status & valid) !== 0;
  const hz = has(FOUND_120, VALID_120) ? 120 : has(FOUND_100, VALID_100) ? 100 : null;
  const ripples = hz !== null && integrationMs !== undefined ? isRippling(integrationMs, hz) : undefined;
  return {
    status,
    isValid,
    isSaturated: (status & SATURATED) !== 0,
    hz,
    ...(ripples !== undefined && { ripples }),
  };
}

function isRippling(integrationMs: number, hz: number): boolean {
  const periods = (integrationMs * hz) / 1000;
  return periods < 1 - RIPPLE_PERIODS || Math.abs(periods - Math.round(periods)) > RIPPLE_PERIODS;
}
