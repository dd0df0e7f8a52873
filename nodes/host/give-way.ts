import { getPriority, setPriority } from "node:os";

const NICEST = 19;

/** How much a thread gives way: each step leaves it about a fifth less of a processor that others want as well. */
export const GIVES_WAY = {
  /**
   * A thirtieth of what a thread with something urgent gets: what is acknowledged may wait for its table. It seldom waits
   * long, because nothing urgent takes all processors for long; with a third, a transaction held up the grade on the screen.
   */
  database: 15,
  /** Less than the database: what is analysed is stored before more is. */
  analysis: 17,
} as const;

/**
 * Lets the calling thread, and those it starts, stand back for threads that somebody waits for: devices wait for their
 * acknowledgement and operators for the grade, an analysis or a transaction of the database can wait. What nobody else
 * wants it gets all the same. Only Linux has a priority for each thread; elsewhere nothing changes.
 */
export function giveWay(by: number): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, Math.min(NICEST, getPriority(0) + by));
  } catch {
    // A sandbox that forbids it: everything works as well, only less promptly under load.
  }
}
