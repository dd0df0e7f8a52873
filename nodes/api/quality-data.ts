/** What the control charts read of the database: a few hundred points, however many samples there are. */
import type { Static } from "typebox";
import type { DeviceCell } from "../spc/device-drift.ts";
import { FIGURES, type Figure, RECORD_COLUMNS } from "../spc/records.ts";
import { Problem } from "./problem.ts";
import type { QualityRecord, QualityRecordView } from "./quality-schema.ts";
import type { ApiContext } from "./route.ts";
import { Conditions } from "./sql.ts";

export const MOST_SINGLES = 250;
const MOST_SLOTS = 200;
/** Successive products per point where nobody says: the usual size of a subgroup. */
const USUAL_SIZE = 5;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const DAY_MS = 1000 * DAY_S;
const SLOTS_S = [
  5,
  10,
  15,
  20,
  30,
  60,
  120,
  300,
  600,
  900,
  1200,
  1800,
  HOUR_S,
  2 * HOUR_S,
  3 * HOUR_S,
  4 * HOUR_S,
].concat(
  [6, 8, 12].map((hours) => hours * HOUR_S),
  [1, 2, 4].map((days) => days * DAY_S),
);
const LONGEST_DAYS = 400;
const USUAL_PERIOD_MS = DAY_MS;

export interface Period {
  fromMs: number;
  toMs: number;
}
export interface Which {
  figure: Figure;
  line?: string | undefined;
  device?: string | undefined;
}
export interface Subgroup {
  time: string;
  values: number[];
}
export interface Subgroups {
  size: number;
  slotS: number | null;
  isCut: boolean;
  subgroups: Subgroup[];
}

/** The last 24 hours where nothing is said. @throws Problem 400 `bad-period` */
export function periodOf(nowMs: number, from: string | undefined, to: string | undefined): Period {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - USUAL_PERIOD_MS : Date.parse(from);
  if (!(fromMs < toMs)) throw new Problem(400, "bad-period", "from: not before to");
  if (toMs - fromMs > LONGEST_DAYS * DAY_MS)
    throw new Problem(400, "bad-period", `from, to: at most ${LONGEST_DAYS} days`);
  return { fromMs, toMs };
}

const iso = (ms: number) => new Date(ms).toISOString();
const numbersIn = (value: unknown): number[] => (Array.isArray(value) ? value.map(Number) : []);

function samplesOf({ siteId }: ApiContext, { figure, line, device }: Which, values: unknown[]): Conditions {
  return new Conditions(values)
    .add("site_id = ?", siteId)
    .addIf(line, "line_id = ?")
    .addIf(device, "device_id = ?")
    .add(`${FIGURES[figure].column} IS NOT NULL`);
}

/**
 * The points of a chart. Single products are the newest of the period. Subgroups are the first so many successive products
 * of each stretch of time (a sample of the process, as somebody with a scale would take it): of a million samples a
 * thousand are read. Stretches are the same whenever one asks.
 * @param size products per point; undefined: single ones where these are few, else the usual subgroups
 */
export async function readSubgroups(
  context: ApiContext,
  which: Which,
  { fromMs, toMs }: Period,
  size: number | undefined,
): Promise<Subgroups> {
  if (size === undefined || size === 1) {
    const conditions = samplesOf(context, which, [])
      .add("time >= ?::timestamptz", iso(fromMs))
      .add("time < ?::timestamptz", iso(toMs));
    const rows = await context.query(
      `SELECT time, ${FIGURES[which.figure].column} AS value FROM fusion_results ${conditions.where}
       ORDER BY time DESC LIMIT ${MOST_SINGLES + 1}`,
      conditions.values,
      MOST_SINGLES + 1,
    );
    const isCut = rows.length > MOST_SINGLES;
    if (!isCut || size === 1) {
      const singles = rows.slice(0, MOST_SINGLES).reverse();
      const subgroups = singles.map(({ time, value }) => ({ time: String(time), values: [Number(value)] }));
      return { size: 1, slotS: null, isCut, subgroups: subgroups.filter(isWhole) };
    }
  }
  const many = size ?? USUAL_SIZE;
  const slotS = SLOTS_S.find((each) => (toMs - fromMs) / 1000 / each <= MOST_SLOTS) ?? 4 * DAY_S;
  const slots = slotsOf({ fromMs, toMs }, slotS);
  const conditions = samplesOf(context, which, [slots.map(([start]) => iso(start)), slots.map(([, end]) => iso(end))])
    .add("time >= slot.start")
    .add("time < slot.finish");
  const rows = await context.query(
    `SELECT slot.start, min(taken.time) AS time, array_agg(taken.value ORDER BY taken.time) AS values
     FROM unnest($1::timestamptz[], $2::timestamptz[]) AS slot (start, finish)
     CROSS JOIN LATERAL (
       SELECT time, ${FIGURES[which.figure].column} AS value FROM fusion_results ${conditions.where} ORDER BY time LIMIT ${many}
     ) taken
     GROUP BY slot.start HAVING count(*) = ${many} ORDER BY slot.start`,
    conditions.values,
    MOST_SLOTS + 2,
  );
  const subgroups = rows.map(({ time, values }) => ({ time: String(time), values: numbersIn(values) }));
  return { size: many, slotS, isCut: false, subgroups: subgroups.filter(isWhole) };
}

