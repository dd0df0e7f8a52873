import { binaryArray } from "./binary-array.ts";
import type { WireValue } from "./bound-query.ts";
import { textArray } from "./text-array.ts";

/** PostgreSQL types of the columns the writer fills. */
export type ColumnType =
  | "text"
  | "timestamptz"
  | "date"
  | "boolean"
  | "integer"
  | "bigint"
  | "float8"
  | "numeric"
  | "jsonb"
  | "bytea";

/** What a column takes: `jsonb` columns take the JSON text. */
export type CellValue = string | number | boolean | Buffer | null | undefined;

/** One column of a table and where its value comes from. */
export interface Column<S> {
  name: string;
  type: ColumnType;
  of: (source: S) => CellValue;
}

export interface Table<S> {
  name: string;
  columns: readonly Column<S>[];
}

/** A parameter of `insertSql(table)`, with the type of its elements or, of bytes, its own. */
export type TypedParameter = [ColumnType, Buffer | (string | number | boolean | null)[]];

/**
 * `INSERT … SELECT … FROM unnest($1::…[], …) ON CONFLICT DO NOTHING RETURNING sample_uid`: one prepared statement whatever
 * the number of rows. A `bytea` column takes three parameters: all its values in one (so that they travel as bytes, not
 * as hexadecimal text in an array literal), their offsets (1-based; null: no value) and their lengths.
 */
export function insertSql<S>(table: Table<S>, returning = "sample_uid"): string {
  let parameter = 0;
  const arrays: string[] = [];
  const aliases: string[] = [];
  const selected: string[] = [];
  for (const { name, type } of table.columns) {
    if (type === "bytea") {
      const all = `$${++parameter}::bytea`;
      arrays.push(`$${++parameter}::integer[]`, `$${++parameter}::integer[]`);
      aliases.push(`${name}_at`, `${name}_length`);
      selected.push(`substring(${all} from r.${name}_at for r.${name}_length)`);
    } else {
      // An array of jsonb would be parsed twice; text[] once.
      arrays.push(`$${++parameter}::${type === "jsonb" ? "text" : type}[]`);
      aliases.push(name);
      selected.push(type === "jsonb" ? `r.${name}::jsonb` : `r.${name}`);
    }
  }
  return `INSERT INTO ${table.name} (${table.columns.map((column) => column.name).join(", ")})
    SELECT ${selected.join(", ")}
    FROM unnest(${arrays.join(", ")}) AS r (${aliases.join(", ")})
    ON CONFLICT DO NOTHING RETURNING ${returning}`;
}

/** A row, its cells in the order of the table's columns. */
export type Cells = readonly (string | number | boolean | Buffer | null)[];

/** The row of a source. Numbers that are not finite become null. */
export function cellsOf<S>(table: Table<S>, source: S): Cells {
  return table.columns.map(({ type, of }) => {
    const value = of(source);
    if (value === undefined || value === null || Buffer.isBuffer(value) !== (type === "bytea")) return null;
    return typeof value === "number" && !Number.isFinite(value) ? null : value;
  });
}

/** These rows, parameter by parameter of `insertSql(table)`. */
export function* parametersOf(table: Table<never>, rows: readonly Cells[]): Generator<TypedParameter> {
  for (const [index, { type }] of table.columns.entries()) {
    if (type !== "bytea") {
      // `cellsOf` puts bytes into `bytea` columns only.
      yield [type, rows.map((cells) => cells[index] as Exclude<Cells[number], Buffer>)];
      continue;
    }
    const chunks: Buffer[] = [];
    const offsets: (number | null)[] = [];
    const lengths: (number | null)[] = [];
    let end = 1;
    for (const cells of rows) {
      const bytes = cells[index];
      const present = Buffer.isBuffer(bytes);
      offsets.push(present ? end : null);
      lengths.push(present ? bytes.length : null);
      if (present) {
        chunks.push(bytes);
        end += bytes.length;
      }
    }
    yield ["bytea", Buffer.concat(chunks)];
    yield ["integer", offsets];
    yield ["integer", lengths];
  }
}

/**
 * The same as they travel: arrays in binary where that holds them.
 * @param rest called after each: those of many rows are some hundred milliseconds of work
 */
export async function onTheWire(
  parameters: Iterable<TypedParameter>,
  rest: () => Promise<void> | undefined,
): Promise<WireValue[]> {
  const wired: WireValue[] = [];
  for (const [type, parameter] of parameters) {
    wired.push(Buffer.isBuffer(parameter) ? parameter : (binaryArray(type, parameter) ?? textArray(parameter)));
    const resting = rest();
    if (resting) await resting;
  }
  return wired;
}
