/**
 * For `--import`: this process's wall clock shows as much more as the file named by FOIEFLOW_TEST_CLOCK says, in ms. The
 * file may change at any time. The monotonic clock and the operating system's stay as they are.
 */
import { readFileSync } from "node:fs";

const file = process.env.FOIEFLOW_TEST_CLOCK;
const LOOK_MS = 5;
const Real = globalThis.Date;
let offsetMs = 0;
let lookedAtMs = Number.NEGATIVE_INFINITY;

function now(): number {
  const monotonicMs = performance.now();
  if (file !== undefined && monotonicMs - lookedAtMs >= LOOK_MS) {
    lookedAtMs = monotonicMs;
    try {
      offsetMs = Number(readFileSync(file, "utf8"));
    } catch {
      // Not there yet, or just being written: as before.
    }
  }
  return Real.now() + offsetMs;
}

globalThis.Date = new Proxy(Real, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
  apply: () => new Real(now()).toString(),
  get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
});
