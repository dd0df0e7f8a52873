import { analyseSpectrumSqal } from "../as7341/analyse-sqal.ts";
import { CodedError } from "../host/errors.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { analyseShapeSqal } from "../vl53l8ch/analyse-sqal.ts";
import { gradeSqal } from "./grade-sqal.ts";
import { SqalProfiles } from "./sqal-profile.ts";
import { type SqalSpec, SqalSpecSchema } from "./sqal-schema.ts";
import { validator } from "./validate.ts";

const checkSpec = validator(SqalSpecSchema, "grade spec");

/**
 * The method `sqal`: SQAL's formulas, for comparison and migration.
 * @throws CodedError `bad-spec`
 */
export function sqalMethod(document: unknown, hash: string): GradeMethod {
  const spec = checkSpec(document);
  checkReferences(spec);
  const profiles = new SqalProfiles(spec);
  const identity = { id: spec.id, version: spec.version, hash };
  return {
    ...identity,
    method: spec.method,
    analyseShape: (frame, features, { deviceId }) =>
      analyseShapeSqal(frame, features, profiles.shapeParametersFor(deviceId, features)),
    analyseSpectrum: (reading) => analyseSpectrumSqal(reading, spec.spectrum),
    grade: (sample) => {
      const features = sample.vl53l8ch?.features ?? {};
      const { shapeScore } = profiles.settingsFor(sample.deviceId, features);
      return gradeSqal(sample, { ...spec, shapeScore }, identity);
    },
  };
}

/** What the schema cannot say: names that must exist elsewhere in the document, and bands that must lie inside each other. */
function checkReferences({ spectrum }: SqalSpec): void {
  const demand = (holds: boolean, message: string) => {
    if (!holds) throw new CodedError("bad-spec", `grade spec: ${message}`);
  };
  for (const [name, { ratio, optimal, acceptable }] of Object.entries(spectrum.bands)) {
    demand(
      Object.hasOwn(spectrum.ratios, ratio),
      `spectrum.bands.${name} names the ratio ${ratio}, which ratios does not have`,
    );
    const isNested = acceptable[0] < optimal[0] && optimal[0] <= optimal[1] && optimal[1] < acceptable[1];
    demand(isNested, `spectrum.bands.${name}: the optimal band does not lie inside the acceptable one`);
  }
  for (const index of ["freshness", "fatQuality", "colorUniformity"] as const) {
    for (const name of Object.keys(spectrum[index])) {
      demand(
        Object.hasOwn(spectrum.bands, name),
        `spectrum.${index} names the band ${name}, which bands does not have`,
      );
    }
  }
  const { referenceId, references } = spectrum.color;
  demand(
    Object.hasOwn(references, referenceId),
    `spectrum.color.referenceId is ${referenceId}, which references does not have`,
  );
}
