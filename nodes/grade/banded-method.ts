import { analyseSpectrumCalibrated } from "../as7341/analyse-colour.ts";
import { type AnalysedReading, productSpectrum } from "../as7341/product-spectrum.ts";
import { CodedError } from "../host/errors.ts";
import type { SpectralAnalysis } from "../sample/sample.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { median } from "../sample/statistics.ts";
import { analyseProduct } from "../vl53l8ch/analyse-product.ts";
import { analyseShape } from "../vl53l8ch/analyse-shape.ts";
import { type BandedSpec, BandedSpecSchema } from "./banded-schema.ts";
import { gradeBanded } from "./grade-banded.ts";
import { validator } from "./validate.ts";

const checkSpec = validator(BandedSpecSchema, "grade spec");

/**
 * The method `banded`: the corrected shape and colour analyses, through the device's calibration, and a score by bands.
 * @throws CodedError `bad-spec`
 */
export function bandedMethod(document: unknown, hash: string): GradeMethod {
  const spec = checkSpec(document);
  checkOrder(spec);
  const identity = { id: spec.id, version: spec.version, hash };
  return {
    ...identity,
    method: spec.method,
    analyseShape: (frame, _features, context) => analyseShape(frame, context, spec.shape),
    analyseProduct: (looks, context) => analyseProduct(looks, context, spec.shape),
    analyseSpectrum: (reading, context) => analyseSpectrumCalibrated(reading, context, spec.colour),
    analyseProductSpectrum: (readings) => spectrumOfProduct(readings, spec),
    grade: (sample) => gradeBanded(sample, spec, identity),
  };
}

/**
 * One analysis for all readings of a product. Colour is the median of its unstained places, pigments the median of all;
 * blood and bile are what the comparison of the readings found, and nothing where it found none.
 */
function spectrumOfProduct(readings: readonly AnalysedReading[], spec: BandedSpec): SpectralAnalysis {
  const calibrated = readings.filter(({ analysis }) => analysis.calibrated === true);
  const base = (calibrated[0] ?? readings[0])?.analysis;
  if (!base) throw new CodedError("not-analysed", "no reading of the product was analysed");
  if (calibrated.length === 0) return base;
  const { blood, bile, color, defects } = productSpectrum(readings, spec.colour);
  const middle = (name: "yellowness" | "browning") =>
    median(calibrated.flatMap(({ analysis }) => analysis.indices?.[name] ?? [])) ?? Number.NaN;
  return {
    ...base,
    color: color ? { ...base.color, ...color } : base.color,
    defects,
    indices: {
      blood: blood.isFound ? blood.share : 0,
      bile: bile.isFound ? bile.share : 0,
      yellowness: middle("yellowness"),
      browning: middle("browning"),
    },
  };
}

/** What the schema cannot say: curves run to the right, grades fall, each figure scores once. */
function checkOrder({ parts, grades }: BandedSpec): void {
  const demand = (holds: boolean, message: string) => {
    if (!holds) throw new CodedError("bad-spec", `grade spec: ${message}`);
  };
  const seen = new Set<string>();
  for (const { figure, curve } of parts) {
    demand(!seen.has(figure), `parts: ${figure} scores twice`);
    seen.add(figure);
    const rises = curve.every(([value], index) => index === 0 || value > (curve[index - 1]?.[0] ?? 0));
    demand(rises, `parts: the curve of ${figure} does not run from lower to higher values`);
  }
  const limits = [grades["A+"], grades.A, grades.B, grades.C];
  const falls = limits.every((limit, index) => index === 0 || limit < (limits[index - 1] ?? 1));
  demand(falls, "grades: each limit lies below the one of the better grade");
}
