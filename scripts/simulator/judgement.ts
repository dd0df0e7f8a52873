import { GRADES, type GradeLetter } from "../../nodes/sample/units.ts";
import { correlation, ranks, type Spread, spreadOf } from "../statistics.ts";
import { QUALITY_CLASSES, type QualityClass } from "./quality.ts";

/** What is needed of a truth line and of a stored row to hold grading against the truth. */
export interface JudgedTruth {
  sampleId: string;
  deviceId: string;
  measuredAt: string;
  qualityClass: QualityClass;
  quality: number;
  volumeMm3: number;
  fault?: string;
}
export interface JudgedRow {
  sampleId: string;
  deviceId: string;
  time: string;
  grade: GradeLetter;
  score: number;
  volumeMm3: number | null;
}

export interface Judgement {
  truths: number;
  matched: number;
  /** Sound samples of the period that no row was found for. */
  missing: number;
  /** Spoiled samples, which must have no row; and how many have one all the same. */
  spoiled: number;
  spoiledStored: number;
  duplicates: number;
  confusion: Record<QualityClass, Record<GradeLetter, number>>;
  /** Correlation of the final score with true quality; null when undefined. */
  pearson: number | null;
  spearman: number | null;
  /** Relative volume error: mean, and quantiles of it. */
  volumeError: Spread | null;
}

// Millisecond precision: the device's clock has no more, and the database may print fewer digits.
const keyOf = (deviceId: string, sampleId: string, at: string): string => `${deviceId}/${sampleId}/${Date.parse(at)}`;

function isClass(text: unknown): text is QualityClass {
  return QUALITY_CLASSES.some((name) => name === text);
}
function isGrade(text: unknown): text is GradeLetter {
  return GRADES.some((grade) => grade === text);
}

/** Reads a truth file's text; lines that are no truth (a file cut off while written) are passed over. */
export function parseTruth(text: string): JudgedTruth[] {
  return text.split("\n").flatMap((line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    if (typeof value !== "object" || value === null) return [];
    const { sampleId, deviceId, measuredAt, qualityClass, quality, volumeMm3, fault } = value as Record<
      string,
      unknown
    >;
    if (typeof sampleId !== "string" || typeof deviceId !== "string" || typeof measuredAt !== "string") return [];
    if (!isClass(qualityClass) || typeof quality !== "number" || typeof volumeMm3 !== "number") return [];
    return [
      { sampleId, deviceId, measuredAt, qualityClass, quality, volumeMm3, ...(typeof fault === "string" && { fault }) },
    ];
  });
}

/** Reads rows as `scripts/sql.ts --json` prints them (columns device_id, sample_id, time, final_grade, final_quality_score, volume_mm3). */
export function parseRows(value: unknown): JudgedRow[] {
  if (!Array.isArray(value)) throw new Error("the query did not give an array of rows");
  return value.flatMap((row: unknown) => {
    if (typeof row !== "object" || row === null) return [];
    const { device_id, sample_id, time, final_grade, final_quality_score, volume_mm3 } = row as Record<string, unknown>;
    if (
      typeof device_id !== "string" ||
      typeof sample_id !== "string" ||
      typeof time !== "string" ||
      !isGrade(final_grade)
    )
      return [];
    const volume = volume_mm3 === null || volume_mm3 === undefined ? null : Number(volume_mm3);
    return [
      {
        deviceId: device_id,
        sampleId: sample_id,
        time,
        grade: final_grade,
        score: Number(final_quality_score),
        volumeMm3: volume,
      },
    ];
  });
}

/** Joins truth and rows on device, sample id and time, and says how they agree. */
export function judge(truths: readonly JudgedTruth[], rows: readonly JudgedRow[]): Judgement {
  const found = new Map<string, JudgedRow>();
  let duplicates = 0;
  for (const row of rows) {
    const key = keyOf(row.deviceId, row.sampleId, row.time);
    if (found.has(key)) duplicates += 1;
    found.set(key, row);
  }
  const confusion = Object.fromEntries(
    QUALITY_CLASSES.map((name) => [name, Object.fromEntries(GRADES.map((grade) => [grade, 0]))]),
  ) as Record<QualityClass, Record<GradeLetter, number>>;
  const scores: number[] = [];
  const qualities: number[] = [];
  const errors: number[] = [];
  let missing = 0;
  let spoiled = 0;
  let spoiledStored = 0;
  for (const truth of truths) {
    const row = found.get(keyOf(truth.deviceId, truth.sampleId, truth.measuredAt));
    if (truth.fault !== undefined) {
      spoiled += 1;
      if (row) spoiledStored += 1;
      continue;
    }
    if (!row) {
      missing += 1;
      continue;
    }
    confusion[truth.qualityClass][row.grade] += 1;
    scores.push(row.score);
    qualities.push(truth.quality);
    if (row.volumeMm3 !== null) errors.push(row.volumeMm3 / truth.volumeMm3 - 1);
  }
  return {
    truths: truths.length,
    matched: scores.length,
    missing,
    spoiled,
    spoiledStored,
    duplicates,
    confusion,
    pearson: correlation(scores, qualities),
    spearman: correlation(ranks(scores), ranks(qualities)),
    volumeError: spreadOf(errors),
  };
}
