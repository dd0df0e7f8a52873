import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import type { TableManifest } from "./manifest.ts";

/** Of the schema itself, or of the database's jobs in the database it came from. */
const LEFT_OUT = ["foieflow_schema_version", "job_runs"];
const DIRECTORY = "tables";
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const fileOf = (directory: string, table: string) => path.join(directory, DIRECTORY, `${table}.copy`);

/** Version of the schema. */
export async function schemaVersionOf(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT max(version)::int AS version FROM foieflow_schema_version",
  );
  return rows[0]?.version ?? 0;
}

/** Our tables with their columns, those that others refer to first. */
export async function tablesOf(client: pg.ClientBase): Promise<Omit<TableManifest, "rows">[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; needs: string[] }>(
    `SELECT c.relname AS name,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
       (SELECT coalesce(array_agg(DISTINCT f.relname::text), '{}') FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
         WHERE k.contype = 'f' AND k.conrelid = c.oid AND k.confrelid <> c.oid) AS needs
     FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL ($1)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
     ORDER BY c.relname`,
    [LEFT_OUT],
  );
  const sorted: typeof rows = [];
  let rest = rows;
  while (rest.length > 0) {
    const names = new Set(rest.map(({ name }) => name));
    const free = rest.filter(({ needs }) => !needs.some((name) => names.has(name)));
    const next = free.length > 0 ? free : rest; // a circle of references: as they come
    sorted.push(...next);
    rest = rest.filter((table) => !next.includes(table));
  }
  return sorted.map(({ name, columns }) => ({ name, columns }));
}

/**
 * Writes every table of ours as COPY's text, all of one moment; nobody has to wait meanwhile.
 * @param client not in a transaction
 */
export async function dumpTables(
  client: pg.Client,
  directory: string,
): Promise<{ tables: TableManifest[]; schemaVersion: number }> {
  mkdirSync(path.join(directory, DIRECTORY), { recursive: true, mode: 0o700 });
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  await client.query("SET LOCAL statement_timeout = 0");
  const schemaVersion = await schemaVersionOf(client);
  const tables: TableManifest[] = [];
  for (const { name, columns } of await tablesOf(client)) {
    // The parent of a hypertable holds no rows itself: only a query sees its chunks.
    const rows = client.query(copyTo(`COPY (SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(name)}) TO STDOUT`));
    await pipeline(rows, createWriteStream(fileOf(directory, name), { mode: 0o600 }));
    tables.push({ name, columns, rows: rows.rowCount ?? 0 });
  }
  await client.query("ROLLBACK");
  return { tables, schemaVersion };
}

/** Names of our tables that hold rows already. */
export async function filledTables(client: pg.ClientBase): Promise<string[]> {
  const filled: string[] = [];
  for (const { name } of await tablesOf(client)) {
    const { rows } = await client.query<{ some: boolean }>(`SELECT EXISTS (SELECT FROM ${quoted(name)}) AS some`);
    if (rows[0]?.some) filled.push(name);
  }
  return filled;
}

/**
 * Fills empty tables from what `dumpTables` wrote, all or nothing, and sets the counters of their keys.
 * @throws Error when a table does not hold as many rows as were written down
 */
export async function loadTables(
  client: pg.Client,
  directory: string,
  tables: readonly TableManifest[],
): Promise<void> {
  await client.query("BEGIN");
  try {
    await client.query("SET LOCAL statement_timeout = 0");
    for (const { name, columns, rows } of tables) {
      const rowsIn = client.query(copyFrom(`COPY ${quoted(name)} (${columns.map(quoted).join(", ")}) FROM STDIN`));
      await pipeline(createReadStream(fileOf(directory, name)), rowsIn);
      const { rows: counted } = await client.query<{ count: number }>(
        `SELECT count(*)::float8 AS count FROM ${quoted(name)}`,
      );
      if (counted[0]?.count !== rows) throw new Error(`${name} holds ${counted[0]?.count} rows instead of ${rows}`);
    }
    await setCounters(client);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function setCounters(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ table: string; column: string; counter: string | null }>(`
    SELECT c.relname AS table, a.attname AS column, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS counter
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.attidentity <> ''`);
  for (const { table, column, counter } of rows)
    if (counter !== null)
      await client.query(
        `SELECT setval($1::regclass, greatest((SELECT max(${quoted(column)}) FROM ${quoted(table)}), 1),
           EXISTS (SELECT FROM ${quoted(table)}))`,
        [counter],
      );
}

/** Computes every continuous aggregate over all its rows. */
export async function refreshStatistics(client: pg.Client): Promise<void> {
  const there = await client.query<{ has: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS has",
  );
  if (!there.rows[0]?.has) return;
  const { rows } = await client.query<{ view: string }>(
    `SELECT format('%I.%I', view_schema, view_name) AS view FROM timescaledb_information.continuous_aggregates
     WHERE view_schema = current_schema()`,
  );
  for (const { view } of rows)
    await client.query("CALL refresh_continuous_aggregate($1::regclass, NULL, NULL)", [view]);
}
