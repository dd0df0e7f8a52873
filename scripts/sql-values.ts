import pg from "pg";

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * A value as PostgreSQL writes it, as JSON: numbers are numbers (bigint and numeric only while no digit is lost, else
 * strings; NaN and the infinities are strings), timestamps with time zone are ISO 8601 in UTC, bytea is hex digits,
 * json is itself, arrays are arrays, everything else is PostgreSQL's text.
 * @param oid the type's number in pg_type
 */
export function toJsonValue(oid: number, value: string): JsonValue {
  const element = ELEMENT_OF[oid];
  return element === undefined ? scalar(oid, value) : mapDeep(element, parseTextArray(value));
}

const { builtins } = pg.types;
/** Element types of the array types, by their numbers in pg_type. */
const ELEMENT_OF: Partial<Record<number, number>> = {
  199: builtins.JSON,
  1000: builtins.BOOL,
  1001: builtins.BYTEA,
  1005: builtins.INT2,
  1007: builtins.INT4,
  1009: builtins.TEXT,
  1015: builtins.VARCHAR,
  1016: builtins.INT8,
  1021: builtins.FLOAT4,
  1022: builtins.FLOAT8,
  1185: builtins.TIMESTAMPTZ,
  1231: builtins.NUMERIC,
  2951: builtins.UUID,
  3807: builtins.JSONB,
};
const TEXT_ARRAY = 1009;

function parseTextArray(value: string): unknown {
  // The driver's typings do not know the array types' numbers.
  const parserOf: (oid: number) => unknown = pg.types.getTypeParser;
  const parse = parserOf(TEXT_ARRAY);
  return typeof parse === "function" ? parse(value) : value;
}

function mapDeep(element: number, value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map((item: unknown) => mapDeep(element, item));
  return typeof value === "string" ? scalar(element, value) : null;
}

function scalar(oid: number, value: string): JsonValue {
  switch (oid) {
    case builtins.BOOL:
      return value === "t";
    case builtins.INT2:
    case builtins.INT4:
    case builtins.OID:
      return Number(value);
    case builtins.FLOAT4:
    case builtins.FLOAT8:
      return Number.isFinite(Number(value)) ? Number(value) : value;
    case builtins.INT8:
    case builtins.NUMERIC:
      return sameDecimal(value) ? Number(value) : value;
    case builtins.TIMESTAMPTZ:
      return isoUtc(value);
    case builtins.BYTEA:
      return value.startsWith("\\x") ? value.slice(2) : value;
    case builtins.JSON:
    case builtins.JSONB: {
      const parsed: JsonValue = JSON.parse(value);
      return parsed;
    }
    default:
      return value;
  }
}

/** Whether the number that JavaScript makes of a decimal still has all its digits. */
function sameDecimal(text: string): boolean {
  const digits = (decimal: string) => {
    const [, mantissa = "", exponent = "0"] = /^-?([\d.]+)(?:e([+-]?\d+))?$/.exec(decimal) ?? [];
    const [whole = "", fraction = ""] = mantissa.split(".");
    const significant = (whole + fraction).replace(/^0+/, "");
    const trimmed = significant.replace(/0+$/, "");
    // The digits, and the power of ten that the last of them stands for.
    return `${trimmed}e${trimmed === "" ? 0 : Number(exponent) - fraction.length + significant.length - trimmed.length}`;
  };
  const number = Number(text);
  return Number.isFinite(number) && digits(String(number)) === digits(text);
}

/** PostgreSQL's `2026-11-22 13:41:51.91+01` as `2026-11-22T12:41:51.910Z`; microseconds stay. */
function isoUtc(value: string): string {
  const parts = /^(\d{4,})-(\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d(?::\d\d)*)$/.exec(value);
  if (!parts) return value;
  const [, year = "", day, time, fraction = "", offset = ""] = parts;
  const seconds = new Date(`${year}-${day}T${time}${offset.length === 3 ? `${offset}:00` : offset}`);
  if (Number.isNaN(seconds.getTime())) return value;
  return `${seconds.toISOString().slice(0, -5)}.${fraction.padEnd(3, "0")}Z`;
}
