import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ClientBase } from "pg";
import Postgrator from "postgrator";

const MIGRATIONS = fileURLToPath(new URL("./migrations/", import.meta.url));

/** Key of the advisory lock under which the schema, the policies and the jobs are worked on ("foie" in ASCII). */
export const LOCK_SCHEMA = 0x666f6965;

/**
 * Brings the schema to the newest version. The caller holds a transaction, so a migration that fails leaves nothing behind.
 * @returns versions that were applied now
 * @throws when a migration fails, or when one that was applied has been changed since
 */
export async function migrate(client: ClientBase, directory: string = MIGRATIONS): Promise<number[]> {
  const postgrator = new Postgrator({
    driver: "pg",
    schemaTable: "foieflow_schema_version",
    // A glob: what is special in one must not be in the directory's name, and its separators are slashes everywhere.
    migrationPattern: `${directory
      .split(path.sep)
      .join("/")
      .replace(/\/$/, "")
      .replace(/[*?[\]{}()]/g, "[$&]")}/*.sql`,
    newline: "LF",
    execQuery: async (text) => {
      const result = await client.query(text);
      // Several statements in one text give an array of results; only the last can matter to the caller.
      const last = Array.isArray(result) ? result.at(-1) : result;
      return { rows: last?.rows ?? [] };
    },
  });
  const applied = await postgrator.migrate();
  return applied.map((migration) => migration.version);
}

/**
 * Tries to have TimescaleDB in the database. It is no error when that does not work: the extension may be absent, not
 * preloaded (the server then ends the connection) or not ours to create; the plain mode serves.
 * @returns why it is not there, or undefined when it is
 */
export async function createExtension(client: ClientBase): Promise<string | undefined> {
  const there = await client.query<{ installed: boolean; available: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS installed,
      EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS available`);
  if (there.rows[0]?.installed) return undefined;
  if (!there.rows[0]?.available) return "not available on this server";
  try {
    await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
