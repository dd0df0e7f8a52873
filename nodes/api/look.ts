import Type, { type Static, type TObject } from "typebox";
import { Nullable, Time } from "./fields.ts";
import type { ApiContext, Row } from "./route.ts";
import { Conditions } from "./sql.ts";

/** Most samples looked at one by one. */
const MOST = 5000;
/** Most points of the course. */
const POINTS = 200;

/** What only the samples themselves tell of a lot or breeder. */
export const LookSchema = {
  samples_examined: Type.Integer({
    description: `defects, vetoes and course rest on so many of the newest samples, at most ${MOST}`,
  }),
  defects: Type.Array(
    Type.Object({
      type: Type.String(),
      sensor: Type.String(),
      samples: Type.Integer({ description: "samples that have it" }),
      avg_severity: Nullable(Type.Number()),
      max_severity: Nullable(Type.Number()),
    }),
  ),
  vetoes: Type.Array(Type.Object({ code: Type.String(), samples: Type.Integer() })),
  course: Type.Array(
    Type.Object({
      time: Time,
      sample_count: Type.Integer(),
      avg_quality_score: Nullable(Type.Number()),
      avg_mass_g: Nullable(Type.Number()),
      avg_thickness_mm: Nullable(Type.Number()),
      avg_delta_e: Nullable(Type.Number()),
    }),
    { description: `oldest first, at most ${POINTS} points of equally many samples` },
  ),
};

type Look = Static<TObject<typeof LookSchema>>;

/**
 * Looks at the newest samples of a group.
 * @param conditions which samples (columns of fusion_results)
 * @param times row with `first_time` and `last_time` of the group, so that only those chunks are read
 */
export async function lookAt(context: ApiContext, conditions: Conditions, times: Row): Promise<Look> {
  const chosen = new Conditions(conditions.values)
    .add(conditions.where.replace(/^WHERE /, ""))
    .add("time >= ?::timestamptz", times.first_time)
    .add("time <= ?::timestamptz", times.last_time);
  // One reading of the samples for all three.
  const [found] = await context.query(
    `WITH newest AS MATERIALIZED (
       SELECT time, final_quality_score::float8 AS score, mass_g, thickness_mm, delta_e, num_defects, defects, vetoes
       FROM fusion_results ${chosen.where} ORDER BY time DESC LIMIT ${MOST}
     ), course AS (
       SELECT min(time) AS time, count(*) AS sample_count, avg(score) AS avg_quality_score, avg(mass_g) AS avg_mass_g,
         avg(thickness_mm) AS avg_thickness_mm, avg(delta_e) AS avg_delta_e
       FROM (SELECT *, ntile(${POINTS}) OVER (ORDER BY time) AS part FROM newest) parts GROUP BY part
     ), each_defect AS (
       SELECT d->>'type' AS type, d->>'sensor' AS sensor, max((d->>'severity')::float8) AS severity
       FROM (SELECT row_number() OVER () AS n, defects FROM newest WHERE num_defects > 0) marked, jsonb_array_elements(defects) d
       GROUP BY n, 1, 2
     ), by_type AS (
       SELECT type, sensor, count(*) AS samples, avg(severity) AS avg_severity, max(severity) AS max_severity
       FROM each_defect GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 100
     ), by_veto AS (
       SELECT code, count(*) AS samples FROM newest, jsonb_array_elements_text(vetoes) AS code GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100
     )
     SELECT (SELECT count(*) FROM newest) AS samples_examined,
       (SELECT jsonb_agg(by_type) FROM by_type) AS defects, (SELECT jsonb_agg(by_veto) FROM by_veto) AS vetoes,
       (SELECT jsonb_agg(jsonb_set(to_jsonb(course), '{time}', to_jsonb(to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) ORDER BY time)
          FROM course) AS course`,
    chosen.values,
    1,
  );
  const list = (name: string) => (Array.isArray(found?.[name]) ? found[name] : []);
  return {
    samples_examined: Number(found?.samples_examined ?? 0),
    defects: list("defects"),
    vetoes: list("vetoes"),
    course: list("course"),
  };
}
