import { setImmediate } from "node:timers/promises";
import { currentInbox } from "./current-inbox.ts";

/** Long enough for work to get on, short enough for the doors and the acknowledgements they give. */
const MOST_MS = 4;
/** So long a rest lasts at most while samples wait to be graded. */
const MOST_REST_MS = 20;

/**
 * For work that nobody waits for: goes on when sockets and timers have had a turn and no sample waits to be graded.
 * @param untilMs by `performance.now()`; then it goes on though samples wait
 */
export async function leisure(untilMs: number): Promise<void> {
  do await setImmediate();
  while (currentInbox()?.isEmitting && performance.now() < untilMs);
}

/**
 * For work that would keep the event loop too long: `const rest = rests()`, and in its loop `await rest()`. That goes on at
 * once until the work has had some milliseconds, and then at leisure.
 */
export function rests(): () => Promise<void> | undefined {
  let sinceMs = performance.now();
  return () => {
    const nowMs = performance.now();
    if (nowMs - sinceMs < MOST_MS) return undefined;
    return leisure(nowMs + MOST_REST_MS).then(() => {
      sinceMs = performance.now();
    });
  };
}
