import { DatabaseSync } from "node:sqlite";
import { CodedError } from "../host/errors.ts";

/** Version of the tables below, in the database's `user_version`. */
const VERSION = 1;

/** A journal this long is moved by the commits' own thread, should the other one lag behind. */
export const LONG_JOURNAL_BYTES = 8 * 1024 * 1024;

/** `bytes` comes last, so that the rest of a row is read without them. */
const TABLES = `
  CREATE TABLE entry (
    id INTEGER PRIMARY KEY, meta TEXT NOT NULL, meta_crc INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL
  ) STRICT;
  -- Entries that earlier runs emitted: how often, and in how many of the runs that crashed.
  CREATE TABLE emitted (id INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, crashes INTEGER NOT NULL) STRICT;
  CREATE TABLE account (
    kind TEXT NOT NULL, name TEXT NOT NULL, item TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, name, item)
  ) STRICT, WITHOUT ROWID;
  -- next_id, emit_to (see CommitQuestion), is_closed, damaged
  CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** A connection that waits for the disk at each commit and leaves checkpoints to others. */
export function connect(file: string, maxPages: number): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 5000;
      PRAGMA journal_size_limit = ${LONG_JOURNAL_BYTES / 2}; PRAGMA cell_size_check = ON;
    `);
    if (maxPages > 0) database.exec(`PRAGMA max_page_count = ${Math.round(maxPages)}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Makes the tables in a new database and looks through one that is there.
 * @param looksThrough read every page, rather than trust a database that was closed in order
 * @returns whether it is new
 * @throws CodedError `store-damaged`; `store-version` for tables of a later release
 */
export function prepare(database: DatabaseSync, looksThrough: (isClosed: boolean) => boolean): boolean {
  const version = numberIn(database, "PRAGMA user_version");
  if (version === 0 && numberIn(database, "SELECT count(*) FROM sqlite_schema") === 0) {
    database.exec(`BEGIN; ${TABLES} COMMIT`);
    return true;
  }
  if (version > VERSION)
    throw new CodedError("store-version", "the inbox was written by a later release of FoieFlow: use that one");
  if (version !== VERSION) throw new CodedError("store-damaged", `the inbox says it has version ${version}`);
  if (looksThrough(factIn(database, "is_closed") === 1)) {
    const [finding] = database.prepare("PRAGMA quick_check(1)").all();
    const text = String(finding?.quick_check);
    if (text !== "ok") throw new CodedError("store-damaged", text.slice(0, 300));
  }
  return false;
}

export function factIn(database: DatabaseSync, name: string): number {
  const row = database.prepare("SELECT value FROM fact WHERE name = ?").get(name);
  return typeof row?.value === "number" ? row.value : 0;
}

export function setFact(database: DatabaseSync, name: string, value: number): void {
  database.prepare("INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(name, value);
}

/** Runs `work` in one transaction; what it throws undoes all of it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After some errors (disk full) SQLite has rolled back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function numberIn(database: DatabaseSync, sql: string): number {
  const [row] = database.prepare(sql).all();
  const value = row && Object.values(row)[0];
  return typeof value === "number" ? value : 0;
}
