import Type, { type TSchema } from "typebox";
import type { Sample } from "../sample/sample.ts";
import { thicknessMmOf } from "../sample/thickness.ts";

/** A figure of a sample as the API names it: its column in the database, its schema, and where a sample on its way has it. */
export interface Field {
  name: string;
  schema: TSchema;
  of: (sample: Sample) => unknown;
  /** What to select, where it is not the column of that name. */
  sql?: string;
}

export const Time = Type.String({ format: "date-time" });
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const LETTERS = [
  Type.Literal("A+"),
  Type.Literal("A"),
  Type.Literal("B"),
  Type.Literal("C"),
  Type.Literal("REJECT"),
] as const;
export const Grade = Type.Union([...LETTERS], { "x-component": "Grade" });
const number = Nullable(Type.Number());
const text = Nullable(Type.String());
const Any = Type.Unknown();

const field = (name: string, schema: TSchema, of: Field["of"], sql?: string): Field => ({
  name,
  schema,
  of,
  ...(sql && { sql }),
});

/** Which sample it is. */
export const IDENTITY: readonly Field[] = [
  field("time", Time, (s) => s.measuredAt),
  field("sample_uid", Type.String(), (s) => s.sampleUid),
  field("sample_id", Type.String(), (s) => s.sampleId),
  field("device_id", Type.String(), (s) => s.deviceId),
  field("site_id", Type.String(), (s) => s.siteId),
  field("line_id", Type.String(), (s) => s.lineId),
  field("product_id", text, (s) => s.productId),
  field("received_at", Time, (s) => s.receivedAt),
  field("is_historical", Type.Boolean(), (s) => s.isHistorical),
];

/** Its result in short: the columns of a list. */
export const RESULT: readonly Field[] = [
  field("final_grade", Grade, (s) => s.grade?.grade),
  field("final_quality_score", number, (s) => s.grade?.score),
  field("is_compliant", Type.Boolean(), (s) => s.grade?.isCompliant),
  field("num_defects", Type.Integer(), (s) => s.grade?.defects.length),
  field("mass_g", number, (s) => s.vl53l8ch?.analysis?.massG),
  field("mass_half_width_g", number, (s) => s.vl53l8ch?.analysis?.massHalfWidthG),
  field("volume_mm3", number, (s) => s.vl53l8ch?.analysis?.volumeMm3),
  field("thickness_mm", number, thicknessMmOf),
  field("length_mm", number, (s) => s.vl53l8ch?.analysis?.lengthMm),
  field("width_mm", number, (s) => s.vl53l8ch?.analysis?.widthMm),
  field("vl53l8ch_score", number, (s) => s.grade?.tof?.score),
  field("as7341_score", number, (s) => s.grade?.spectral?.score),
  field("freshness_index", number, (s) => s.as7341?.analysis?.freshnessIndex),
  field("fat_quality_index", number, (s) => s.as7341?.analysis?.fatQualityIndex),
  field("oxidation_index", number, (s) => s.as7341?.analysis?.oxidationIndex),
  field("color_uniformity", number, (s) => s.as7341?.analysis?.colorUniformity),
  field("delta_e", number, (s) => s.as7341?.analysis?.color.deltaE),
  field("lot_abattage", text, (s) => s.lotAbattage),
  field("eleveur", text, (s) => s.eleveur),
  field("provenance", text, (s) => s.provenance),
  field("lot_source", Nullable(Type.Union([Type.Literal("sample"), Type.Literal("line")])), (s) => s.lotSource),
  field("assignment_id", text, (s) => s.assignmentId, "assignment_id::text"),
  field("shift", Type.String(), (s) => s.shift),
  field("production_day", Type.String({ format: "date" }), (s) => s.productionDay),
  field("spec_id", Type.String(), (s) => s.grade?.specId),
  field("spec_version", Type.String(), (s) => s.grade?.specVersion),
];

/** Why it was graded so. */
export const EXPLANATION: readonly Field[] = [
  field("score_grade", text, (s) => s.grade?.scoreGrade),
  field("fusion_mode", text, (s) => s.grade?.fusionMode),
  field("vetoes", Any, (s) => s.grade?.vetoes),
  field("defects", Any, (s) => s.grade?.defects),
  field("reasons", Any, (s) => s.grade?.reasons),
  field("metrics", Any, (s) => s.grade?.metrics),
  field("spec_hash", Type.String(), (s) => s.grade?.specHash),
];

