import { copyFileSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Line } from "../support/line.ts";

/** What a killed line left behind in the files of its inbox. */
export interface Evidence {
  /** Entries acknowledged and not settled. */
  waiting: number;
  /** Of those, entries that had been in flight in an earlier crash: their replay was not over. */
  inReplay: number;
  /** Frames of the journal are not in the database: of a checkpoint that was seen under way, that it did not end. */
  hasFramesToMove: boolean;
}

/** The inbox's database of a line; undefined before it was made. */
export function inboxDatabase(line: Line): string | undefined {
  const [found] = globSync("**/entries.sqlite", { cwd: line.dataDir });
  return found === undefined ? undefined : path.join(line.dataDir, found);
}

/** Looks at a copy, so that opening it changes nothing for the line. */
export function evidenceOf(line: Line): Evidence {
  const database = inboxDatabase(line);
  if (database === undefined) throw new Error("the line has no inbox");
  const hasFramesToMove = hasUnfinishedBackfill(database);
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-evidence-"));
  try {
    const copy = path.join(directory, "entries.sqlite");
    for (const suffix of ["", "-wal"])
      if (existsSync(database + suffix)) copyFileSync(database + suffix, copy + suffix);
    const store = new DatabaseSync(copy);
    const count = (sql: string) => Number(store.prepare(sql).get()?.n);
    const waiting = count("SELECT count(*) AS n FROM entry");
    const inReplay = count("SELECT count(*) AS n FROM entry JOIN emitted USING (id) WHERE crashes > 0");
    store.close();
    return { waiting, inReplay, hasFramesToMove };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** How many entries of a running line were in flight in two crashes already: a third takes them to quarantine. */
export function inDanger(line: Line): number {
  const database = inboxDatabase(line);
  if (database === undefined) return 0;
  const store = new DatabaseSync(database, { readOnly: true, timeout: 5000 });
  try {
    return Number(store.prepare("SELECT count(*) AS n FROM entry JOIN emitted USING (id) WHERE crashes >= 2").get()?.n);
  } finally {
    store.close();
  }
}

/** Two copies of the index's header, 48 bytes each, precede what SQLite notes about checkpoints. */
const BACKFILLED_AT = 96;
/** After `nBackfill`, five read marks and eight lock bytes. */
const ATTEMPTED_AT = BACKFILLED_AT + 4 + 5 * 4 + 8;

/**
 * Whether a checkpoint has begun and not ended, by the WAL index (sqlite.org/walformat.html, 2.2). So it looks too after a
 * recovery, until the first checkpoint.
 */
function hasUnfinishedBackfill(database: string): boolean {
  try {
    const index = readFileSync(`${database}-shm`);
    return index.readUInt32LE(ATTEMPTED_AT) > index.readUInt32LE(BACKFILLED_AT);
  } catch {
    return false; // not there, or too short yet
  }
}

/** SQLite's locks are on bytes of the WAL index from 120 on; this one whoever checkpoints has. */
const CHECKPOINT_LOCK_BYTE = 121;

/** Whether somebody holds the lock that a checkpoint needs; only on Linux. */
export function holdsCheckpointLock(database: string): boolean {
  try {
    const { ino } = statSync(`${database}-shm`);
    // e.g. "3: POSIX  ADVISORY  WRITE 4711 fe:00:262145 121 121"
    return readFileSync("/proc/locks", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([, , , mode, , file, from, to]) =>
          mode === "WRITE" &&
          file?.endsWith(`:${ino}`) === true &&
          Number(from) <= CHECKPOINT_LOCK_BYTE &&
          CHECKPOINT_LOCK_BYTE <= Number(to),
      );
  } catch {
    return false; // no index yet, or another system
  }
}
