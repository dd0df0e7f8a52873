import type { Reason, SensorScore, ShapeAnalysis } from "../sample/sample.ts";
import { clip, mean } from "../sample/statistics.ts";
import type { GradeLetter } from "../sample/units.ts";
import type { SqalShapeScore } from "./sqal-schema.ts";

export interface ScoredSensor {
  score: SensorScore;
  /** Grade of the score alone, before the sensor's own vetoes. */
  scoreGrade: GradeLetter;
  reasons: Reason[];
  /** The sensor's own vetoes; each made its grade a reject. */
  vetoes: Reason[];
}

/**
 * SQAL's ToF score and internal grade (`sqal.md` 4.1). The volume part takes the simple volume, as SQAL's own does
 * (its captured scores say so), not the trapezoidal one that is reported.
 * @param weight of this sensor in the final score, for the reasons' effects
 */
export function scoreShapeSqal(analysis: ShapeAnalysis, spec: SqalShapeScore, weight: number): ScoredSensor {
  const means = analysis.histogram?.means;
  const { expectedMm3, tolerance } = spec.volume;
  const reflectancePenalty = analysis.reflectance.lowShare + analysis.reflectance.highShare;
  const meanSeverity = mean(analysis.defects.map((defect) => defect.severity));
  const penalty = clip(spec.defectPenaltyWeight * meanSeverity, 0, 1);
  const parts = {
    volume: volumePart(analysis.volumeSimpleMm3, spec.volume),
    texture: means ? 1 - means.texture : spec.withoutHistogram,
    density: means ? Math.min(1, means.density / spec.densityFullScale) : spec.withoutHistogram,
    signalQuality: means ? means.signalQuality : spec.withoutHistogram,
    reflectance: 1 - reflectancePenalty,
    consistency: analysis.signal.consistent ? 1 : spec.inconsistent,
  };
  const weights = spec.weights;
  const gain =
    weights.volume * parts.volume +
    weights.texture * parts.texture +
    weights.density * parts.density +
    weights.signalQuality * parts.signalQuality +
    weights.reflectance * parts.reflectance +
    weights.consistency * parts.consistency;
  const score = gain * (1 - penalty);
  const worst = Math.max(0, ...analysis.defects.filter((d) => d.type === "foreign_body").map((d) => d.severity));
  const isVetoed = worst > spec.foreignBodyVetoAbove;
  const part = (metric: keyof typeof parts, value: number | null, limit: Reason["limit"]): Reason => ({
    code: `tof_${metric}`,
    metric,
    value,
    ...(limit !== undefined && { limit }),
    effect: weight * weights[metric] * parts[metric],
    most: weight * weights[metric],
    kind: "score",
  });
  const reasons: Reason[] = [
    part("volume", analysis.volumeSimpleMm3, [expectedMm3 * (1 - tolerance), expectedMm3 * (1 + tolerance)]),
    part("texture", means?.texture ?? null, undefined),
    part("density", means?.density ?? null, spec.densityFullScale),
    part("signalQuality", means?.signalQuality ?? null, undefined),
    part("reflectance", reflectancePenalty, undefined),
    part("consistency", analysis.signal.outlierShare, undefined),
    {
      code: "tof_defects",
      metric: "defectSeverity",
      value: meanSeverity,
      effect: penalty === 0 ? 0 : -weight * gain * penalty,
      kind: "score",
    },
  ];
  const vetoes: Reason[] = isVetoed
    ? [
        {
          code: "tof_foreign_body",
          metric: "foreignBodySeverity",
          value: worst,
          limit: spec.foreignBodyVetoAbove,
          effect: null,
          kind: "veto",
        },
      ]
    : [];
  const scoreGrade = letterOf(score, spec);
  const grade = isVetoed || scoreGrade === "REJECT" ? spec.rejectLabel : scoreGrade;
  return { score: { score, grade, parts: { ...parts, defectPenalty: penalty } }, scoreGrade, reasons, vetoes };
}

/** 1 at the expected volume, falling with the distance from it. */
function volumePart(volumeMm3: number, { expectedMm3, tolerance, ...floors }: SqalShapeScore["volume"]): number {
  const low = expectedMm3 * (1 - tolerance);
  const high = expectedMm3 * (1 + tolerance);
  if (volumeMm3 >= low && volumeMm3 <= high) {
    return Math.max(floors.insideFloor, 1 - Math.abs(volumeMm3 - expectedMm3) / (tolerance * expectedMm3));
  }
  return Math.max(floors.outsideFloor, volumeMm3 < low ? volumeMm3 / low : high / volumeMm3);
}

function letterOf(score: number, { grades }: SqalShapeScore): GradeLetter {
  if (score >= grades.A) return "A";
  if (score >= grades.B) return "B";
  return score >= grades.C ? "C" : "REJECT";
}
