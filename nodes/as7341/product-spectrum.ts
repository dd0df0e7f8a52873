import type { Defect, SpectralAnalysis, SpectralReading } from "../sample/sample.ts";
import { clip, median } from "../sample/statistics.ts";
import { deltaE2000 } from "./colour.ts";
import type { ColourParameters } from "./colour-parameters.ts";
import { UNMIXED_CHANNELS } from "./responses.ts";
import { stainsOf } from "./stains.ts";

/** One reading of a product with its analysis. */
export interface AnalysedReading {
  reading: SpectralReading;
  analysis: SpectralAnalysis;
}

/** The worst reading of a product for one pigment. */
export interface ProductStain {
  /** Share of the spot, and its standard deviation. */
  share: number;
  sigma: number;
  isFound: boolean;
  /** Which of the given readings; −1 when none could be judged. */
  index: number;
}

export interface ProductSpectrum {
  /** Readings that were calibrated and could be compared. */
  readings: number;
  blood: ProductStain;
  bile: ProductStain;
  /** Median colour of the readings without a finding (of all, when every one has one), ΔE by CIEDE2000. */
  color: { l: number; a: number; b: number; deltaE: number } | null;
  defects: Defect[];
}

/**
 * How much of a bile stain the blood's estimate may take for blood, and conversely: their bands overlap in the blue, and
 * the passes see different parts of a stain's edge.
 */
const CROSSTALK = 0.2;

/**
 * What the calibrated readings of one product say together (leave out those that see the belt). Stains are found by the
 * differences between the readings: far more surely than in any one of them, since tissue varies from liver to liver much
 * like thin blood or bile would.
 */
export function productSpectrum(readings: readonly AnalysedReading[], parameters: ColourParameters): ProductSpectrum {
  const calibrated = readings.flatMap(({ reading, analysis }, index) =>
    analysis.calibrated === true ? [{ reading, analysis, index }] : [],
  );
  const stains = stainsOf(
    calibrated.map(({ reading, analysis }) => spectrumOf(reading, analysis)),
    parameters.unmixing,
  );
  const worst = (kind: "blood" | "bile"): ProductStain => {
    const other = kind === "blood" ? "bile" : "blood";
    const { limit, sigmas } = parameters[kind];
    const judged = stains.map((stain) => {
      const share = Math.max(0, stain[kind] - CROSSTALK * stain[other]);
      const sigma = kind === "blood" ? stain.bloodSigma : stain.bileSigma;
      return {
        share,
        sigma,
        isFound: share >= limit && share >= sigmas * sigma,
        index: calibrated[stain.index]?.index ?? -1,
      };
    });
    const none: ProductStain = { share: 0, sigma: Number.POSITIVE_INFINITY, isFound: false, index: -1 };
    return judged.reduce((best, one) => (isWorse(one, best) ? one : best), none);
  };
  const blood = worst("blood");
  const bile = worst("bile");
  return {
    readings: stains.length,
    blood,
    bile,
    color: colorOf(calibrated, stains, parameters),
    defects: [...defectOf("blood", blood, parameters), ...defectOf("bile", bile, parameters)],
  };
}

/** Found goes before not found; then the greater share. */
function isWorse(one: ProductStain, other: ProductStain): boolean {
  return one.isFound === other.isFound ? one.share > other.share || other.index < 0 : one.isFound;
}

function spectrumOf(reading: SpectralReading, { reflectance = {}, reflectanceSigma = {} }: SpectralAnalysis) {
  const ratio = reading.passRatio?.Clear;
  return {
    reflectance: UNMIXED_CHANNELS.map((channel) => reflectance[channel] ?? Number.NaN),
    relativeSigma: UNMIXED_CHANNELS.map(
      (channel) => (reflectanceSigma[channel] ?? Number.NaN) / Math.max(reflectance[channel] ?? Number.NaN, 1e-3),
    ),
    lnPassRatio: ratio === undefined || reading.scaledToFirstPass ? undefined : Math.log(ratio),
  };
}

function colorOf(
  calibrated: readonly { analysis: SpectralAnalysis }[],
  stains: readonly { index: number; blood: number; bile: number }[],
  { blood, bile, reference }: ColourParameters,
): ProductSpectrum["color"] {
  const clean = stains.filter((stain) => stain.blood < blood.limit && stain.bile < bile.limit);
  const chosen = (clean.length > 0 ? clean : stains).flatMap(({ index }) => calibrated[index]?.analysis.color ?? []);
  const l = median(chosen.map((color) => color.l));
  const a = median(chosen.map((color) => color.a));
  const b = median(chosen.map((color) => color.b));
  if (l === undefined || a === undefined || b === undefined) return null;
  return { l, a, b, deltaE: deltaE2000([l, a, b], reference.lab) };
}

function defectOf(type: "blood" | "bile", { isFound, share }: ProductStain, parameters: ColourParameters): Defect[] {
  if (!isFound) return [];
  return [{ sensor: "as7341", type, severity: clip(share / parameters[type].full, 0, 1), value: share }];
}
