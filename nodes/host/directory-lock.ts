import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { CodedError, codeOf } from "./errors.ts";

/** What is locked, and how it is called where it is refused. */
export interface Lockable {
  /** The directory; made, mode 0700, where it is not there. */
  root: string;
  lock: string;
  /** Who holds the lock; informative only. */
  owner: string;
}

export interface DirectoryLock {
  release(): void;
}

// A lock that is collected as garbage would be released.
const held = new Set<DatabaseSync>();

/**
 * Takes the directory for this process alone. The lock is SQLite's on an empty file, which the operating system
 * releases when the process ends in any way: nothing is ever taken over by age, and nothing stale has to be judged.
 * @param what the thing in the directory: `database` gives the code `database-in-use`
 * @throws CodedError `<what>-in-use` when it is taken, by another process or by this one
 */
export function lockDirectory(paths: Lockable, what: string): DirectoryLock {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const lock = tryLock(paths.lock);
  if (!lock) {
    throw new CodedError(
      `${what}-in-use`,
      `the ${what} in ${paths.root} is in use by ${owner(paths)}: stop that process, or use another DATA_DIR`,
    );
  }
  const record = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  writeFileSync(paths.owner, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      rmSync(paths.owner, { force: true });
      lock.close();
    },
  };
}

/** SQLite's exclusive lock on an empty file until `close`, or undefined while another process (or this one) has it. */
export function tryLock(file: string): { close(): void } | undefined {
  const lock = new DatabaseSync(file);
  try {
    // No journal: the transaction writes nothing, it is only held.
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
    held.add(lock);
    return {
      close() {
        if (held.delete(lock)) lock.close();
      },
    };
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
function owner(paths: Lockable): string {
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
