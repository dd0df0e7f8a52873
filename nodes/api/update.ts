import Type from "typebox";
import type { Sample } from "../sample/sample.ts";
import {
  COLOUR,
  EXPLANATION,
  type Field,
  IDENTITY,
  Nullable,
  objectOf,
  RESULT,
  SHAPE,
  selected,
  Time,
  viewOf,
} from "./fields.ts";
import type { Row } from "./route.ts";

const FUSION: readonly Field[] = [...IDENTITY, ...RESULT, ...EXPLANATION];

/** One sample as SQAL's clients know it: the result, and each sensor's analysis. */
export const Update = Type.Object(
  {
    timestamp: Time,
    device_id: Type.String(),
    sample_id: Type.String(),
    fusion: objectOf(FUSION),
    vl53l8ch: Nullable(objectOf(SHAPE)),
    as7341: Nullable(objectOf(COLOUR)),
  },
  { "x-component": "SensorUpdate" },
);

/** The update of a graded sample on its way; undefined for one without a grade. */
export function updateOf(sample: Sample): Record<string, unknown> | undefined {
  if (!sample.grade) return undefined;
  return {
    timestamp: sample.measuredAt,
    device_id: sample.deviceId,
    sample_id: sample.sampleId,
    fusion: viewOf(FUSION, sample),
    vl53l8ch: sample.vl53l8ch?.analysis ? viewOf(SHAPE, sample) : null,
    as7341: sample.as7341?.analysis ? viewOf(COLOUR, sample) : null,
  };
}

export const FUSION_SQL = `SELECT ${selected(FUSION)} FROM fusion_results`;
export const SHAPE_SQL = `SELECT ${selected(SHAPE)} FROM vl53l8ch_analysis WHERE sample_uid = $1 AND time = $2`;
export const COLOUR_SQL = `SELECT ${selected(COLOUR)} FROM as7341_analysis WHERE sample_uid = $1 AND time = $2`;

/** The update of a stored sample, out of its rows. */
export function updateOfRows(fusion: Row, shape: Row | undefined, colour: Row | undefined): Row {
  return {
    timestamp: fusion.time,
    device_id: fusion.device_id,
    sample_id: fusion.sample_id,
    fusion,
    vl53l8ch: shape ?? null,
    as7341: colour ?? null,
  };
}
