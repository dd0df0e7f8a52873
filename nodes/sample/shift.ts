import type { ShiftDefinition, SiteSettings } from "./site.ts";

export interface ShiftOfSample {
  shift: string;
  /** `YYYY-MM-DD` in the site's time zone: the day on which the shift started. */
  productionDay: string;
}

const START = /^([01]\d|2[0-3]):([0-5]\d)$/;
const MINUTE_MS = 60_000;
const MAX_ZONES = 32;

interface Zone {
  formatter: Intl.DateTimeFormat;
  /** The minute asked about last: the samples of a line are of the same one, over and over. */
  minute: number;
  local: LocalTime;
}

interface LocalTime {
  day: string;
  minutes: number;
}

const zones = new Map<string, Zone>();

/**
 * The shift in force at a moment and the production day it belongs to. Works on the plant's wall clock, so that a
 * shift starts when the clock on the wall says so on the days the clock is put forward or back too.
 * Without shifts the shift is `""` and the production day the local date.
 * @param isoUtc ISO 8601 UTC; more than millisecond digits are ignored
 * @throws RangeError on an invalid time or time zone
 */
export function shiftOf(isoUtc: string, site: Pick<SiteSettings, "timeZone" | "shifts">): ShiftOfSample {
  const local = localTime(new Date(isoUtc), site.timeZone);
  const shifts = site.shifts.map(withMinutes).sort((a, b) => a.minutes - b.minutes);
  const last = shifts.at(-1);
  if (!last) return { shift: "", productionDay: local.day };
  const current = shifts.findLast((shift) => shift.minutes <= local.minutes);
  if (current) return { shift: current.name, productionDay: local.day };
  return { shift: last.name, productionDay: dayBefore(local.day) };
}

function withMinutes(shift: ShiftDefinition): { name: string; minutes: number } {
  const match = START.exec(shift.start);
  if (!match) throw new RangeError(`shift ${shift.name} starts at ${shift.start}, which is not HH:MM`);
  return { name: shift.name, minutes: Number(match[1]) * 60 + Number(match[2]) };
}

function localTime(at: Date, timeZone: string): LocalTime {
  const zone = zoneOf(timeZone);
  const minute = Math.floor(at.getTime() / MINUTE_MS);
  if (minute === zone.minute) return zone.local;
  const parts = new Map(zone.formatter.formatToParts(at).map((part) => [part.type, part.value]));
  const day = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  const local = { day, minutes: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
  // Local mean times, before there were zones, have seconds.
  if (minute > 0) Object.assign(zone, { minute, local });
  return local;
}

// Making a formatter costs some 50 µs, using one 2 to 20.
function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known) return known;
  const formatter = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  if (zones.size >= MAX_ZONES) zones.clear();
  const zone = { formatter, minute: Number.NaN, local: { day: "", minutes: 0 } };
  zones.set(timeZone, zone);
  return zone;
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
