import { CHANNELS, GRADES, type GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import type { ShiftCounts } from "./line-view-core.ts";
import { asksOf, reasonsOf, round } from "./product-view.ts";
import type { ProductView, ReasonView, SpectrumView, TofView } from "./view.ts";

/** What the line view needs of a database. */
export interface Queryable {
  query(text: string, params: unknown[]): Promise<{ rows: unknown[] }>;
}

type Row = Record<string, unknown>;

// The bound is repeated in every join: without it each row would look through every chunk there is, compressed ones too.
const LAST_PRODUCTS = `
SELECT f.sample_uid, f.sample_id, f.device_id, f.final_grade, f.score_grade, f.is_historical, f.lot_abattage, f.eleveur,
  extract(epoch FROM least(f.time, f.received_at))::float8 * 1000 AS at_ms, f.final_quality_score::float8 AS score,
  f.vl53l8ch_score, f.as7341_score, f.mass_g, f.vetoes, f.reasons, f.spec_id, f.spec_version,
  v.height_matrix, v.occupied_matrix, v.max_height_mm, v.defects,
  r.channels, r.reconstructed, r.saturated, r.gain, r.integration_time_ms, a.color_l, a.color_a, a.color_b, a.delta_e
FROM (
  SELECT * FROM fusion_results
  WHERE site_id = $1 AND line_id = $2 AND time > $3::timestamptz ORDER BY time DESC LIMIT 20
) f
LEFT JOIN vl53l8ch_analysis v ON v.sample_uid = f.sample_uid AND v.time = f.time AND v.time > $3::timestamptz
LEFT JOIN as7341_raw r ON r.sample_uid = f.sample_uid AND r.time = f.time AND r.time > $3::timestamptz
LEFT JOIN as7341_analysis a ON a.sample_uid = f.sample_uid AND a.time = f.time AND a.time > $3::timestamptz
ORDER BY f.time DESC`;

// A sample may be stored by the time of the query and reach the screen after it: the newest uids tell.
const SHIFT_COUNTS = `
SELECT final_grade, count(*)::int AS products,
  to_jsonb(array_agg(sample_uid) FILTER (WHERE received_at > $6::timestamptz)) AS newest
FROM fusion_results
WHERE site_id = $1 AND line_id = $2 AND time >= $3::timestamptz AND shift = $4 AND production_day = $5::date
GROUP BY final_grade`;

const DAY_MS = 86_400_000;
const NEWEST_MS = 120_000;

/** The line's last 20 products of the last 24 hours. Rows that make no sense are left out. */
export async function lastProducts(database: Queryable, site: string, line: string, nowMs: number) {
  const { rows } = await database.query(LAST_PRODUCTS, [site, line, new Date(nowMs - DAY_MS).toISOString()]);
  return rows.filter(isRow).flatMap((row) => {
    const product = productOfRow(row);
    return product ? [{ product, isHistorical: row.is_historical === true }] : [];
  });
}

/** How many products of each grade the shift has had. */
export async function shiftCounts(
  database: Queryable,
  site: string,
  line: string,
  shift: { name: string; day: string; startMs: number },
  nowMs: number,
): Promise<ShiftCounts> {
  const { rows } = await database.query(SHIFT_COUNTS, [
    site,
    line,
    // An hour of slack: a shift's start is the plant's wall clock, a sample's time its device's.
    new Date(shift.startMs - 3_600_000).toISOString(),
    shift.name,
    shift.day,
    new Date(nowMs - NEWEST_MS).toISOString(),
  ]);
  const counts: Partial<Record<GradeLetter, number>> = {};
  const newestUids: string[] = [];
  for (const row of rows.filter(isRow)) {
    const grade = gradeOf(row.final_grade);
    if (!grade) continue;
    counts[grade] = Number(row.products);
    newestUids.push(...texts(row.newest));
  }
  return { shift: shift.name, day: shift.day, counts, newestUids };
}

/** A product out of a flat row of its result, shape and colour; undefined where the row makes no sense. */
export function productOfRow(row: Row): ProductView | undefined {
  const uid = text(row.sample_uid);
  const device = text(row.device_id);
  const grade = gradeOf(row.final_grade);
  const atMs = number(row.at_ms);
  const score = number(row.score);
  if (!uid || !device || !grade || atMs === undefined || score === undefined) return undefined;
  const lot = text(row.lot_abattage);
  const breeder = text(row.eleveur);
  const tofScore = number(row.vl53l8ch_score);
  const spectralScore = number(row.as7341_score);
  const massG = number(row.mass_g);
  const thicknessMm = number(row.max_height_mm);
  const tof = tofOfRow(row);
  const spectrum = spectrumOfRow(row);
  const reasons = reasonsOf(Array.isArray(row.reasons) ? row.reasons.filter(isReason) : []);
  const asks = asksOf(grade, reasons);
  return {
    uid,
    sampleId: text(row.sample_id) ?? "",
    device,
    ...(lot !== undefined && { lot }),
    ...(breeder !== undefined && { breeder }),
    atMs,
    grade,
    score,
    scoreGrade: gradeOf(row.score_grade) ?? grade,
    ...(tofScore !== undefined && { tofScore }),
    ...(spectralScore !== undefined && { spectralScore }),
    vetoes: texts(row.vetoes),
    ...(asks.length > 0 && { asks }),
    ...(massG !== undefined && { massG: round(massG, 1) }),
    ...(thicknessMm !== undefined && { thicknessMm: round(thicknessMm, 1) }),
    spec: `${text(row.spec_id) ?? ""} ${text(row.spec_version) ?? ""}`.trim(),
    ...(tof && { tof }),
    ...(spectrum && { spectrum }),
    reasons,
  };
}

function tofOfRow(row: Row): TofView | undefined {
  const heightMm = numbers(row.height_matrix);
  const side = Math.sqrt(heightMm.length);
  if (side !== 4 && side !== 8) return undefined;
  const matrix = row.occupied_matrix;
  const occupied = Array.isArray(matrix) ? matrix.flat().map((is) => (is === true || is === 1 ? "1" : "0")) : [];
  const marks = Array.isArray(row.defects)
    ? row.defects.flatMap((defect) => {
        const zone = isRow(defect) && isRow(defect.zone) ? defect.zone : {};
        const index = Number(zone.row) * side + Number(zone.column);
        return Number.isInteger(index) ? [index] : [];
      })
    : [];
  return {
    side,
    heightMm: heightMm.map((mm) => round(mm, 1)),
    occupied: occupied.length === side * side ? occupied.join("") : "1".repeat(side * side),
    marks: [...new Set(marks)].slice(0, 16),
  };
}

function spectrumOfRow(row: Row): SpectrumView | undefined {
  const channels = row.channels;
  if (!isRow(channels)) return undefined;
  const gain = number(row.gain);
  const integrationMs = number(row.integration_time_ms);
  const [l, a, b, deltaE] = [row.color_l, row.color_a, row.color_b, row.delta_e].map(number);
  const color =
    l === undefined || a === undefined || b === undefined || deltaE === undefined
      ? undefined
      : { l: round(l, 1), a: round(a, 1), b: round(b, 1), deltaE: round(deltaE, 1) };
  return {
    counts: CHANNELS.map((channel) => Math.round(number(channels[channel]) ?? 0)),
    reconstructed: texts(row.reconstructed),
    saturated: texts(row.saturated),
    ...(gain !== undefined && { gain }),
    ...(integrationMs !== undefined && { integrationMs }),
    ...(color && { color }),
  };
}

function isReason(value: unknown): value is ReasonView {
  if (!isRow(value)) return false;
  const { code, metric, kind, effect, most } = value;
  const figure = value.value;
  return (
    typeof code === "string" &&
    typeof metric === "string" &&
    (kind === "score" || kind === "veto" || kind === "info") &&
    (figure === null || typeof figure === "number") &&
    (effect === null || typeof effect === "number") &&
    (most === undefined || typeof most === "number")
  );
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function gradeOf(value: unknown): GradeLetter | undefined {
  return GRADES.find((grade) => grade === value);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 64) : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function numbers(value: unknown): number[] {
  const flat = Array.isArray(value) ? value.flat() : [];
  return flat.every((item) => typeof item === "number" && Number.isFinite(item)) ? flat : [];
}
