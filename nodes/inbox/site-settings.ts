import { isId, toId } from "../sample/ids.ts";
import type { ShiftDefinition, SiteSettings } from "../sample/site.ts";
import { DEFAULT_LIMITS, type InboxLimits } from "./limits.ts";

export const DEFAULT_SITE: SiteSettings = {
  siteId: "site-1",
  lineId: "line-1",
  timeZone: "Europe/Paris",
  shifts: [
    { name: "matin", start: "05:00" },
    { name: "apres-midi", start: "13:00" },
    { name: "nuit", start: "21:00" },
  ],
  historicalAfterS: 120,
  futureToleranceS: 300,
};

/** The config node's fields as Node-RED hands them over: text, numbers, or `${NAME}` where the environment lacks NAME. */
export interface SiteConfig {
  siteId?: unknown;
  lineId?: unknown;
  timeZone?: unknown;
  /** List of `{name, start}`, or text: `matin 05:00, apres-midi 13:00, nuit 21:00`. */
  shifts?: unknown;
  historicalAfterS?: unknown;
  futureToleranceS?: unknown;
  inboxMiB?: unknown;
  inboxEntries?: unknown;
  inboxInFlight?: unknown;
  claimWithinS?: unknown;
  minFreeMiB?: unknown;
  /** The directory of the site's data; unset: below Node-RED's user directory. */
  dataDir?: unknown;
}

/** A field that could not be used; `key` is a catalogue key below `site.errors`. */
export interface SiteProblem {
  key: "id" | "time-zone" | "shifts" | "number";
  field: string;
  value: string;
}

const MOST_SHIFTS = 12;
const CLOCK = /^([01]?\d|2[0-3]):([0-5]\d)$/;

/** Reads the site's configuration. A field that is empty, or wrong, keeps its default; what is wrong is reported. */
export function parseSite(config: SiteConfig): {
  settings: SiteSettings;
  limits: Partial<InboxLimits>;
  problems: SiteProblem[];
} {
  const problems: SiteProblem[] = [];
  const read = <T>(
    field: keyof SiteConfig,
    key: SiteProblem["key"],
    fallback: T,
    parse: (value: unknown) => T | undefined,
  ): T => {
    const value = config[field];
    if (isUnset(value)) return fallback;
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    problems.push({ key, field, value: show(value) });
    return fallback;
  };
  const number = (field: keyof SiteConfig, fallback: number, min: number, max: number) =>
    read(field, "number", fallback, (value) => {
      const parsed = Number(value);
      return parsed >= min && parsed <= max ? parsed : undefined;
    });
  const settings: SiteSettings = {
    siteId: read("siteId", "id", DEFAULT_SITE.siteId, parseId),
    lineId: read("lineId", "id", DEFAULT_SITE.lineId, parseId),
    timeZone: read("timeZone", "time-zone", DEFAULT_SITE.timeZone, parseTimeZone),
    shifts: read("shifts", "shifts", DEFAULT_SITE.shifts, parseShifts),
    historicalAfterS: number("historicalAfterS", DEFAULT_SITE.historicalAfterS, 1, 86_400),
    futureToleranceS: number("futureToleranceS", DEFAULT_SITE.futureToleranceS, 0, 86_400),
  };
  const limits: Partial<InboxLimits> = {
    maxBytes: Math.round(number("inboxMiB", DEFAULT_LIMITS.maxBytes / 1024 ** 2, 4, 65_536) * 1024 ** 2),
    maxEntries: Math.round(number("inboxEntries", DEFAULT_LIMITS.maxEntries, 1, 10_000_000)),
    maxInFlight: Math.round(number("inboxInFlight", DEFAULT_LIMITS.maxInFlight, 1, 10_000)),
    claimWithinMs: Math.round(number("claimWithinS", DEFAULT_LIMITS.claimWithinMs / 1000, 5, 3600) * 1000),
    minFreeBytes: Math.round(number("minFreeMiB", DEFAULT_LIMITS.minFreeBytes / 1024 ** 2, 0, 1_048_576) * 1024 ** 2),
  };
  return { settings, limits, problems };
}

/** Whether a configured value says nothing: empty, or a `${NAME}` whose variable the environment lacks. */
export function isUnset(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "string" && (value.trim() === "" || /^\$\{[^}]*\}$/.test(value.trim()));
}

/** The configured text, trimmed; undefined when it says nothing. */
export function textOrUndefined(value: unknown): string | undefined {
  return isUnset(value) || typeof value !== "string" ? undefined : value.trim();
}

function parseId(value: unknown): string | undefined {
  const text = String(value).trim();
  return isId(text) ? text : toId(text);
}

function parseTimeZone(value: unknown): string | undefined {
  const timeZone = String(value).trim();
  // An offset such as +02:00 is accepted by Intl but knows no summer time.
  if (/^[+-]/.test(timeZone)) return undefined;
  try {
    return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Shifts ascending by start; undefined when a name or time is wrong, or two start together. */
function parseShifts(value: unknown): ShiftDefinition[] | undefined {
  const list = typeof value === "string" ? value.split(/[,;\n]+/).filter((part) => part.trim() !== "") : value;
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_SHIFTS) return undefined;
  const shifts: ShiftDefinition[] = [];
  for (const item of list) {
    const shift = parseShift(item);
    if (!shift || shifts.some((other) => other.name === shift.name || other.start === shift.start)) return undefined;
    shifts.push(shift);
  }
  return shifts.sort((a, b) => a.start.localeCompare(b.start));
}

function parseShift(item: unknown): ShiftDefinition | undefined {
  let name: unknown;
  let start: unknown;
  if (typeof item === "string") {
    [, name, start] = /^\s*(.*?)[\s=]+(\S+)\s*$/.exec(item) ?? [];
  } else if (typeof item === "object" && item !== null && "name" in item && "start" in item) {
    ({ name, start } = item);
  }
  if (typeof name !== "string" || typeof start !== "string") return undefined;
  const id = toId(name.trim());
  const [, hours, minutes] = CLOCK.exec(start.trim()) ?? [];
  return id && hours && minutes ? { name: id, start: `${hours.padStart(2, "0")}:${minutes}` } : undefined;
}

function show(value: unknown): string {
  return (typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))).slice(0, 80);
}
