import type { SpectralAnalysis, SpectralReading } from "../sample/sample.ts";
import type { GradeMethod, ProductEvidence, ProductFigures } from "../sample/spec.ts";
import { mean } from "../sample/statistics.ts";
import { CHANNELS } from "../sample/units.ts";

/**
 * What a method finds in all that was measured of one product. Takes 100 to 300 ms where frames are fitted together.
 * @throws what the method throws
 */
export function figuresOfProduct({ looks, readings, context }: ProductEvidence, spec: GradeMethod): ProductFigures {
  const shape = looks.length > 0 ? spec.analyseProduct?.(looks, context) : undefined;
  const spectral = spectrumOf({ looks, readings, context }, spec);
  return { ...(shape && { shape }), ...(spectral && { spectral }) };
}

/**
 * The product's colour: the method's own judgement, else its analysis of the mean of the readings. Stains are then looked for
 * reading by reading, because a mean thins them out: of blood and bile the strongest reading counts.
 */
function spectrumOf({ readings, context }: ProductEvidence, spec: GradeMethod): SpectralAnalysis | undefined {
  if (spec.analyseProductSpectrum) {
    const analysed = readings.flatMap(({ reading, analysis }) => (analysis ? [{ reading, analysis }] : []));
    if (analysed.length > 0) return spec.analyseProductSpectrum(analysed, context);
  }
  const [first] = readings.map(({ reading }) => reading);
  if (!first) return undefined;
  const alike = readings.flatMap(({ reading }) =>
    reading.gain === first.gain && reading.integrationMs === first.integrationMs ? [reading] : [],
  );
  const singles = readings.flatMap(({ analysis }) => analysis ?? []);
  return withStrongestStains(spec.analyseSpectrum(meanReading(alike), context), singles);
}

/** Mean of readings taken with the same gain and timing. */
export function meanReading(readings: readonly SpectralReading[]): SpectralReading {
  const [first] = readings;
  if (!first) throw new RangeError("no reading");
  const counts = { ...first.counts };
  const basicCounts: NonNullable<SpectralReading["basicCounts"]> = {};
  for (const channel of CHANNELS) {
    counts[channel] = mean(readings.map((reading) => reading.counts[channel]));
    const basic = readings.flatMap((reading) => reading.basicCounts?.[channel] ?? []);
    if (basic.length > 0) basicCounts[channel] = mean(basic);
  }
  const saturated = CHANNELS.filter((channel) => readings.some((reading) => reading.saturated.includes(channel)));
  const { passes: _, ...rest } = first;
  return { ...rest, counts, saturated, ...(first.basicCounts && { basicCounts }) };
}

function withStrongestStains(analysis: SpectralAnalysis, singles: readonly SpectralAnalysis[]): SpectralAnalysis {
  if (!analysis.indices) return analysis;
  const indices = { ...analysis.indices };
  const indexSigmas = analysis.indexSigmas && { ...analysis.indexSigmas };
  const defects = [...analysis.defects];
  for (const stain of ["blood", "bile"] as const)
    for (const single of singles) {
      const value = single.indices?.[stain];
      if (value === undefined || !(value > indices[stain])) continue;
      indices[stain] = value;
      const sigma = single.indexSigmas?.[stain];
      if (indexSigmas && sigma !== undefined) indexSigmas[stain] = sigma;
    }
  for (const single of singles)
    for (const defect of single.defects) {
      const at = defects.findIndex(({ type }) => type === defect.type);
      if (at < 0) defects.push(defect);
      else if (defect.severity > (defects[at]?.severity ?? 0)) defects[at] = defect;
    }
  return { ...analysis, indices, ...(indexSigmas && { indexSigmas }), defects };
}
