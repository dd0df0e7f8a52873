import Type, { type Static } from "typebox";
import { makeCursor, readCursor } from "../cursor.ts";
import { Nullable } from "../fields.ts";
import { FIGURE_COLUMNS, figuresOf, flatFigures, SUMS, withFigures } from "../figures.ts";
import { LookSchema, lookAt } from "../look.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, type Route, type Row, route } from "../route.ts";
import { Cursor, Format, From, Grades, Id, Limit, List, Name, once, To } from "../samples.ts";
import { Conditions, likePattern } from "../sql.ts";
import { Day, hasGrade } from "./lots.ts";

const Breeder = withFigures(
  { breeder: Type.String(), lot_count: Type.Integer(), provenance: Nullable(Type.String()) },
  { "x-component": "Breeder" },
);
const BreederDetail = withFigures(
  {
    breeder: Type.String(),
    lot_count: Type.Integer(),
    provenance: Nullable(Type.String()),
    trend: Type.Array(Day),
    lots: Type.Array(withFigures({ lot: Type.String() }), { description: "the newest 100" }),
    ...LookSchema,
  },
  { "x-component": "BreederDetail" },
);

export type BreederSummary = Static<typeof Breeder>;
export type BreederAnswer = Static<typeof BreederDetail>;

const Period = { from: From, to: To, device: List(Id, "devices"), line: List(Id, "lines"), site: Type.Optional(Id) };
const BreederQuery = Type.Object({
  q: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "part of a breeder's name" })),
  breeder: Type.Optional(Type.Array(Name, { maxItems: 50, description: "these breeders, e.g. five to compare" })),
  grade: Grades,
  ...Period,
  limit: Limit(1000, 100),
  cursor: Cursor,
  format: Format,
});
const HEAD = "count(DISTINCT lot_abattage) AS lot_count, min(provenance) AS provenance";

/** Days are whole: a period begins and ends with a production day. */
function periodOf(query: Pick<Static<typeof BreederQuery>, keyof typeof Period>): Conditions {
  return new Conditions()
    .addIf(query.from, "production_day >= (?::timestamptz AT TIME ZONE 'UTC')::date")
    .addIf(query.to, "production_day <= (?::timestamptz AT TIME ZONE 'UTC' - interval '1 microsecond')::date")
    .addIf(query.device, "device_id = ANY (?::text[])")
    .addIf(query.line, "line_id = ANY (?::text[])")
    .addIf(query.site, "site_id = ?");
}

async function breederRows(context: ApiContext, query: Static<typeof BreederQuery>) {
  const { q, breeder, grade, limit, cursor } = query;
  const inner = periodOf(query).add("eleveur IS NOT NULL").addIf(breeder, "eleveur = ANY (?::text[])");
  if (q !== undefined) inner.add("eleveur ILIKE ?", likePattern(q));
  const [after] = cursor === undefined ? [] : readCursor(cursor, 1);
  inner.addIf(after, "eleveur > ?");
  const outer = new Conditions(inner.values);
  const graded = hasGrade(grade);
  if (graded) outer.add(graded);
  const found = await context.query(
    `SELECT eleveur AS breeder, ${HEAD}, ${SUMS} FROM fusion_lot_stats ${inner.where} GROUP BY eleveur ${outer.having}
     ORDER BY eleveur LIMIT ${limit + 1}`,
    outer.values,
    limit + 1,
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last ? makeCursor([String(last.breeder)]) : null };
}

const breederOf = (row: Row) => ({
  breeder: String(row.breeder),
  lot_count: Number(row.lot_count),
  provenance: typeof row.provenance === "string" ? row.provenance : null,
  ...figuresOf(row),
});

export const BREEDER_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/breeders",
    operationId: "listBreeders",
    tag: "breeders",
    summary: "Breeders with their figures, by name",
    description: "Only the production days of the period are counted.",
    query: BreederQuery,
    response: Type.Object(
      { breeders: Type.Array(Breeder), next: Nullable(Type.String()) },
      { "x-component": "BreederPage" },
    ),
    async handle(context, { query }) {
      const { rows, next } = await breederRows(context, query);
      return { breeders: rows.map(breederOf), next };
    },
    csv: (context, { query }) => ({
      columns: ["breeder", "lot_count", "provenance", ...FIGURE_COLUMNS],
      name: "breeders",
      rows: once(
        breederRows(context, query).then(({ rows }) =>
          rows.map((row) => ({
            ...flatFigures(row),
            breeder: row.breeder,
            lot_count: row.lot_count,
            provenance: row.provenance,
          })),
        ),
      ),
    }),
  }),
  route({
    method: "get",
    path: "/breeders/{breeder}",
    operationId: "getBreeder",
    tag: "breeders",
    summary: "One breeder: figures, trend by production day, lots, defects",
    params: Type.Object({ breeder: Name }),
    query: Type.Object(Period),
    response: BreederDetail,
    problems: [404],
    async handle(context, { params: { breeder }, query }) {
      const conditions = periodOf(query).add("eleveur = ?", breeder);
      const { where, values } = conditions;
      const from = `FROM fusion_lot_stats ${where}`;
      const [row] = await context.query(`SELECT min(eleveur) AS breeder, ${HEAD}, ${SUMS} ${from}`, values, 1);
      if (!row?.samples) throw new Problem(404, "no-such-breeder", "there is no sample of this breeder");
      const trend = await context.query(
        `SELECT production_day, ${SUMS} ${from} GROUP BY 1 ORDER BY 1 DESC`,
        values,
        1000,
      );
      const lots = await context.query(
        `SELECT lot_abattage AS lot, ${SUMS} ${from} AND lot_abattage IS NOT NULL GROUP BY 1 ORDER BY max(last_time) DESC`,
        values,
        100,
      );
      const look = await lookAt(context, conditions, row);
      return {
        ...breederOf(row),
        trend: trend.reverse().map((day) => ({ production_day: String(day.production_day), ...figuresOf(day) })),
        lots: lots.map((lot) => ({ lot: String(lot.lot), ...figuresOf(lot) })),
        ...look,
      };
    },
  }),
];
