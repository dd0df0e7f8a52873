import { setImmediate } from "node:timers/promises";

/** Long enough for work to get on, short enough for the doors and the acknowledgements they give. */
const MOST_MS = 4;

/**
 * For work that would keep the event loop too long: `const rest = rests()`, and in its loop `await rest()`. That goes on at
 * once until the work has had some milliseconds, and then when sockets and timers have had their turn.
 */
export function rests(): () => Promise<void> | undefined {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < MOST_MS) return undefined;
    return setImmediate().then(() => {
      sinceMs = performance.now();
    });
  };
}
