import type { HistogramFigures, TofFrame } from "../sample/sample.ts";
import { clip, mean, median, populationStd } from "../sample/statistics.ts";
import type { SqalShapeParameters } from "./parameters.ts";

// What SQAL adds to its divisors, and the least share its logarithm takes: without them its figures differ in the tenth digit.
const EPSILON = 1e-9;
const LEAST_SHARE = 1e-12;

/** Figures of every zone's histogram (SQAL): echoes, roughness, quality, entropy, area, strongest bin. */
export function histogramFiguresOf(
  histogram: NonNullable<TofFrame["histogram"]>,
  parameters: SqalShapeParameters["histogram"],
): HistogramFigures {
  const kernel = gaussianKernel(parameters.kernelTaps, parameters.sigmaBins);
  const figures: HistogramFigures = {
    peakCount: [],
    roughness: [],
    signalQuality: [],
    texture: [],
    density: [],
    peakBin: [],
  };
  for (const counts of histogram.counts) {
    const baseline = median(counts.slice(0, parameters.baselineBins)) ?? 0;
    const pulse = Float64Array.from(counts, (count) => Math.max(0, count - baseline));
    const smooth = convolveSame(pulse, kernel);
    let peakBin = 0;
    for (let bin = 1; bin < smooth.length; bin += 1) if ((smooth[bin] ?? 0) > (smooth[peakBin] ?? 0)) peakBin = bin;
    const max = smooth[peakBin] ?? 0;
    const area = pulse.reduce((sum, value) => sum + value, 0);
    figures.peakCount.push(countPeaks(smooth, parameters.minPeakHeight * max, parameters.minProminence * max));
    figures.roughness.push(populationStd(smooth) / (max + EPSILON));
    figures.signalQuality.push(max / (area + EPSILON));
    figures.texture.push(normalisedEntropy(pulse, area));
    figures.density.push(area);
    figures.peakBin.push(peakBin);
  }
  return figures;
}

/** Mean over the zones of each figure. */
export function meansOf(figures: HistogramFigures): Record<keyof HistogramFigures, number> {
  return {
    peakCount: mean(figures.peakCount),
    roughness: mean(figures.roughness),
    signalQuality: mean(figures.signalQuality),
    texture: mean(figures.texture),
    density: mean(figures.density),
    peakBin: mean(figures.peakBin),
  };
}

function gaussianKernel(taps: number, sigma: number): Float64Array {
  const centre = (taps - 1) / 2;
  const kernel = Float64Array.from({ length: taps }, (_, i) => Math.exp(-0.5 * ((i - centre) / sigma) ** 2));
  const sum = kernel.reduce((total, value) => total + value, 0);
  return kernel.map((value) => value / sum);
}

function convolveSame(signal: Float64Array, kernel: Float64Array): Float64Array {
  const half = Math.floor((kernel.length - 1) / 2);
  const result = new Float64Array(signal.length);
  for (let i = 0; i < signal.length; i += 1) {
    const from = Math.max(0, i + half - signal.length + 1);
    const to = Math.min(kernel.length - 1, i + half);
    let sum = 0;
    for (let k = from; k <= to; k += 1) sum += (kernel[k] ?? 0) * (signal[i + half - k] ?? 0);
    result[i] = sum;
  }
  return result;
}

function normalisedEntropy(pulse: Float64Array, area: number): number {
  if (!(area > 0)) return 0;
  let entropy = 0;
  for (const value of pulse) {
    const share = clip(value / area, LEAST_SHARE, 1);
    entropy -= share * Math.log(share);
  }
  return entropy / (Math.log(pulse.length) + EPSILON);
}

/** Local maxima (plateaus count once, the ends never) at least so high and so prominent. */
function countPeaks(signal: Float64Array, minHeight: number, minProminence: number): number {
  let count = 0;
  for (let start = 1; start < signal.length - 1; start += 1) {
    const height = signal[start] ?? 0;
    if (!((signal[start - 1] ?? 0) < height)) continue;
    let end = start;
    while (end < signal.length - 1 && signal[end + 1] === height) end += 1;
    const isPeak = end < signal.length - 1 && (signal[end + 1] ?? 0) < height;
    if (isPeak && height >= minHeight && prominence(signal, start, end) >= minProminence) count += 1;
    start = end;
  }
  return count;
}

function prominence(signal: Float64Array, start: number, end: number): number {
  const height = signal[start] ?? 0;
  let left = height;
  for (let i = start; i >= 0 && (signal[i] ?? 0) <= height; i -= 1) left = Math.min(left, signal[i] ?? 0);
  let right = height;
  for (let i = end; i < signal.length && (signal[i] ?? 0) <= height; i += 1) right = Math.min(right, signal[i] ?? 0);
  return height - Math.max(left, right);
}
