import { analyseSpectrumSqal } from "../as7341/analyse-sqal.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { analyseShapeSqal } from "../vl53l8ch/analyse-sqal.ts";
import { gradeSqal } from "./grade-sqal.ts";
import { SqalProfiles } from "./sqal-profile.ts";
import { SqalSpecSchema } from "./sqal-schema.ts";
import { validator } from "./validate.ts";

const checkSpec = validator(SqalSpecSchema, "grade spec");

/**
 * The method `sqal`: SQAL's formulas, for comparison and migration.
 * @throws CodedError `bad-spec`
 */
export function sqalMethod(document: unknown, hash: string): GradeMethod {
  const spec = checkSpec(document);
  const profiles = new SqalProfiles(spec);
  const identity = { id: spec.id, version: spec.version, hash };
  return {
    ...identity,
    method: spec.method,
    analyseShape: (frame, features, deviceId) =>
      analyseShapeSqal(frame, features, profiles.shapeParametersFor(deviceId, features)),
    analyseSpectrum: (reading) => analyseSpectrumSqal(reading, spec.spectrum),
    grade: (sample) => {
      const features = sample.vl53l8ch?.features ?? {};
      const { shapeScore } = profiles.settingsFor(sample.deviceId, features);
      return gradeSqal(sample, { ...spec, shapeScore }, identity);
    },
  };
}
