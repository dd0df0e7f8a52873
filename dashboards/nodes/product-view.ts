import type { Sample } from "@foieflow/node-red-foieflow/sample/sample.js";
import { CHANNELS, type GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import type { ProductView, ReasonView, RowView, SpectrumView, TofView } from "./view.ts";

const MAX_REASONS = 20;
const MAX_MARKS = 16;
const MAX_ASKS = 6;
/** A metric that costs less of the score than this asks for nothing. */
const LEAST_LOSS = 0.03;
const MAX_TEXT = 64;
const MAX_ROW_TEXT = 36;

/** What the screen shows of a graded sample; undefined for one without a grade. */
export function productOf(sample: Sample): ProductView | undefined {
  const { grade } = sample;
  if (!grade) return undefined;
  const shape = sample.vl53l8ch?.analysis;
  const tof = tofOf(sample);
  const spectrum = spectrumOf(sample);
  const reasons = reasonsOf(grade.reasons);
  const asks = asksOf(grade.grade, reasons);
  return {
    uid: sample.sampleUid,
    sampleId: sample.sampleId,
    device: sample.deviceId,
    ...(sample.lotAbattage !== undefined && { lot: sample.lotAbattage.slice(0, MAX_TEXT) }),
    ...(sample.eleveur !== undefined && { breeder: sample.eleveur.slice(0, MAX_TEXT) }),
    // A device's clock that runs ahead must not keep its product on the tile.
    atMs: Math.min(Date.parse(sample.measuredAt), Date.parse(sample.receivedAt)),
    grade: grade.grade,
    score: round(grade.score, 4),
    scoreGrade: grade.scoreGrade,
    ...(grade.tof && { tofScore: round(grade.tof.score, 4) }),
    ...(grade.spectral && { spectralScore: round(grade.spectral.score, 4) }),
    vetoes: grade.vetoes.slice(0, MAX_MARKS),
    ...(asks.length > 0 && { asks }),
    ...(shape && { massG: round(shape.massG, 1), thicknessMm: round(shape.maxHeightMm, 1) }),
    ...(shape?.massHalfWidthG !== undefined && { massHalfWidthG: round(shape.massHalfWidthG, 1) }),
    spec: `${grade.specId} ${grade.specVersion}`,
    ...(tof && { tof }),
    ...(spectrum && { spectrum }),
    reasons,
  };
}

export function rowOf(product: ProductView, isHistorical: boolean): RowView {
  const { uid, atMs, device, grade, score, lot, breeder } = product;
  return {
    uid,
    atMs,
    device,
    grade,
    score,
    ...(lot !== undefined && { lot: lot.slice(0, MAX_ROW_TEXT) }),
    ...(breeder !== undefined && { breeder: breeder.slice(0, MAX_ROW_TEXT) }),
    ...(isHistorical && { late: true as const }),
  };
}

function tofOf({ vl53l8ch }: Sample): TofView | undefined {
  const analysis = vl53l8ch?.analysis;
  if (!vl53l8ch || !analysis) return undefined;
  const { side } = vl53l8ch.frame;
  const marks = new Set<number>();
  for (const defect of [...analysis.defects].sort((a, b) => b.severity - a.severity)) {
    if (defect.zone && marks.size < MAX_MARKS) marks.add(defect.zone.row * side + defect.zone.column);
  }
  return {
    side,
    heightMm: analysis.heightMm.map((mm) => round(mm, 1)),
    occupied: analysis.occupied.map((is) => (is ? "1" : "0")).join(""),
    marks: [...marks],
  };
}

function spectrumOf({ as7341 }: Sample): SpectrumView | undefined {
  if (!as7341) return undefined;
  const { counts, reconstructed, saturated, gain, integrationMs } = as7341.reading;
  const color = as7341.analysis?.color;
  return {
    counts: CHANNELS.map((channel) => Math.round(counts[channel])),
    reconstructed,
    saturated,
    ...(gain !== undefined && { gain }),
    ...(integrationMs !== undefined && { integrationMs: round(integrationMs, 1) }),
    // Without a calibration there is no colour to speak of: the figures are NaN then.
    ...(color &&
      [color.l, color.a, color.b, color.deltaE].every(Number.isFinite) && {
        color: { l: round(color.l, 1), a: round(color.a, 1), b: round(color.b, 1), deltaE: round(color.deltaE, 1) },
      }),
  };
}

const KIND_ORDER = { veto: 0, score: 1, info: 2 };

/** Vetoes first, then what cost most points, then what gave most, then what is only worth knowing. */
export function reasonsOf(reasons: readonly ReasonView[]): ReasonView[] {
  return [...reasons]
    .sort(
      (a, b) =>
        KIND_ORDER[a.kind] - KIND_ORDER[b.kind] ||
        lossOf(b) - lossOf(a) ||
        Math.abs(b.effect ?? 0) - Math.abs(a.effect ?? 0),
    )
    .slice(0, MAX_REASONS)
    .map(({ code, metric, value, limit, effect, most, kind }) => ({
      code,
      metric,
      kind,
      value: value === null ? null : round(value, 4),
      effect: effect === null ? null : round(effect, 4),
      ...(most !== undefined && { most: round(most, 4) }),
      ...(limit !== undefined && { limit }),
    }));
}

/**
 * What asks something of the operator: a legal minimum before all, then vetoes, and what cost a product that is not good
 * more than a few points.
 * @param reasons in the order of `reasonsOf`
 */
export function asksOf(grade: GradeLetter, reasons: readonly ReasonView[]): string[] {
  const isGood = grade === "A+" || grade === "A";
  const byLaw = reasons.filter(({ code }) => code === "weigh_it");
  const others = reasons.filter(
    (reason) => reason.kind === "veto" || (reason.kind === "score" && !isGood && lossOf(reason) >= LEAST_LOSS),
  );
  return [...new Set([...byLaw, ...others].map(({ code }) => code))].slice(0, MAX_ASKS);
}

/** What of the score was lost by it, as far as it tells. */
function lossOf({ effect, most = 0 }: Pick<ReasonView, "effect" | "most">): number {
  return effect === null ? 0 : Math.max(0, most - effect, -effect);
}

export function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
