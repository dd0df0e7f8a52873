import Type from "typebox";
import { Nullable, Time } from "./fields.ts";
import type { Row } from "./route.ts";

const number = Nullable(Type.Number());
const count = Type.Integer({ minimum: 0 });

/** Samples by grade. */
export const Distribution = Type.Object(
  { "A+": count, A: count, B: count, C: count, REJECT: count },
  { "x-component": "GradeDistribution" },
);

const FIGURES = {
  sample_count: count,
  grade_distribution: Distribution,
  compliance_rate_pct: number,
  avg_quality_score: number,
  min_quality_score: number,
  max_quality_score: number,
  stddev_quality_score: number,
  defect_count: count,
  defect_rate_pct: Nullable(Type.Number({ description: "percent of the samples with a defect" })),
  avg_mass_g: number,
  min_mass_g: number,
  max_mass_g: number,
  total_mass_g: number,
  avg_thickness_mm: number,
  avg_delta_e: number,
  first_sample_at: Nullable(Time),
  last_sample_at: Nullable(Time),
};

/** Schema of an object with these properties and the figures of many samples. */
export const withFigures = <P extends Record<string, import("typebox").TSchema>>(
  properties: P,
  options: Record<string, unknown> = {},
) => Type.Object({ ...properties, ...FIGURES }, options);

/** Sums over rows of fusion_lot_stats; `figuresOf` makes figures of them. */
export const SUMS = `sum(sample_count)::float8 AS samples, sum(count_a_plus)::float8 AS a_plus, sum(count_a)::float8 AS a,
  sum(count_b)::float8 AS b, sum(count_c)::float8 AS c, sum(count_reject)::float8 AS reject, sum(compliant_count)::float8 AS compliant,
  sum(score_count)::float8 AS scores, sum(sum_quality_score) AS score_sum, sum(sum_quality_score_squared) AS score_squares,
  min(min_quality_score) AS score_min, max(max_quality_score) AS score_max, sum(defect_count)::float8 AS defects,
  sum(with_defects_count)::float8 AS with_defects, sum(mass_count)::float8 AS masses, sum(sum_mass_g) AS mass_sum,
  min(min_mass_g) AS mass_min, max(max_mass_g) AS mass_max, sum(thickness_count)::float8 AS thicknesses,
  sum(sum_thickness_mm) AS thickness_sum, sum(delta_e_count)::float8 AS delta_es, sum(sum_delta_e) AS delta_e_sum,
  min(first_time) AS first_time, max(last_time) AS last_time`;

const numberIn = (row: Row, name: string): number | null => {
  const value = row[name];
  return typeof value === "number" ? value : null;
};
const whole = (row: Row, name: string): number => numberIn(row, name) ?? 0;
const ratio = (sum: number | null, over: number): number | null => (sum === null || over === 0 ? null : sum / over);

/** The figures of a row of `SUMS`. */
export function figuresOf(row: Row) {
  const samples = whole(row, "samples");
  const scores = whole(row, "scores");
  const sum = numberIn(row, "score_sum");
  const squares = numberIn(row, "score_squares");
  const percent = (part: number) => (samples === 0 ? null : (100 * part) / samples);
  return {
    sample_count: samples,
    grade_distribution: distributionOf(row),
    compliance_rate_pct: percent(whole(row, "compliant")),
    avg_quality_score: ratio(sum, scores),
    min_quality_score: numberIn(row, "score_min"),
    max_quality_score: numberIn(row, "score_max"),
    // The sums leave rounding errors, which must not go below zero.
    stddev_quality_score:
      sum === null || squares === null || scores < 2
        ? null
        : Math.sqrt(Math.max(0, (squares - (sum * sum) / scores) / (scores - 1))),
    defect_count: whole(row, "defects"),
    defect_rate_pct: percent(whole(row, "with_defects")),
    avg_mass_g: ratio(numberIn(row, "mass_sum"), whole(row, "masses")),
    min_mass_g: numberIn(row, "mass_min"),
    max_mass_g: numberIn(row, "mass_max"),
    total_mass_g: numberIn(row, "mass_sum"),
    avg_thickness_mm: ratio(numberIn(row, "thickness_sum"), whole(row, "thicknesses")),
    avg_delta_e: ratio(numberIn(row, "delta_e_sum"), whole(row, "delta_es")),
    first_sample_at: timeIn(row, "first_time"),
    last_sample_at: timeIn(row, "last_time"),
  };
}

export const distributionOf = (row: Row) => ({
  "A+": whole(row, "a_plus"),
  A: whole(row, "a"),
  B: whole(row, "b"),
  C: whole(row, "c"),
  REJECT: whole(row, "reject"),
});

export const timeIn = (row: Row, name: string): string | null => {
  const value = row[name];
  return typeof value === "string" ? value : null;
};

/** The texts of an array column. */
export const textsIn = (row: Row, name: string): string[] => {
  const value = row[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
};

/** Figures in the order of a table, grades as columns. */
export const FIGURE_COLUMNS: readonly string[] = Object.keys(FIGURES).flatMap((name) =>
  name === "grade_distribution" ? ["count_a_plus", "count_a", "count_b", "count_c", "count_reject"] : [name],
);

/** A row of figures with the grades as columns of their own. */
export function flatFigures(row: Row): Row {
  const { grade_distribution: _grades, ...figures } = figuresOf(row);
  const { a_plus, a, b, c, reject } = row;
  return { ...figures, count_a_plus: a_plus, count_a: a, count_b: b, count_c: c, count_reject: reject };
}
