import type { Reason, SpectralAnalysis } from "../sample/sample.ts";
import { gradeOf } from "./grade-letter.ts";
import type { SqalSpectrumScore } from "./sqal-schema.ts";
import type { ScoredSensor } from "./sqal-shape-score.ts";

/**
 * SQAL's spectral score and grade (`sqal.md` 4.2). Of its critical findings only saturation can match, so only that is
 * a veto.
 * @param weight of this sensor in the final score, for the reasons' effects
 */
export function scoreSpectrumSqal(analysis: SpectralAnalysis, spec: SqalSpectrumScore, weight: number): ScoredSensor {
  const { weights } = spec;
  const parts = {
    freshness: analysis.freshnessIndex,
    fatQuality: analysis.fatQualityIndex,
    colorUniformity: analysis.colorUniformity,
    oxidation: 1 - analysis.oxidationIndex,
  };
  const base =
    weights.freshness * parts.freshness +
    weights.fatQuality * parts.fatQuality +
    weights.colorUniformity * parts.colorUniformity +
    weights.oxidation * parts.oxidation;
  const penalty = Math.min(spec.maxDefectPenalty, spec.defectPenalty * analysis.defects.length);
  const score = Math.max(0, base - penalty);
  const isSaturated = analysis.defects.some((defect) => defect.type.startsWith("saturation_"));
  const isVetoed = isSaturated && score < spec.saturationVetoBelow;
  const part = (metric: keyof typeof parts, value: number): Reason => ({
    code: `spectral_${metric}`,
    metric,
    value,
    effect: weight * weights[metric] * parts[metric],
    most: weight * weights[metric],
    kind: "score",
  });
  const reasons: Reason[] = [
    part("freshness", analysis.freshnessIndex),
    part("fatQuality", analysis.fatQualityIndex),
    part("colorUniformity", analysis.colorUniformity),
    part("oxidation", analysis.oxidationIndex),
    {
      code: "spectral_defects",
      metric: "spectralDefects",
      value: analysis.defects.length,
      effect: score === base ? 0 : weight * (score - base),
      kind: "score",
    },
  ];
  const vetoes: Reason[] = isVetoed
    ? [
        {
          code: "spectral_saturation",
          metric: "spectralScore",
          value: score,
          limit: spec.saturationVetoBelow,
          effect: null,
          kind: "veto",
        },
      ]
    : [];
  const scoreGrade = gradeOf(score, spec.grades);
  const grade = isVetoed ? "REJECT" : scoreGrade;
  return { score: { score, grade, parts: { ...parts, defectPenalty: penalty } }, scoreGrade, reasons, vetoes };
}
