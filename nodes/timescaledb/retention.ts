import { CodedError } from "../host/errors.ts";

/** How long rows live and when they are compressed, in days. */
export interface Retention {
  /** Age at which frames and readings are dropped; 0 keeps them. */
  rawDays: number;
  /** Age at which analyses are dropped; 0 keeps them. */
  analysisDays: number;
  /** Age at which events of alarms that no longer stand are dropped; 0 keeps them. */
  alarmDays: number;
  /** Age at which chunks are compressed; 0 never compresses. */
  compressAfterDays: number;
}

export const DEFAULT_RETENTION: Readonly<Retention> = {
  rawDays: 30,
  analysisDays: 365,
  alarmDays: 730,
  compressAfterDays: 1,
};

/** Tables each setting governs. `fusion_results` is in none: retention never touches it. */
export const RAW_TABLES = ["vl53l8ch_raw", "as7341_raw"] as const;
export const ANALYSIS_TABLES = ["vl53l8ch_analysis", "as7341_analysis"] as const;
export const SAMPLE_TABLES = [...RAW_TABLES, ...ANALYSIS_TABLES, "fusion_results"] as const;

/** The statistics' refresh windows: how far back and up to when the ten-minute policy computes again. */
export const REFRESH_POLICIES = [
  { view: "fusion_hourly_stats", bucketHours: 1, startHours: 48, endHours: 1 },
  // A policy must span two buckets; of this one only yesterday is a whole day.
  { view: "fusion_eleveur_stats", bucketHours: 24, startHours: 49, endHours: 1 },
  { view: "fusion_lot_stats", bucketHours: 24, startHours: 49, endHours: 1 },
] as const;
export const REFRESH_EVERY_MINUTES = 10;

/** Retention must outlive every refresh window, so that a refresh never sees a period whose rows were dropped. */
const SHORTEST_DAYS = 3;
const LONGEST_DAYS = 36_500;

const SETTINGS = {
  rawDays: { env: "RETENTION_RAW_DAYS", least: SHORTEST_DAYS },
  analysisDays: { env: "RETENTION_ANALYSIS_DAYS", least: SHORTEST_DAYS },
  alarmDays: { env: "RETENTION_ALARM_DAYS", least: SHORTEST_DAYS },
  compressAfterDays: { env: "COMPRESS_AFTER_DAYS", least: 1 },
} as const;

/** Names that would drop results; refused rather than passed over, so that nobody believes they work. */
const FORBIDDEN = ["RETENTION_FUSION_DAYS", "RETENTION_FUSION_RESULTS_DAYS", "RETENTION_RESULTS_DAYS"];

/**
 * The retention in force: `given` settings, else the environment's, else the defaults.
 * @throws CodedError `bad-retention` (not a whole number of days, or shorter than allowed) or `retention-forbidden`
 *   (somebody asks to drop `fusion_results`)
 */
export function parseRetention(
  given: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string | undefined>> = {},
): Retention {
  for (const name of FORBIDDEN) if (isSet(env[name])) throw forbidden(name);
  for (const name of Object.keys(given)) if (/fusion|result/i.test(name)) throw forbidden(name);
  return {
    rawDays: setting("rawDays", given, env),
    analysisDays: setting("analysisDays", given, env),
    alarmDays: setting("alarmDays", given, env),
    compressAfterDays: setting("compressAfterDays", given, env),
  };
}

function setting(
  key: keyof typeof SETTINGS,
  given: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): number {
  const { env: name, least } = SETTINGS[key];
  const value = isSet(given[key]) ? given[key] : env[name];
  if (!isSet(value)) return DEFAULT_RETENTION[key];
  const days = typeof value === "number" || typeof value === "string" ? Number(value) : Number.NaN;
  if (!Number.isInteger(days) || days > LONGEST_DAYS || (days !== 0 && days < least)) {
    throw new CodedError(
      "bad-retention",
      `${name} is ${String(value)}: give 0 (never) or at least ${least} whole days`,
    );
  }
  return days;
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== "";

const forbidden = (name: string) =>
  new CodedError("retention-forbidden", `${name}: results (fusion_results) are never dropped by retention`);
