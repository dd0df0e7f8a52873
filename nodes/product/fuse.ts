import type { Sample, SpectralAnalysis, SpectralReading } from "../sample/sample.ts";
import type { AnalysisContext, GradeMethod, ProductLook } from "../sample/spec.ts";
import { mean } from "../sample/statistics.ts";
import { CHANNELS } from "../sample/units.ts";

/** Something at least this high lies under the spectral sensor's spot, mm. */
const SPOT_HEIGHT_MM = 12;

/** Whether a sample is a product by itself: a dialect that sends one message per product, or a method that knows no others. */
export function isProductByItself(sample: Sample): boolean {
  const { vl53l8ch } = sample;
  if (vl53l8ch?.features?.dialect?.startsWith("sqal")) return true;
  if (sample.productId !== undefined) return false;
  return vl53l8ch?.analysis?.presence === undefined;
}

/** A sample that is a product by itself, named as one. */
export function asProduct(sample: Sample): Sample {
  return { ...sample, role: "product", productId: sample.productId ?? sample.sampleUid };
}

/** A sample that is no product: an empty belt, or a frame that came after its product had gone on. */
export function asFrame(sample: Sample, productId?: string): Sample {
  const presence = sample.vl53l8ch?.analysis?.presence;
  return { ...sample, role: "frame", ...(presence && { presence }), ...(productId !== undefined && { productId }) };
}

/**
 * Makes one product of its frames: the frame that shows most of it carries the figures of all of them and, if the product was
 * seen whole, the role `product`; the others go as frames. Order and number of the samples stay.
 * @param samples frames of one product, in order, analysed one by one
 */
export function fuseProduct(samples: readonly Sample[], productId: string, spec: GradeMethod): Sample[] {
  const frames = samples.map((sample) => asFrame(sample, productId));
  const looks = samples.flatMap((sample): (ProductLook & { sample: Sample })[] =>
    sample.vl53l8ch && !sample.vl53l8ch.frame.corrupted
      ? [{ sample, frame: sample.vl53l8ch.frame, atMs: atMsOf(sample) }]
      : [],
  );
  const seen = looks.filter(({ sample }) => sample.vl53l8ch?.analysis?.presence !== "NO_PRODUCT");
  const bearer = fullestOf((seen.length > 0 ? seen : looks).map(({ sample }) => sample)) ?? samples[0];
  if (!bearer) return frames;
  const context: AnalysisContext = { deviceId: bearer.deviceId, calibration: bearer.calibration };
  const shape = spec.analyseProduct && seen.length > 0 ? spec.analyseProduct(seen, context) : bearer.vl53l8ch?.analysis;
  const presence = shape?.presence ?? (bearer.vl53l8ch ? "NO_PRODUCT" : "PRODUCT");
  const spectral = fuseReadings(samples, spec, context);
  const fused: Sample = {
    ...bearer,
    productId,
    presence,
    role: presence === "PRODUCT" ? "product" : "frame",
    ...(bearer.vl53l8ch && shape && { vl53l8ch: { ...bearer.vl53l8ch, analysis: shape } }),
    ...(bearer.as7341 && spectral && { as7341: { ...bearer.as7341, analysis: spectral } }),
  };
  return frames.map((frame, index) => (samples[index] === bearer ? fused : frame));
}

/** Milliseconds with the fraction that `Date` cuts off. */
function atMsOf(sample: Sample): number {
  const fraction = /\.\d{3}(\d+)Z$/.exec(sample.measuredAt)?.[1];
  return Date.parse(sample.measuredAt) + (fraction ? Number(`0.${fraction}`) : 0);
}

/** The frame with the greatest volume in view; a reading-only sample when there is no frame. */
function fullestOf(samples: readonly Sample[]): Sample | undefined {
  const volume = (sample: Sample) => sample.vl53l8ch?.analysis?.volumeMm3 ?? -1;
  const withColour = (sample: Sample) => (sample.as7341 ? 1 : 0);
  return samples.toSorted((a, b) => withColour(b) - withColour(a) || volume(b) - volume(a))[0];
}

/**
 * The product's colour: the method's analysis of the mean of all good readings that lie on it. Stains are looked for reading
 * by reading, because a mean thins them out: of blood and bile the strongest reading counts.
 */
function fuseReadings(
  samples: readonly Sample[],
  spec: GradeMethod,
  context: AnalysisContext,
): SpectralAnalysis | undefined {
  const on = samples.filter(liesOnProduct);
  const good = on.filter(({ as7341 }) => as7341 && as7341.reading.saturated.length === 0 && !as7341.reading.moved);
  const used = good.length > 0 ? good : on;
  if (spec.analyseProductSpectrum) {
    const analysed = used.flatMap(({ as7341 }) =>
      as7341?.analysis ? [{ reading: as7341.reading, analysis: as7341.analysis }] : [],
    );
    if (analysed.length > 0) return spec.analyseProductSpectrum(analysed, context);
  }
  const readings = used.flatMap(({ as7341 }) => (as7341 ? [as7341.reading] : []));
  const first = readings[0];
  if (!first) return undefined;
  const alike = readings.filter((r) => r.gain === first.gain && r.integrationMs === first.integrationMs);
  const analysis = spec.analyseSpectrum(meanReading(alike), context);
  const singles = used.flatMap(({ as7341 }) => as7341?.analysis ?? []);
  return withStrongestStains(analysis, singles);
}

function liesOnProduct({ vl53l8ch, as7341 }: Sample): boolean {
  if (!as7341) return false;
  const shape = vl53l8ch?.analysis;
  if (!shape || shape.presence === undefined) return true;
  const side = Math.sqrt(shape.heightMm.length);
  const half = side / 2;
  return [half - 1, half].every((row) =>
    [half - 1, half].every((column) => {
      const zone = row * side + column;
      return shape.occupied[zone] === true && (shape.heightMm[zone] ?? 0) >= SPOT_HEIGHT_MM;
    }),
  );
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
