import pg from "pg";

/** PostgreSQL type numbers (pg_type.oid) whose JavaScript form differs from pg's own. */
const INT8 = 20;
const NUMERIC = 1700;
const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;

/**
 * How values come out of the database:
 * - `int8`: a number, or a string where a number would not hold it exactly;
 * - `numeric`: a number (every score was a double before it was stored; select `x::text` for more digits than that);
 * - `timestamptz`: ISO 8601 text in UTC with microseconds kept, `2026-11-22T13:30:00.123456Z` (a Date would drop them);
 * - `timestamp`: the same without a zone; `date`: `YYYY-MM-DD` (a Date would shift it by the machine's zone).
 */
export const VALUE_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (format !== "binary") {
      if (oid === INT8) return int8;
      if (oid === NUMERIC) return Number;
      if (oid === DATE) return String;
      if (oid === TIMESTAMPTZ || oid === TIMESTAMP) return isoTime;
    }
    return pg.types.getTypeParser(oid, format as "text");
  }) as typeof pg.types.getTypeParser,
};

function int8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

const TIME = /^(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(\+00(?::00)?)?$/;

/**
 * `2026-11-22 13:30:00.5+00` → `2026-11-22T13:30:00.500Z`: three digits of fraction as JavaScript writes them, six where
 * there are microseconds; infinities and years BC stay as PostgreSQL writes them.
 */
function isoTime(text: string): string {
  const match = TIME.exec(text);
  if (!match) return text;
  const [, date, time, fraction = "", zone] = match;
  const digits = fraction.padEnd(fraction.length > 3 ? 6 : 3, "0");
  return `${date}T${time}.${digits}${zone === undefined ? "" : "Z"}`;
}
