/**
 * What dashboards say on the live socket, in the spellings of SQAL's clients: `{"command": …}` and `{"type": …}`; and which
 * updates they want. Pure.
 */
import { isId } from "../sample/ids.ts";
import type { Sample } from "../sample/sample.ts";
import type { GradeLetter } from "../sample/units.ts";

/** Which updates a client wants; all must hold. Absent: whatever it is. */
export interface LiveFilter {
  lines?: string[];
  devices?: string[];
  lots?: string[];
  grades?: GradeLetter[];
  sites?: string[];
  minScore?: number;
  /** Also what was measured long before it came. */
  historical?: boolean;
}

export type LiveRequest =
  | { kind: "latest" }
  | { kind: "history"; hours: number; limit: number }
  /** `spelling` is that of the answer. */
  | { kind: "subscribe"; filter: LiveFilter; spelling: "command" | "type" }
  | { kind: "unsubscribe" }
  | { kind: "heartbeat" }
  | { kind: "ping" }
  | { kind: "bad"; code: "not-json" | "unknown-command" | "bad-filter" | "bad-hours" };

const GRADES: readonly GradeLetter[] = ["A+", "A", "B", "C", "REJECT"];
const MAX_LIST = 50;
const MAX_HOURS = 2160;
const MAX_HISTORY = 1000;

/** Reads one message of a client. Never throws. */
export function readLive(text: string): LiveRequest {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { kind: "bad", code: "not-json" };
  }
  if (!isRecord(message)) return { kind: "bad", code: "not-json" };
  const spelling = typeof own(message, "command") === "string" ? "command" : "type";
  switch (own(message, spelling)) {
    case "get_latest":
      return { kind: "latest" };
    case "get_history":
      return historyOf(message);
    case "subscribe": {
      const filter = filterOf(own(message, "filters") ?? message);
      return filter ? { kind: "subscribe", filter, spelling } : { kind: "bad", code: "bad-filter" };
    }
    case "unsubscribe":
      return { kind: "unsubscribe" };
    case "heartbeat":
      return { kind: "heartbeat" };
    case "ping":
      return { kind: "ping" };
    default:
      return { kind: "bad", code: "unknown-command" };
  }
}

function historyOf(message: Record<string, unknown>): LiveRequest {
  const hours = own(message, "hours") ?? 24;
  const limit = own(message, "limit") ?? 100;
  const isWhole = (value: unknown, most: number): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most;
  if (!isWhole(hours, MAX_HOURS) || !isWhole(limit, MAX_HISTORY)) return { kind: "bad", code: "bad-hours" };
  return { kind: "history", hours, limit };
}

/** A filter, ours or SQAL's (`device_ids`, `grades`, `min_score`; `device_id`, `site_code`, `min_grade`); undefined when it is wrong. */
function filterOf(given: unknown): LiveFilter | undefined {
  if (!isRecord(given)) return undefined;
  let wrong = false;
  const list = (fits: (text: string) => boolean, ...names: string[]): string[] | undefined => {
    for (const name of names) {
      const value = own(given, name);
      if (value === undefined || value === null) continue;
      const items = Array.isArray(value) ? value : [value];
      if (items.length <= MAX_LIST && items.every((item) => typeof item === "string" && fits(item))) return items;
      wrong = true;
    }
    return undefined;
  };
  const isName = (text: string) => text.length >= 1 && text.length <= 200;
  const gradesOf = (texts: string[] | undefined) => texts && GRADES.filter((grade) => texts.includes(grade));
  const isGrade = (text: string) => GRADES.some((grade) => grade === text);
  const lines = list(isId, "lines", "line");
  const devices = list(isId, "devices", "device", "device_ids", "device_id");
  const lots = list(isName, "lots", "lot");
  const sites = list(isId, "sites", "site", "site_code");
  const least = gradesOf(list(isGrade, "min_grade"))?.[0];
  const grades = gradesOf(list(isGrade, "grades", "grade")) ?? (least && GRADES.slice(0, GRADES.indexOf(least) + 1));
  const minScore = own(given, "min_score");
  if (minScore !== undefined && minScore !== null && !(typeof minScore === "number" && Number.isFinite(minScore)))
    return undefined;
  if (wrong) return undefined;
  return {
    ...(lines && { lines }),
    ...(devices && { devices }),
    ...(lots && { lots }),
    ...(sites && { sites }),
    ...(grades && { grades }),
    ...(typeof minScore === "number" && { minScore }),
    ...(own(given, "historical") === true && { historical: true }),
  };
}

/** Whether a client with this filter wants a sample. */
export function wants(filter: LiveFilter, sample: Sample): boolean {
  const { lines, devices, lots, grades, sites, minScore, historical } = filter;
  const among = (list: readonly string[] | undefined, value: string | undefined) =>
    list === undefined || (value !== undefined && list.includes(value));
  return (
    (historical === true || !sample.isHistorical) &&
    among(lines, sample.lineId) &&
    among(devices, sample.deviceId) &&
    among(lots, sample.lotAbattage) &&
    among(sites, sample.siteId) &&
    among(grades, sample.grade?.grade) &&
    (minScore === undefined || (sample.grade?.score ?? Number.NEGATIVE_INFINITY) >= minScore)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const own = (record: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : undefined;
