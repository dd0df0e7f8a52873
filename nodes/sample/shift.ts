import type { ShiftDefinition, SiteSettings } from "./site.ts";

export interface ShiftOfSample {
  shift: string;
  /** `YYYY-MM-DD` in the site's time zone: the day on which the shift started. */
  productionDay: string;
}

const START = /^([01]\d|2[0-3]):([0-5]\d)$/;
const MAX_FORMATTERS = 32;
const formatters = new Map<string, Intl.DateTimeFormat>();

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

function localTime(at: Date, timeZone: string): { day: string; minutes: number } {
  const parts = new Map(
    formatterOf(timeZone)
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );
  const day = `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
  return { day, minutes: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
}

// Making a formatter costs some 50 µs, using one about 2.
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-GB", {
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
    if (formatters.size >= MAX_FORMATTERS) formatters.clear();
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
