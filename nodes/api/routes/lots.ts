import Type, { type Static } from "typebox";
import { makeCursor, readTimeCursor } from "../cursor.ts";
import { Nullable } from "../fields.ts";
import { FIGURE_COLUMNS, figuresOf, flatFigures, SUMS, textsIn, withFigures } from "../figures.ts";
import { LookSchema, lookAt } from "../look.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, type Route, type Row, route } from "../route.ts";
import { Cursor, Format, From, Grades, Id, Limit, List, Name, once, To } from "../samples.ts";
import { Conditions, likePattern } from "../sql.ts";

const texts = Type.Array(Type.String());
const Lot = withFigures(
  { lot: Type.String(), breeders: texts, lines: texts, devices: texts },
  { "x-component": "Lot" },
);
export const Day = withFigures({ production_day: Type.String({ format: "date" }) }, { "x-component": "DayFigures" });
const LotDetail = withFigures(
  {
    lot: Type.String(),
    breeders: texts,
    lines: texts,
    devices: texts,
    provenance: Nullable(Type.String()),
    trend: Type.Array(Day),
    by_device: Type.Array(withFigures({ device: Type.String() })),
    ...LookSchema,
  },
  { "x-component": "LotDetail" },
);

export type LotSummary = Static<typeof Lot>;
export type LotAnswer = Static<typeof LotDetail>;

export const GRADE_COUNTS: Readonly<Record<string, string>> = {
  "A+": "count_a_plus",
  A: "count_a",
  B: "count_b",
  C: "count_c",
  REJECT: "count_reject",
};
/** That something of these grades is in it. */
export const hasGrade = (grades: readonly string[] | undefined): string | undefined =>
  grades && `sum(${grades.map((grade) => GRADE_COUNTS[grade]).join(" + ")}) > 0`;

/** Filters of a list of lots: those that touch the period, wholly counted. */
const LOT_FILTERS = {
  q: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "part of a lot's or breeder's name" })),
  lot: Type.Optional(Type.Array(Name, { maxItems: 50, description: "these lots, e.g. five to compare" })),
  from: From,
  to: To,
  breeder: List(Name, "breeders"),
  grade: Grades,
  device: List(Id, "devices"),
  line: List(Id, "lines"),
  site: Type.Optional(Id),
};
const LotQuery = Type.Object({ ...LOT_FILTERS, limit: Limit(1000, 50), cursor: Cursor, format: Format });
const PARTS = `array_agg(DISTINCT eleveur) FILTER (WHERE eleveur IS NOT NULL) AS breeders,
  array_agg(DISTINCT line_id) AS lines, array_agg(DISTINCT device_id) AS devices`;

async function lotRows(
  context: ApiContext,
  query: Static<typeof LotQuery>,
): Promise<{ rows: Row[]; next: string | null }> {
  const { q, lot, from, to, breeder, grade, device, line, site, limit, cursor } = query;
  const inner = new Conditions()
    .add("lot_abattage IS NOT NULL")
    .addIf(lot, "lot_abattage = ANY (?::text[])")
    .addIf(breeder, "eleveur = ANY (?::text[])")
    .addIf(device, "device_id = ANY (?::text[])")
    .addIf(line, "line_id = ANY (?::text[])")
    .addIf(site, "site_id = ?");
  if (q !== undefined) inner.add("(lot_abattage ILIKE ? OR eleveur ILIKE ?)", likePattern(q), likePattern(q));
  const outer = new Conditions(inner.values)
    .addIf(from, "max(last_time) >= ?::timestamptz")
    .addIf(to, "min(first_time) < ?::timestamptz");
  const graded = hasGrade(grade);
  if (graded) outer.add(graded);
  if (cursor !== undefined)
    outer.add("(max(last_time), lot_abattage) < (?::timestamptz, ?)", ...readTimeCursor(cursor));
  const found = await context.query(
    `SELECT lot_abattage AS lot, ${PARTS}, ${SUMS} FROM fusion_lot_stats ${inner.where} GROUP BY lot_abattage ${outer.having}
     ORDER BY max(last_time) DESC, lot_abattage DESC LIMIT ${limit + 1}`,
    outer.values,
    limit + 1,
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const next = found.length > limit && last ? makeCursor([String(last.last_time), String(last.lot)]) : null;
  return { rows, next };
}

const lotOf = (row: Row) => ({
  lot: String(row.lot),
  breeders: textsIn(row, "breeders"),
  lines: textsIn(row, "lines"),
  devices: textsIn(row, "devices"),
  ...figuresOf(row),
});

/** One lot with all that is told of it. @throws Problem 404 `no-such-lot` */
export async function lotDetail(context: ApiContext, lot: string, site: string | undefined): Promise<LotAnswer> {
  const conditions = new Conditions().add("lot_abattage = ?", lot).addIf(site, "site_id = ?");
  const { where, values } = conditions;
  const from = `FROM fusion_lot_stats ${where}`;
  const [row] = await context.query(
    `SELECT min(lot_abattage) AS lot, ${PARTS}, min(provenance) AS provenance, ${SUMS} ${from}`,
    values,
    1,
  );
  if (!row?.samples) throw new Problem(404, "no-such-lot", "there is no sample of this lot");
  const trend = await context.query(`SELECT production_day, ${SUMS} ${from} GROUP BY 1 ORDER BY 1 DESC`, values, 400);
  const devices = await context.query(`SELECT device_id, ${SUMS} ${from} GROUP BY 1 ORDER BY 1`, values, 200);
  const look = await lookAt(context, conditions, row);
  return {
    ...lotOf(row),
    provenance: typeof row.provenance === "string" ? row.provenance : null,
    trend: trend.reverse().map((day) => ({ production_day: String(day.production_day), ...figuresOf(day) })),
    by_device: devices.map((device) => ({ device: String(device.device_id), ...figuresOf(device) })),
    ...look,
  };
}

export const LOT_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/lots",
    operationId: "listLots",
    tag: "lots",
    summary: "Lots with their figures, latest first",
    query: LotQuery,
    response: Type.Object({ lots: Type.Array(Lot), next: Nullable(Type.String()) }, { "x-component": "LotPage" }),
    async handle(context, { query }) {
      const { rows, next } = await lotRows(context, query);
      return { lots: rows.map(lotOf), next };
    },
    csv: (context, { query }) => ({
      columns: ["lot", "breeders", "lines", "devices", ...FIGURE_COLUMNS],
      name: "lots",
      rows: once(
        lotRows(context, query).then(({ rows }) =>
          rows.map((row) => ({
            ...flatFigures(row),
            lot: row.lot,
            breeders: textsIn(row, "breeders").join("; "),
            lines: textsIn(row, "lines").join("; "),
            devices: textsIn(row, "devices").join("; "),
          })),
        ),
      ),
    }),
  }),
  route({
    method: "get",
    path: "/lots/{lot}",
    operationId: "getLot",
    tag: "lots",
    summary: "One lot: figures, trend, devices, defects, and its course sample by sample",
    params: Type.Object({ lot: Name }),
    query: Type.Object({ site: Type.Optional(Id) }),
    response: LotDetail,
    problems: [404],
    handle: (context, { params: { lot }, query: { site } }) => lotDetail(context, lot, site),
  }),
];
