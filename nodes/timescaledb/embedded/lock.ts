import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
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
  const lock = new DatabaseSync(paths.lock);
  try {
    // No journal: the transaction writes nothing, it is only held.
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    throw new CodedError(
      "database-in-use",
      `the database in ${paths.root} is in use by ${owner(paths)}: stop that process, or use another DATA_DIR`,
      { cause },
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
