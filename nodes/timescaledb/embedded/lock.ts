import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { CodedError, codeOf } from "../../host/errors.ts";
import type { EmbeddedPaths } from "./paths.ts";

export interface DirectoryLock {
  release(): void;
}

// A lock that is collected as garbage would be released.
const held = new Set<DatabaseSync>();

/**
 * Takes the directory for this process alone. The lock is SQLite's on an empty file, which the operating system
 * releases when the process ends in any way: nothing is ever taken over by age, and nothing stale has to be judged.
 * The engine itself lets two processes open one directory, and then loses rows.
 * @throws CodedError `database-in-use` when it is taken, by another process or by this one
 */
export function lockDirectory(paths: EmbeddedPaths): DirectoryLock {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const lock = tryLock(paths.lock);
  if (!lock) {
    throw new CodedError(
      "database-in-use",
      `the database in ${paths.root} is in use by ${owner(paths)}: stop that process, or use another DATA_DIR`,
    );
  }
  const record = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  writeFileSync(paths.owner, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  held.add(lock);
  return {
    release() {
      if (!held.delete(lock)) return;
      rmSync(paths.owner, { force: true });
      lock.close();
    },
  };
}

/** How long an engine whose parent is gone may take to end; it notices within a second, see `parent-watch.ts`. */
const ORPHAN_PATIENCE_MS = 60_000;
const ORPHAN_POLL_MS = 50;

/**
 * Takes the cluster for the engine of this process, until it ends. The directory's lock went with a parent that was
 * killed, while its engine may still be in the middle of a query: two engines in one cluster would lose rows.
 * @throws CodedError `database-in-use` when the other engine does not end
 */
export async function lockEngine(paths: EmbeddedPaths): Promise<void> {
  for (const startedMs = performance.now(); ; await sleep(ORPHAN_POLL_MS)) {
    const lock = tryLock(paths.engineLock);
    if (lock) {
      held.add(lock);
      return;
    }
    if (performance.now() - startedMs > ORPHAN_PATIENCE_MS)
      throw new CodedError("database-in-use", `another engine still works in ${paths.root}`);
  }
}

/** SQLite's exclusive lock on an empty file, or undefined while another process (or this one) has it. */
function tryLock(file: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(file);
  try {
    // No journal: the transaction writes nothing, it is only held.
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    return undefined;
  }
}

function isBusy(error: unknown): boolean {
  const number: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  // SQLITE_BUSY and its extended codes.
  return codeOf(error, "") === "ERR_SQLITE_ERROR" && typeof number === "number" && (number & 0xff) === 5;
}

/** Whoever holds the lock, in words. */
function owner(paths: EmbeddedPaths): string {
  try {
    const record: unknown = JSON.parse(readFileSync(paths.owner, "utf8"));
    if (typeof record === "object" && record !== null && "pid" in record && typeof record.pid === "number") {
      const host = "host" in record && typeof record.host === "string" ? ` on ${record.host}` : "";
      return record.pid === process.pid ? `this process (pid ${record.pid})` : `process ${record.pid}${host}`;
    }
  } catch {
    // it is just being written, or was removed by hand
  }
  return "another process";
}
