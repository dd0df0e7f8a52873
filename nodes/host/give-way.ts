import { getPriority, setPriority } from "node:os";

/** A thread with work then gets about a ninth of what one that does not give way gets, and everything that is left over. */
const NICER_BY = 10;
const NICEST = 19;

/**
 * Lets the calling thread, and those it starts, run where nobody else has work: devices wait for their acknowledgement,
 * an analysis does not. Only Linux has a priority for each thread; elsewhere nothing changes.
 */
export function giveWay(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, Math.min(NICEST, getPriority(0) + NICER_BY));
  } catch {
    // A sandbox that forbids it: everything works as well, only less promptly under load.
  }
}
