import { CodedError } from "../host/errors.ts";
import type { Defect, Grade, Reason, Sample } from "../sample/sample.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { gradeOf } from "./grade-letter.ts";
import { colorMetrics, decisionMetrics, dimensionalMetrics } from "./sqal-business.ts";
import type { SqalSpec } from "./sqal-schema.ts";
import { type ScoredSensor, scoreShapeSqal } from "./sqal-shape-score.ts";
import { scoreSpectrumSqal } from "./sqal-spectrum-score.ts";

type Settings = Pick<SqalSpec, "shapeScore" | "spectrumScore" | "fusion" | "business">;

/**
 * SQAL's grade of an analysed sample (`sqal.md` 4.1 to 4.3). The ToF score counts as computed, without SQAL's random
 * term. With one sensor alone its score and its grade, its own vetoes included, are the final ones.
 * @throws CodedError `not-analysed`
 */
export function gradeSqal(
  sample: Sample,
  spec: Settings,
  identity: Pick<GradeMethod, "id" | "version" | "hash">,
): Grade {
  const shape = sample.vl53l8ch?.analysis;
  const spectrum = sample.as7341?.analysis;
  const { tofWeight, spectralWeight } = spec.fusion;
  const tof = shape && scoreShapeSqal(shape, spec.shapeScore, spectrum ? tofWeight : 1);
  const spectral = spectrum && scoreSpectrumSqal(spectrum, spec.spectrumScore, shape ? spectralWeight : 1);
  const defects = [...(shape?.defects ?? []), ...(spectrum?.defects ?? [])];
  const { score, scoreGrade, vetoes, notes, fusionMode } = fuse(tof, spectral, defects, spec);
  const grade = vetoes.length > 0 ? "REJECT" : scoreGrade;
  return {
    specId: identity.id,
    specVersion: identity.version,
    specHash: identity.hash,
    grade,
    score,
    scoreGrade,
    fusionMode,
    ...(tof && { tof: tof.score }),
    ...(spectral && { spectral: spectral.score }),
    defects,
    vetoes: vetoes.map((reason) => reason.code),
    isCompliant: grade !== "REJECT",
    reasons: [...(tof?.reasons ?? []), ...(spectral?.reasons ?? []), ...notes, ...vetoes],
    metrics: {
      ...(sample.vl53l8ch && dimensionalMetrics(sample.vl53l8ch.frame, spec.business)),
      ...(spectrum && colorMetrics(spectrum, spec.business)),
      ...decisionMetrics(grade, score),
    },
  };
}

interface Fused extends Pick<Grade, "score" | "scoreGrade" | "fusionMode"> {
  vetoes: Reason[];
  /** Findings of a sensor that decide its own grade but not the final one. */
  notes: Reason[];
}

function fuse(
  tof: ScoredSensor | undefined,
  spectral: ScoredSensor | undefined,
  defects: readonly Defect[],
  spec: Settings,
): Fused {
  if (!tof || !spectral) {
    const only = tof ?? spectral;
    if (!only) throw new CodedError("not-analysed", "sample has neither a shape nor a spectral analysis");
    const { scoreGrade, vetoes } = only;
    return { score: only.score.score, scoreGrade, vetoes, notes: [], fusionMode: tof ? "ToF only" : "Spectral only" };
  }
  const { fusion } = spec;
  const score = fusion.tofWeight * tof.score.score + fusion.spectralWeight * spectral.score.score;
  const vetoes: Reason[] = [...spectral.vetoes];
  const veto = (code: string, metric: string, value: number, limit: number) =>
    vetoes.push({ code, metric, value, limit, effect: null, kind: "veto" });
  if (fusion.vetoes.tofReject && tof.score.grade === spec.shapeScore.rejectLabel) {
    veto("tof_reject", "tofScore", tof.score.score, spec.shapeScore.grades.C);
  }
  if (fusion.vetoes.spectralReject && spectral.score.grade === "REJECT") {
    veto("spectral_reject", "spectralScore", spectral.score.score, spec.spectrumScore.grades.C);
  }
  if (defects.length > fusion.vetoes.maxDefects) {
    veto("too_many_defects", "defects", defects.length, fusion.vetoes.maxDefects);
  }
  const notes = tof.vetoes.map((reason): Reason => ({ ...reason, kind: "info" }));
  return { score, scoreGrade: gradeOf(score, fusion.grades), vetoes, notes, fusionMode: "ToF + Spectral" };
}
