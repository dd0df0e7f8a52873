import { binaryArray } from "./binary-array.ts";

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

/** Rows by column, ready to be parameters of `insertSql(table)`. */
export type Parameters = (Buffer | (string | number | boolean | null)[])[];

/** One of them, with the type of its elements or, of bytes, its own. */
export type TypedParameter = [ColumnType, Parameters[number]];

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

/** The rows of these sources, parameter by parameter of `insertSql(table)`. Numbers that are not finite become null. */
export function* parametersOf<S>(table: Table<S>, sources: readonly S[]): Generator<TypedParameter> {
  for (const { type, of } of table.columns) {
    if (type !== "bytea") {
      yield [type, sources.map((source) => cell(of(source)))];
      continue;
    }
    const chunks: Buffer[] = [];
    const offsets: (number | null)[] = [];
    const lengths: (number | null)[] = [];
    let end = 1;
    for (const source of sources) {
      const bytes = of(source);
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
): Promise<Parameters> {
  const wired: Parameters = [];
  for (const [type, parameter] of parameters) {
    wired.push(Buffer.isBuffer(parameter) ? parameter : (binaryArray(type, parameter) ?? parameter));
    await rest();
  }
  return wired;
}

function cell(value: CellValue): string | number | boolean | null {
  if (value === undefined || value === null || Buffer.isBuffer(value)) return null;
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return value;
}
