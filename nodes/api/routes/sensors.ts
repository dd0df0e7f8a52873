import Type from "typebox";
import { Nullable, Time } from "../fields.ts";
import { Distribution } from "../figures.ts";
import { Problem } from "../problem.ts";
import { type Route, type Row, route } from "../route.ts";
import { Cursor, conditionsOf, FILTERS, Format, Id, Limit, SampleSummary, samplePage, samplesCsv } from "../samples.ts";
import { Update } from "../update.ts";
import { latestUpdate } from "./samples.ts";

const HOUR_MS = 3_600_000;
/** 90 days. */
const MAX_HOURS = 2160;
export const Hours = Type.Integer({ minimum: 1, maximum: MAX_HOURS, default: 24, description: "how far back" });
const { from: _from, to: _to, ...WHICH } = FILTERS;

const number = Nullable(Type.Number());
const count = Type.Integer();
const Stats = Type.Object(
  {
    hours: Type.Integer(),
    period_start: Time,
    period_end: Time,
    total_samples: count,
    avg_quality_score: number,
    min_quality_score: number,
    max_quality_score: number,
    stddev_quality_score: number,
    grade_distribution: Distribution,
    compliance_rate_pct: number,
    total_defects: count,
    avg_mass_g: number,
    total_mass_g: number,
    avg_volume_mm3: number,
    avg_thickness_mm: number,
    first_sample_at: Nullable(Time),
    last_sample_at: Nullable(Time),
    hourly: Type.Array(
      Type.Object({
        bucket: Time,
        sample_count: count,
        avg_quality_score: number,
        avg_mass_g: number,
        compliance_rate_pct: number,
        grade_distribution: Distribution,
      }),
    ),
  },
  { "x-component": "Stats" },
);

const gradesOf = (row: Row) => ({
  "A+": Number(row.count_a_plus),
  A: Number(row.count_a),
  B: Number(row.count_b),
  C: Number(row.count_c),
  REJECT: Number(row.count_reject),
});

export const SENSOR_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/sensors/latest/",
    operationId: "getLatest",
    tag: "sensors",
    summary: "The newest graded sample",
    query: Type.Object({ device: FILTERS.device, line: FILTERS.line, lot: FILTERS.lot, site: FILTERS.site }),
    response: Update,
    problems: [404],
    async handle(context, { query }) {
      const conditions = conditionsOf(query);
      const update = await latestUpdate(context.query, conditions.where, conditions.values);
      if (!update) throw new Problem(404, "no-sample", "no graded sample yet");
      return update as never;
    },
  }),
  route({
    method: "get",
    path: "/sensors/history/",
    operationId: "getHistory",
    tag: "sensors",
    summary: "Graded samples of the last hours, newest first",
    query: Type.Object({ hours: Hours, ...WHICH, limit: Limit(1000, 100), cursor: Cursor, format: Format }),
    response: Type.Object(
      {
        hours: Type.Integer(),
        from: Time,
        to: Time,
        count: Type.Integer({ description: "samples in this answer" }),
        samples: Type.Array(SampleSummary),
        next: Nullable(Type.String()),
      },
      { "x-component": "History" },
    ),
    async handle(context, { query: { hours, limit, cursor, ...which } }) {
      const to = context.nowMs();
      const from = new Date(to - hours * HOUR_MS).toISOString();
      const { samples, next } = await samplePage(context, { ...which, from }, limit, cursor);
      return { hours, from, to: new Date(to).toISOString(), count: samples.length, samples, next } as never;
    },
    csv: (context, { query: { hours, limit, cursor, ...which } }) =>
      samplesCsv(context, { ...which, from: new Date(context.nowMs() - hours * HOUR_MS).toISOString() }, limit, cursor),
  }),
  route({
    method: "get",
    path: "/sensors/stats/",
    operationId: "getStats",
    tag: "sensors",
    summary: "Figures of the last hours, in all and hour by hour",
    description: "Whole hours are counted, the one in which the period begins included.",
    query: Type.Object({ hours: Hours, line: Type.Optional(Id), site: Type.Optional(Id) }),
    response: Stats,
    async handle({ query }, { query: { hours, line, site } }) {
      const values = [hours, site ?? null, line ?? null];
      const [total = {}] = await query("SELECT * FROM get_recent_stats($1::integer, $2, $3)", values, 1);
      const hourly = await query(
        `SELECT bucket, sum(sample_count)::float8 AS sample_count, sum(count_a_plus)::float8 AS count_a_plus, sum(count_a)::float8 AS count_a,
           sum(count_b)::float8 AS count_b, sum(count_c)::float8 AS count_c, sum(count_reject)::float8 AS count_reject,
           sum(sum_quality_score) / nullif(sum(score_count), 0)::float8 AS avg_quality_score,
           sum(sum_mass_g) / nullif(sum(mass_count), 0)::float8 AS avg_mass_g,
           100 * sum(compliant_count)::float8 / nullif(sum(sample_count), 0)::float8 AS compliance_rate_pct
         FROM fusion_hourly_stats
         WHERE bucket >= $1::timestamptz AND ($2::text IS NULL OR site_id = $2) AND ($3::text IS NULL OR line_id = $3)
         GROUP BY bucket ORDER BY bucket`,
        [total.period_start, site ?? null, line ?? null],
        MAX_HOURS + 2,
      );
      const { count_a_plus, count_a, count_b, count_c, count_reject, ...rest } = total;
      return {
        hours,
        ...rest,
        grade_distribution: gradesOf({ count_a_plus, count_a, count_b, count_c, count_reject }),
        hourly: hourly.map(
          ({ bucket, sample_count, avg_quality_score, avg_mass_g, compliance_rate_pct, ...grades }) => ({
            bucket,
            sample_count,
            avg_quality_score,
            avg_mass_g,
            compliance_rate_pct,
            grade_distribution: gradesOf(grades),
          }),
        ),
      } as never;
    },
  }),
];