const square = (zones: readonly unknown[] | undefined) => {
  if (!zones) return undefined;
  const side = Math.sqrt(zones.length);
  return Array.from({ length: side }, (_, row) => zones.slice(row * side, (row + 1) * side));
};

/** Of its shape (table vl53l8ch_analysis). */
export const SHAPE: readonly Field[] = [
  field("analysis_version", Type.String(), (s) => s.vl53l8ch?.analysis?.method),
  field("grade", text, (s) => s.grade?.tof?.grade),
  field("quality_score", number, (s) => s.grade?.tof?.score),
  field("volume_mm3", number, (s) => s.vl53l8ch?.analysis?.volumeMm3),
  field("mass_g", number, (s) => s.vl53l8ch?.analysis?.massG),
  field("base_area_mm2", number, (s) => s.vl53l8ch?.analysis?.baseAreaMm2),
  field("avg_height_mm", number, (s) => s.vl53l8ch?.analysis?.averageHeightMm),
  field("max_height_mm", number, (s) => s.vl53l8ch?.analysis?.maxHeightMm),
  field("thickness_mm", number, (s) => s.vl53l8ch?.analysis?.thicknessMm),
  field("surface_uniformity", number, (s) => s.vl53l8ch?.analysis?.surfaceUniformity),
  field("calibrated", Nullable(Type.Boolean()), (s) => s.vl53l8ch?.analysis?.calibrated),
  field("height_matrix", Any, (s) => square(s.vl53l8ch?.analysis?.heightMm)),
  field("defects", Any, (s) => s.vl53l8ch?.analysis?.defects),
  field("num_defects", Nullable(Type.Integer()), (s) => s.vl53l8ch?.analysis?.defects.length),
];

/** Of its colour (table as7341_analysis). */
export const COLOUR: readonly Field[] = [
  field("analysis_version", Type.String(), (s) => s.as7341?.analysis?.method),
  field("grade", text, (s) => s.grade?.spectral?.grade),
  field("quality_score", number, (s) => s.grade?.spectral?.score),
  field("freshness_index", number, (s) => s.as7341?.analysis?.freshnessIndex),
  field("fat_quality_index", number, (s) => s.as7341?.analysis?.fatQualityIndex),
  field("oxidation_index", number, (s) => s.as7341?.analysis?.oxidationIndex),
  field("color_uniformity", number, (s) => s.as7341?.analysis?.colorUniformity),
  field("color_l", number, (s) => s.as7341?.analysis?.color.l),
  field("color_a", number, (s) => s.as7341?.analysis?.color.a),
  field("color_b", number, (s) => s.as7341?.analysis?.color.b),
  field("delta_e", number, (s) => s.as7341?.analysis?.color.deltaE),
  field("calibrated", Nullable(Type.Boolean()), (s) => s.as7341?.analysis?.calibrated),
  field("spectral_ratios", Any, (s) => s.as7341?.analysis?.ratios),
  field("reflectance", Any, (s) => s.as7341?.analysis?.reflectance),
  field("anomalies", Any, (s) => s.as7341?.analysis?.defects),
  field("num_anomalies", Nullable(Type.Integer()), (s) => s.as7341?.analysis?.defects.length),
];

/** Columns to select for these fields. */
export const selected = (fields: readonly Field[], table = ""): string =>
  fields.map(({ name, sql }) => (sql ? `${table}${sql} AS ${name}` : `${table}${name}`)).join(", ");

/** The schema of an object with these fields. */
export const objectOf = (fields: readonly Field[], options: Record<string, unknown> = {}) =>
  Type.Object(Object.fromEntries(fields.map(({ name, schema }) => [name, schema])), options);

/** The same figures of a sample on its way; what is missing, or not a number, is null. */
export function viewOf(fields: readonly Field[], sample: Sample): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ name, of }) => {
      const value = of(sample);
      return [name, value === undefined || Number.isNaN(value) ? null : value];
    }),
  );
}
