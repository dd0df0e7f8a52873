import type { Defect, SpectralAnalysis, SpectralIndices, SpectralReading } from "../sample/sample.ts";
import type { AnalysisContext } from "../sample/spec.ts";
import { clip } from "../sample/statistics.ts";
import type { ChannelName } from "../sample/units.ts";
import { COLOR_CHANNELS, INTERPOLATING_MATRIX } from "./color-matrix.ts";
import { applyMatrix, deltaE76, deltaE2000, labOfXyz } from "./colour.ts";
import type { ColourParameters } from "./colour-parameters.ts";
import { type Reflectance, reflectanceOf } from "./reflectance.ts";
import { UNMIXED_CHANNELS } from "./responses.ts";
import { type Unmixed, unmix } from "./unmixing.ts";

export const COLOUR_METHOD = "colour/1";

/**
 * Colour and pigments of one reading on reflectance, through the device's calibration in force. `color.deltaE` is
 * CIEDE2000 to the reference (`figures.deltaE76`: CIE 1976). Without a valid calibration, or a reading that it can be
 * applied to, nothing is computed: the figures are NaN, `calibrated` is false and `uncalibratedReasons` say why.
 * One reading alone shows only large stains surely; see `productSpectrum`.
 */
export function analyseSpectrumCalibrated(
  reading: SpectralReading,
  { calibration }: AnalysisContext,
  parameters: ColourParameters,
): SpectralAnalysis {
  const spectral = calibration?.spectral;
  if (!spectral) return uncalibrated(parameters, ["no-calibration"]);
  const measured = reflectanceOf(reading, spectral, parameters.noise);
  const bands = COLOR_CHANNELS.map((channel) => measured.reflectance[channel] ?? Number.NaN);
  const unmixed = unmixingOf(reading, measured, parameters);
  if (bands.some(Number.isNaN) || !unmixed) {
    return uncalibrated(parameters, measured.reasons.length > 0 ? measured.reasons : ["too-few-channels"], measured);
  }
  const xyz = applyMatrix(spectral.colorMatrix?.rows ?? INTERPOLATING_MATRIX, bands);
  const [l, a, b] = labOfXyz(xyz);
  const { id: referenceId, lab } = parameters.reference;
  const indices = indicesOf(unmixed);
  const indexSigmas = sigmasOf(unmixed);
  const oxidationIndex = indices.browning / (indices.browning + parameters.browningHalf);
  const unstained = 1 - clip(indices.blood + indices.bile, 0, 1);
  return {
    method: COLOUR_METHOD,
    ratios: ratiosOf(measured),
    bands: {},
    freshnessIndex: (1 - oxidationIndex) * unstained,
    fatQualityIndex: 1 - oxidationIndex,
    colorUniformity: unstained,
    oxidationIndex,
    color: { l, a, b, deltaE: deltaE2000([l, a, b], lab), referenceId, calibrated: true },
    defects: [
      ...findingOf("blood", indices, indexSigmas, parameters),
      ...findingOf("bile", indices, indexSigmas, parameters),
    ],
    figures: {
      deltaE76: deltaE76([l, a, b], lab),
      diffuseBlood: Math.exp(unmixed.values.lnBlood),
      diffuseBile: Math.exp(unmixed.values.lnBile),
      methaemoglobinShare: unmixed.values.met,
      level: Math.exp(unmixed.values.level),
      hasColorMatrix: spectral.colorMatrix ? 1 : 0,
    },
    calibrated: true,
    reflectance: measured.reflectance,
    reflectanceSigma: measured.sigma,
    xyz,
    indices,
    indexSigmas,
    fitChiSquare: unmixed.chiSquare,
  };
}

function unmixingOf(
  reading: SpectralReading,
  measured: Reflectance,
  parameters: ColourParameters,
): Unmixed | undefined {
  const ratio = reading.passRatio?.Clear;
  return unmix(
    {
      reflectance: UNMIXED_CHANNELS.map((channel) => measured.reflectance[channel] ?? Number.NaN),
      relativeSigma: UNMIXED_CHANNELS.map((channel) => relativeSigma(measured, channel)),
      lnPassRatio: ratio === undefined || reading.scaledToFirstPass ? undefined : Math.log(ratio),
    },
    parameters.unmixing,
  );
}

function relativeSigma({ reflectance, sigma }: Reflectance, channel: ChannelName): number {
  return (sigma[channel] ?? Number.NaN) / Math.max(reflectance[channel] ?? Number.NaN, 1e-3);
}

function indicesOf({ values }: Unmixed): SpectralIndices {
  return {
    blood: values.bloodShare,
    bile: values.bileShare,
    yellowness: Math.exp(values.lnCarotenoid),
    browning: Math.exp(values.lnBrowning),
  };
}

function sigmasOf({ values, sigmas }: Unmixed): SpectralIndices {
  return {
    blood: sigmas.bloodShare,
    bile: sigmas.bileShare,
    yellowness: Math.exp(values.lnCarotenoid) * sigmas.lnCarotenoid,
    browning: Math.exp(values.lnBrowning) * sigmas.lnBrowning,
  };
}

function findingOf(
  type: "blood" | "bile",
  indices: SpectralIndices,
  sigmas: SpectralIndices,
  parameters: ColourParameters,
): Defect[] {
  const { aloneLimit, sigmas: least, full } = parameters[type];
  const share = indices[type];
  if (!(share >= aloneLimit && share >= least * sigmas[type])) return [];
  return [{ sensor: "as7341", type, severity: clip(share / full, 0, 1), value: share }];
}

/** Ratios of mean reflectances: 1 for every grey. Limits for them are for the user to learn. */
const RATIOS: Readonly<Record<string, readonly [over: readonly ChannelName[], under: readonly ChannelName[]]>> = {
  violet_orange: [["F1"], ["F7"]],
  nir_violet: [["NIR"], ["F1"]],
  discoloration: [
    ["F5", "F6"],
    ["F1", "F2"],
  ],
  lipid_oxidation: [["F7", "F8"], ["F4"]],
  freshness: [
    ["F1", "F2"],
    ["F7", "F8"],
  ],
  oil_oxidation: [
    ["F1", "F3"],
    ["F5", "F6"],
  ],
  ingesta: [["F5"], ["F4"]],
};

function ratiosOf({ reflectance }: Reflectance): Record<string, number> {
  const mean = (channels: readonly ChannelName[]) =>
    channels.reduce((sum, channel) => sum + (reflectance[channel] ?? Number.NaN), 0) / channels.length;
  return Object.fromEntries(Object.entries(RATIOS).map(([name, [over, under]]) => [name, mean(over) / mean(under)]));
}

function uncalibrated(parameters: ColourParameters, reasons: string[], measured?: Reflectance): SpectralAnalysis {
  const unknown = Number.NaN;
  return {
    method: COLOUR_METHOD,
    ratios: {},
    bands: {},
    freshnessIndex: unknown,
    fatQualityIndex: unknown,
    colorUniformity: unknown,
    oxidationIndex: unknown,
    color: {
      l: unknown,
      a: unknown,
      b: unknown,
      deltaE: unknown,
      referenceId: parameters.reference.id,
      calibrated: false,
    },
    defects: [],
    figures: {},
    calibrated: false,
    uncalibratedReasons: reasons,
    ...(measured && { reflectance: measured.reflectance, reflectanceSigma: measured.sigma }),
  };
}
