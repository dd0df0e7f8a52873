/** A point in time as devices write it, with microseconds kept. */
export interface Timestamp {
  /** ISO 8601 UTC with exactly three or six fraction digits: `2026-11-22T10:23:52.966818Z`. */
  iso: string;
  /** Milliseconds since 1970, fraction kept to the microsecond. */
  epochMs: number;
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|z|[+-]\d{2}:?\d{2})?$/;
// A past time is never implausible (a clock that started at zero included); before 1970 it is a slip of the pen.
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(2200, 0, 1);

/**
 * Reads an ISO 8601 date-time. A missing zone means UTC (SQAL's documents say UTC, some of its clients leave the Z out).
 * Digits past the microsecond are cut. Returns undefined for anything else, for dates that do not exist, and outside
 * 1970…2199.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const utcMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const asRead = new Date(utcMs);
  const exists =
    asRead.getUTCMonth() === Number(month) - 1 &&
    asRead.getUTCDate() === Number(day) &&
    asRead.getUTCHours() === Number(hour) &&
    asRead.getUTCMinutes() === Number(minute) &&
    asRead.getUTCSeconds() === Number(second);
  const offsetMinutes = zoneOffsetMinutes(zone);
  if (!exists || offsetMinutes === undefined) return undefined;
  return at(utcMs - offsetMinutes * 60_000, fraction.padEnd(6, "0").slice(0, 6));
}

/** A time given as seconds since 1970 (a number), to the microsecond; undefined outside 1970…2199. */
export function timestampOfSeconds(seconds: number): Timestamp | undefined {
  if (!Number.isFinite(seconds)) return undefined;
  const whole = Math.floor(seconds);
  const micros = Math.min(999_999, Math.round((seconds - whole) * 1e6));
  return at(whole * 1000, String(micros).padStart(6, "0"));
}

/** Smaller numbers are milliseconds (to the year 5138), larger ones microseconds (from March 1973). */
const LEAST_MICROS = 1e14;

/** A time given as milliseconds or microseconds since 1970 (a number), to the microsecond; undefined outside 1970…2199. */
export function timestampOfEpoch(value: number): Timestamp | undefined {
  if (!Number.isFinite(value)) return undefined;
  const micros = Math.round(value < LEAST_MICROS ? value * 1000 : value);
  const seconds = Math.floor(micros / 1e6);
  return at(seconds * 1000, String(micros - seconds * 1e6).padStart(6, "0"));
}

function at(wholeSecondMs: number, micros: string): Timestamp | undefined {
  const epochMs = wholeSecondMs + Number(micros) / 1000;
  if (!(epochMs >= EARLIEST_MS && epochMs < LATEST_MS)) return undefined;
  const fraction = micros.endsWith("000") ? micros.slice(0, 3) : micros;
  return { iso: `${new Date(wholeSecondMs).toISOString().slice(0, 19)}.${fraction}Z`, epochMs };
}

function zoneOffsetMinutes(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}