/** Without NaN and infinities, which the database can hold. */
const isWhole = ({ values }: Subgroup): boolean => values.every(Number.isFinite);

function slotsOf({ fromMs, toMs }: Period, slotS: number): [startMs: number, endMs: number][] {
  const slotMs = 1000 * slotS;
  const slots: [number, number][] = [];
  for (let start = Math.floor(fromMs / slotMs) * slotMs; start < toMs; start += slotMs)
    slots.push([Math.max(start, fromMs), Math.min(start + slotMs, toMs)]);
  return slots;
}

/** Up to so long a period, cells are hours of the samples themselves; beyond, days of the statistics. */
const SAMPLES_UP_TO_MS = 2 * DAY_MS;
const MOST_CELLS = 20_000;
const SUMS: Readonly<Record<Figure, { count: string; sum: string }>> = {
  thickness: { count: "thickness_count", sum: "sum_thickness_mm" },
  mass: { count: "mass_count", sum: "sum_mass_g" },
  score: { count: "score_count", sum: "sum_quality_score" },
  delta_e: { count: "delta_e_count", sum: "sum_delta_e" },
};

/** What each device saw of each stretch, line and lot. Of a long period whole UTC days are counted. */
export async function readCells(
  context: ApiContext,
  which: Which,
  { fromMs, toMs }: Period,
): Promise<{ cellS: number; isCut: boolean; cells: DeviceCell[] }> {
  const isShort = toMs - fromMs <= SAMPLES_UP_TO_MS;
  const { column } = FIGURES[which.figure];
  const { count, sum } = SUMS[which.figure];
  const conditions = new Conditions().add("site_id = ?", context.siteId).addIf(which.line, "line_id = ?");
  if (isShort)
    conditions
      .add("time >= ?::timestamptz", iso(fromMs))
      .add("time < ?::timestamptz", iso(toMs))
      .add(`${column} IS NOT NULL`)
      .add(`${column} <> 'NaN'`);
  else
    conditions
      .add("bucket >= ?::timestamptz", iso(Math.floor(fromMs / DAY_MS) * DAY_MS))
      .add("bucket < ?::timestamptz", iso(toMs))
      .add(`${count} > 0`);
  const rows = await context.query(
    isShort
      ? `SELECT date_bin(interval '1 hour', time, timestamptz '2000-01-01 00:00:00+00') AS at, line_id, lot_abattage, device_id,
           count(*) AS products, avg(${column}) AS mean
         FROM fusion_results ${conditions.where} GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC`
      : `SELECT bucket AS at, line_id, lot_abattage, device_id, sum(${count})::float8 AS products, sum(${sum}) / sum(${count})::float8 AS mean
         FROM fusion_lot_stats ${conditions.where} GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC`,
    conditions.values,
    MOST_CELLS,
  );
  const cells = rows.map(({ at, line_id, lot_abattage, device_id, products, mean }) => ({
    cell: JSON.stringify([at, line_id, lot_abattage]),
    atMs: Date.parse(String(at)),
    device: String(device_id),
    products: Number(products),
    mean: Number(mean),
  }));
  return {
    cellS: isShort ? HOUR_S : DAY_S,
    isCut: rows.length >= MOST_CELLS,
    cells: cells.filter(({ mean }) => Number.isFinite(mean)),
  };
}

export const recordOf = (row: Record<string, unknown>) => row as Static<typeof QualityRecord>;

/** The baseline in force for just this figure, line and device. */
export async function baselineOf(
  context: ApiContext,
  { figure, line, device }: Which,
): Promise<QualityRecordView | null> {
  const [row] = await context.query(
    `SELECT ${RECORD_COLUMNS} FROM quality_records
     WHERE site_id = $1 AND figure = $2 AND line_id IS NOT DISTINCT FROM $3::text AND device_id IS NOT DISTINCT FROM $4::text
       AND kind <> 'tolerance' ORDER BY record_id DESC LIMIT 1`,
    [context.siteId, figure, line ?? null, device ?? null],
    1,
  );
  return row?.kind === "baseline" ? recordOf(row) : null;
}

/** The tolerance of a figure: the line's own, else that of all lines. */
export async function toleranceOf(context: ApiContext, { figure, line }: Which): Promise<QualityRecordView | null> {
  const rows = await context.query(
    `SELECT * FROM (SELECT DISTINCT ON (line_id) ${RECORD_COLUMNS} FROM quality_records
       WHERE site_id = $1 AND figure = $2 AND (line_id IS NULL OR line_id = $3::text) AND kind = 'tolerance'
       ORDER BY line_id, record_id DESC) newest ORDER BY line NULLS LAST`,
    [context.siteId, figure, line ?? null],
    2,
  );
  const inForce = rows.find(({ lower, upper }) => lower !== null || upper !== null);
  return inForce ? recordOf(inForce) : null;
}
