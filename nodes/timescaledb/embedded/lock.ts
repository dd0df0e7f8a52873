import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "../../host/directory-lock.ts";
import { CodedError } from "../../host/errors.ts";
import type { EmbeddedPaths } from "./paths.ts";

/** How long an engine whose parent is gone may take to end; it notices within a second, see `parent-watch.ts`. */
const ORPHAN_PATIENCE_MS = 60_000;
const ORPHAN_POLL_MS = 50;

/**
 * Takes the cluster for the engine of this process, until it ends. The directory's lock went with a parent that was
 * killed, while its engine may still be in the middle of a query: two engines in one cluster would lose rows.
 * @throws CodedError `database-in-use` when the other engine does not end
 */
export async function lockEngine(paths: EmbeddedPaths): Promise<void> {
  for (const startedMs = performance.now(); !tryLock(paths.engineLock); await sleep(ORPHAN_POLL_MS)) {
    if (performance.now() - startedMs > ORPHAN_PATIENCE_MS)
      throw new CodedError("database-in-use", `another engine still works in ${paths.root}`);
  }
}
