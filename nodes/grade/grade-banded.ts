import { CodedError } from "../host/errors.ts";
import type { Grade, Reason, Sample, SensorScore } from "../sample/sample.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { GRADES, type GradeLetter } from "../sample/units.ts";
import { type Figures, figuresOf } from "./banded-figures.ts";
import { type BandedSpec, type Figure, SHAPE_FIGURES } from "./banded-schema.ts";
import { gradeOf } from "./grade-letter.ts";

type Part = BandedSpec["parts"][number];

const isShape = (figure: Figure) => SHAPE_FIGURES.some((name) => name === figure);

/**
 * The grade of an analysed product under a banded spec. A figure that is not known (no calibration, no reading) takes no
 * part: the others share its weight, and a reason says so.
 * @throws CodedError `not-analysed` when no figure of the spec is known
 */
export function gradeBanded(
  sample: Sample,
  spec: BandedSpec,
  identity: Pick<GradeMethod, "id" | "version" | "hash">,
): Grade {
  const figures = figuresOf(sample);
  const known = spec.parts.filter(({ figure }) => figures[figure] !== undefined);
  const total = sum(known.map(({ weight }) => weight));
  if (total === 0) throw new CodedError("not-analysed", "none of the figures this grade spec scores is known");

  const reasons: Reason[] = [];
  let score = 0;
  for (const part of known) {
    const value = figures[part.figure] ?? 0;
    const most = part.weight / total;
    const effect = most * curveAt(part.curve, value);
    score += effect;
    reasons.push({
      code: `part_${part.figure}`,
      metric: part.figure,
      value,
      limit: fullBand(part),
      effect,
      most,
      kind: "score",
    });
  }
  for (const { figure } of spec.parts)
    if (figures[figure] === undefined)
      reasons.push({ code: "not_known", metric: figure, value: null, effect: null, kind: "info" });

  const scoreGrade = gradeOf(score, spec.grades);
  let grade: GradeLetter = scoreGrade;
  const vetoes: string[] = [];
  for (const { figure, above, best } of spec.caps) {
    const value = figures[figure];
    if (value === undefined || value <= above) continue;
    if (rank(grade) <= rank(best) && best !== "REJECT") continue; // already no better than the cap allows
    grade = worse(grade, best);
    const code = best === "REJECT" ? `reject_${figure}` : `cap_${figure}`;
    vetoes.push(code);
    reasons.push({ code, metric: figure, value, limit: above, effect: null, kind: "veto" });
  }
  reasons.push(...massNotes(sample, spec));

  const tof = sensorScore(
    known.filter(({ figure }) => isShape(figure)),
    figures,
    spec,
  );
  const spectral = sensorScore(
    known.filter(({ figure }) => !isShape(figure)),
    figures,
    spec,
  );
  return {
    specId: identity.id,
    specVersion: identity.version,
    specHash: identity.hash,
    grade,
    score,
    scoreGrade,
    fusionMode: tof && spectral ? "ToF + Spectral" : tof ? "ToF only" : "Spectral only",
    ...(tof && { tof }),
    ...(spectral && { spectral }),
    defects: [...(sample.vl53l8ch?.analysis?.defects ?? []), ...(sample.as7341?.analysis?.defects ?? [])],
    vetoes,
    isCompliant: grade !== "REJECT",
    reasons,
    metrics: metricsOf(sample, figures),
  };
}

/** A ToF mass never decides about a legal minimum: where it may lie below, the liver is to be weighed. */
function massNotes(sample: Sample, { legalMinimumG }: BandedSpec): Reason[] {
  const shape = sample.vl53l8ch?.analysis;
  if (!shape || shape.massG - (shape.massHalfWidthG ?? 0) >= legalMinimumG) return [];
  return [{ code: "weigh_it", metric: "mass", value: shape.massG, limit: legalMinimumG, effect: null, kind: "info" }];
}

function sensorScore(parts: readonly Part[], figures: Figures, { grades }: BandedSpec): SensorScore | undefined {
  const total = sum(parts.map(({ weight }) => weight));
  if (total === 0) return undefined;
  const scores = parts.map((part): [string, number] => [part.figure, curveAt(part.curve, figures[part.figure] ?? 0)]);
  const score = sum(parts.map((part, index) => (part.weight / total) * (scores[index]?.[1] ?? 0)));
  return { score, grade: gradeOf(score, grades), parts: Object.fromEntries(scores) };
}

function metricsOf(sample: Sample, figures: Figures): Grade["metrics"] {
  const shape = sample.vl53l8ch?.analysis;
  return {
    ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value ?? null])),
    mass_half_width_g: shape?.massHalfWidthG ?? null,
    shape_calibrated: shape?.calibrated ?? null,
    color_calibrated: sample.as7341?.analysis?.color.calibrated ?? null,
  };
}

/** Value of a curve through points with rising abscissas; level beyond its ends. */
export function curveAt(curve: BandedSpec["parts"][number]["curve"], value: number): number {
  const [first] = curve;
  if (!first || value <= first[0]) return first?.[1] ?? 0;
  for (let index = 1; index < curve.length; index += 1) {
    const [left, right] = [curve[index - 1], curve[index]];
    if (left && right && value <= right[0])
      return left[1] + ((value - left[0]) / (right[0] - left[0])) * (right[1] - left[1]);
  }
  return curve.at(-1)?.[1] ?? 0;
}

/** The stretch of a curve that earns the most, which a reason shows: a band, or the one value it shrinks to. */
function fullBand({ curve }: Part): number | [number, number] {
  const best = Math.max(...curve.map(([, score]) => score));
  const at = curve.filter(([, score]) => score === best).map(([value]) => value);
  const [low, high] = [at[0] ?? 0, at.at(-1) ?? 0];
  return low === high ? low : [low, high];
}

const rank = (letter: GradeLetter) => GRADES.length - GRADES.indexOf(letter);
const worse = (a: GradeLetter, b: GradeLetter) => (rank(a) < rank(b) ? a : b);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
