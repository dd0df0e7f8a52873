import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../scripts/simulator/random.ts";
import type { Line } from "../support/line.ts";
import { holdsCheckpointLock, inboxDatabase } from "./evidence.ts";
import { untilBatchIsWritten } from "./transaction-under-way.ts";

/** What a kill is meant to fall into. */
export const AIMS = ["anything", "replay", "commit", "clean-up"] as const;
export type Aim = (typeof AIMS)[number];

const COMMIT_PATIENCE_MS = 4000;
/** The inbox moves its journal every 10 s at the latest. */
const CLEAN_UP_PATIENCE_MS = 12_000;

/**
 * Waits for the moment to kill.
 * @returns for `commit` and `clean-up`, whether that was seen under way; `replay` shows in what the kill leaves behind
 */
export async function takeAim(aim: Aim, line: Line, rng: Random): Promise<boolean> {
  if (aim === "anything") await sleep(rng.uniform(0, 3000));
  // For "replay": at once. What the kill before left behind is still on its way.
  if (aim === "clean-up") return untilCheckpoint(line);
  return aim === "commit" && (await untilBatchIsWritten(line, COMMIT_PATIENCE_MS));
}

async function untilCheckpoint(line: Line): Promise<boolean> {
  const database = inboxDatabase(line);
  const deadline = performance.now() + CLEAN_UP_PATIENCE_MS;
  for (; database !== undefined && performance.now() < deadline; await sleep(1))
    if (holdsCheckpointLock(database)) return true;
  return false;
}
