import type { Grade, SpectralAnalysis, TofFrame } from "../sample/sample.ts";
import { mean, populationStd } from "../sample/statistics.ts";
import type { GradeLetter } from "../sample/units.ts";
import type { SqalBusiness } from "./sqal-schema.ts";

type Metrics = Grade["metrics"];

/** SQAL's thickness, fill and process figures of one frame, under SQAL's names. The process window is this sample alone. */
export function dimensionalMetrics(frame: TofFrame, spec: SqalBusiness): Metrics {
  const [nearMm, farMm] = spec.thickness.validMm;
  const valid = frame.distanceMm.filter((distance) => distance > nearMm && distance < farMm);
  const thicknessMm = mean(valid);
  const stdMm = populationStd(valid);
  const category = spec.thickness.categories.find(({ fromMm, toMm }) => thicknessMm >= fromMm && thicknessMm <= toMm);
  const isIrregular = stdMm > spec.thickness.irregularAboveStdMm;
  const fillDeviationMm = thicknessMm - spec.fill.targetMm;
  const fillConforms = Math.abs(fillDeviationMm) <= spec.fill.conformWithinMm;
  const dimensionalScore = Math.max(
    0,
    (category?.score ?? spec.thickness.outsideScore) -
      (isIrregular ? spec.thickness.irregularPenalty : 0) -
      (fillConforms ? 0 : spec.fill.penalty),
  );
  return {
    lobe_thickness_mm: thicknessMm,
    thickness_std_mm: stdMm,
    thickness_category: category?.name ?? spec.thickness.outsideCategory,
    is_irregular_lobe: isIrregular,
    estimated_volume_cm3: valid.reduce((sum, distance) => sum + (distance / 10) * spec.volume.zoneCm2, 0),
    fill_level_mm: thicknessMm,
    fill_level_percent: (thicknessMm / spec.fill.targetMm) * 100,
    fill_conformity: fillConforms,
    fill_deviation_mm: fillDeviationMm,
    dimensional_conformity_score: dimensionalScore,
    dimensional_conformity_percent: dimensionalScore,
    has_underfill: Math.abs(fillDeviationMm) > spec.fill.alertBeyondMm,
    process_cp: null,
    process_cpk: null,
    process_capability: "insufficient_data",
    process_mean: thicknessMm,
    process_std: 0,
    is_centered: null,
  };
}

/** SQAL's colour figures, under SQAL's names. */
export function colorMetrics(analysis: SpectralAnalysis, spec: SqalBusiness): Metrics {
  const { l, a, b, deltaE, referenceId } = analysis.color;
  const hematoma = analysis.figures.hematoma_severity ?? 0;
  const bile = analysis.figures.bile_severity ?? 0;
  const oxidation = analysis.figures.oxidation_severity ?? 0;
  const findings = [hematoma, bile, oxidation].filter((severity) => severity > 0).length;
  const colorScore = colorScoreOf(l, deltaE, spec.color);
  return {
    l_star: l,
    a_star: a,
    b_star: b,
    delta_e: deltaE,
    reference_id: referenceId,
    color_score_premium: colorScore,
    color_conformity_percent: colorScore,
    has_hematoma: hematoma > 0,
    hematoma_severity: hematoma,
    has_bile_traces: bile > 0,
    bile_severity: bile,
    has_oxidation: oxidation > 0,
    oxidation_severity: oxidation,
    defect_rate_percent: (findings / 3) * 100,
    has_critical_color_deviation: deltaE > spec.color.criticalDeltaE,
    has_oxidation_trend: oxidation > spec.oxidationTrendAbove,
  };
}

/** What SQAL calls compliant (all but a reject), downgraded (a reject too) and rejected. */
export function decisionMetrics(grade: GradeLetter, score: number): Metrics {
  return {
    global_quality_score_100: score * 100,
    is_compliant: grade !== "REJECT",
    is_downgraded: grade === "B" || grade === "C" || grade === "REJECT",
    is_rejected: grade === "REJECT",
  };
}

function colorScoreOf(l: number, deltaE: number, spec: SqalBusiness["color"]): number {
  const score =
    deltaE < spec.fullScoreBelow
      ? 100
      : deltaE <= spec.middleBelow
        ? 100 - spec.middleSlope * (deltaE - spec.fullScoreBelow)
        : Math.max(0, spec.outsideStart - spec.outsideSlope * (deltaE - spec.middleBelow));
  const { from, to, points } = spec.lightnessBonus;
  return l >= from && l <= to ? Math.min(100, score + points) : score;
}
