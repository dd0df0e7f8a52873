import type { SpectralAnalysis, SpectralReading } from "../sample/sample.ts";
import { bandScore, flooredCounts, ratiosOf, weighted } from "./bands.ts";
import { colorFindingsOf, colorOf } from "./color.ts";
import { spectralDefectsOf } from "./defects.ts";
import type { SqalSpectrumParameters } from "./parameters.ts";
import { qualityJsFiguresOf } from "./quality-js.ts";

export const SQAL_SPECTRUM_METHOD = "sqal/1";

/**
 * SQAL's analysis of one spectral reading (`sqal.md` 4.2, colour 4.3). Indices are 0…1, L*a*b* is SQAL's uncalibrated
 * one. `figures` holds the colour findings' severities and SQAL's older score (`js_…`).
 */
export function analyseSpectrumSqal(reading: SpectralReading, parameters: SqalSpectrumParameters): SpectralAnalysis {
  const counts = flooredCounts(reading.counts);
  const ratios = ratiosOf(counts, parameters);
  const { edgeScore, outsideScore } = parameters;
  const bands = Object.fromEntries(
    Object.entries(parameters.bands).map(([name, { ratio, optimal, acceptable }]) => [
      name,
      bandScore(ratios[ratio] ?? Number.NaN, { optimal, acceptable, edgeScore, outsideScore }),
    ]),
  );
  const fatQualityIndex = weighted(bands, parameters.fatQuality);
  const color = colorOf(counts, parameters);
  return {
    method: SQAL_SPECTRUM_METHOD,
    ratios,
    bands,
    freshnessIndex: weighted(bands, parameters.freshness),
    fatQualityIndex,
    colorUniformity: weighted(bands, parameters.colorUniformity),
    oxidationIndex: 1 - fatQualityIndex,
    color,
    defects: spectralDefectsOf(reading.counts, ratios, parameters),
    figures: { ...colorFindingsOf(counts, color, parameters), ...qualityJsFiguresOf(counts) },
  };
}
