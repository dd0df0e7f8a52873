/**
 * `npm run sql -- "select …"`: asks the database of the running line, or the one that DATABASE_URL names.
 * `npm run -s sql -- --json "select …"` prints a JSON array and nothing else; `-` reads the SQL from standard input.
 */
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import pg from "pg";
import { databaseClient } from "../distribution/database-client.ts";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { messageOf } from "../nodes/host/errors.ts";
import { type JsonValue, toJsonValue } from "./sql-values.ts";

const USAGE = `usage: npm run sql -- "select …"          prints a table
       npm run -s sql -- --json "select …"  prints a JSON array: the rows of the last statement that has any
       … -                                  reads the SQL from standard input`;
const MAX_CELL = 60;

interface RowSet {
  command: string;
  rowCount: number | null;
  columns: string[];
  rows: JsonValue[][];
}

async function ask(sql: string): Promise<RowSet[]> {
  const client = new pg.Client({
    ...databaseClient(readEnvironment()),
    types: { getTypeParser: (oid: number) => (value: string) => toJsonValue(oid, value) },
  });
  client.on("error", () => {}); // the query that runs reports it
  try {
    await client.connect();
    const answer: unknown = await client.query({ text: sql, rowMode: "array" });
    return (Array.isArray(answer) ? answer : [answer]).map((result: pg.QueryArrayResult<JsonValue[]>) => ({
      command: result.command,
      rowCount: result.rowCount,
      columns: distinct(result.fields.map((field) => field.name)),
      rows: result.rows,
    }));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ECONNREFUSED")
      throw new Error(
        readEnvironment().databaseUrl
          ? `the server of DATABASE_URL does not answer (${messageOf(error) || code})`
          : "no embedded database runs there: start the line (npm start), or set DATA_DIR or DATABASE_URL",
        { cause: error },
      );
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Column names as keys of an object: a repeated one gets a number. */
function distinct(names: string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  });
}

function asJson(sets: RowSet[]): string {
  const last = sets.findLast((set) => set.columns.length > 0);
  const rows = (last?.rows ?? []).map((row) =>
    Object.fromEntries(last?.columns.map((name, i) => [name, row[i]]) ?? []),
  );
  return JSON.stringify(rows);
}

function asTable(set: RowSet): string {
  if (set.columns.length === 0) return [set.command, set.rowCount].filter((part) => part !== null).join(" ");
  const table = new Table({ head: set.columns.map(cell), style: { head: [], border: [], compact: true } });
  table.push(...set.rows.map((row) => row.map(cell)));
  return `${table.toString()}\n(${set.rows.length} row${set.rows.length === 1 ? "" : "s"})`;
}

function cell(value: JsonValue): string {
  if (value === null) return "";
  const whole = typeof value === "string" ? value : JSON.stringify(value);
  // Stored text comes from devices; it must not drive the terminal.
  const safe = whole.replaceAll(/\p{Cc}/gu, "\ufffd");
  return safe.length > MAX_CELL ? `${safe.slice(0, MAX_CELL - 1)}…` : safe;
}

try {
  loadDotEnv();
  const { values, positionals } = parseArgs({ options: { json: { type: "boolean" } }, allowPositionals: true });
  if (positionals.length === 0) throw new Error(USAGE);
  const sql = positionals.length === 1 && positionals[0] === "-" ? await text(process.stdin) : positionals.join(" ");
  const sets = await ask(sql);
  process.stdout.write(`${values.json ? asJson(sets) : sets.map(asTable).join("\n\n")}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
