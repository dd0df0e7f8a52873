import type { CnhConfig } from "./cnh-frame.ts";

/** Width of one bin of the sensor, mm. */
export const DEVICE_BIN_MM = 37.5348;
/** Width of the light pulse, device bins: a step inside a zone much below half of it does not split the return in two. */
export const PULSE_DEVICE_BINS = 10;

/** A second return is at least this share of the peak, and the histogram between them falls below this share of it. */
const SECOND_MIN_SHARE = 0.1;
const SECOND_MAX_VALLEY = 0.8;

/** Where one aggregate's light came from. Bins are output bins; millimetres need the configuration's start bin and sub-sample. */
export interface CnhFeatures {
  /** Sum of all bins: what came back in the window, ambient subtracted. */
  energy: number;
  peakBin: number;
  peak: number;
  /** First moment of the positive bins; null where nothing came back. */
  centroidBin: number | null;
  /** Root of the second moment about the centroid. */
  widthBins: number | null;
  /** Share of the positive energy more than half a pulse behind the peak: light that wandered inside the tissue, or a second surface. */
  tailShare: number;
  /** Energy by ambient level; null where there is no ambient. */
  energyOverAmbient: number | null;
  /** The largest other return, at least half a pulse away and with a valley between. */
  secondReturn?: { bin: number; value: number; share: number; mm?: number };
  /** Distance of the peak bin's centre, of the centroid, and the width: relative; the offset is calibrated per zone. */
  peakMm?: number;
  centroidMm?: number;
  widthMm?: number;
}

/** Centre of an output bin, mm: (start_bin + bin · sub_sample + sub_sample / 2) · 37.5348. `bin` may be fractional (a centroid). */
export function binCentreMm(bin: number, config: Pick<CnhConfig, "startBin" | "subSample">): number {
  return (config.startBin + bin * config.subSample + config.subSample / 2) * DEVICE_BIN_MM;
}

/** Features of every aggregate's histogram. */
export function cnhFeatures(
  values: readonly (readonly number[])[],
  ambient: readonly number[],
  config?: Pick<CnhConfig, "startBin" | "subSample">,
): CnhFeatures[] {
  return values.map((line, aggregate) => featuresOf(line, ambient[aggregate] ?? 0, config));
}

function featuresOf(
  line: readonly number[],
  ambient: number,
  config: Pick<CnhConfig, "startBin" | "subSample"> | undefined,
): CnhFeatures {
  let energy = 0;
  let weight = 0;
  let moment = 0;
  let peakBin = 0;
  for (let bin = 0; bin < line.length; bin += 1) {
    const value = line[bin] ?? 0;
    energy += value;
    if (value > (line[peakBin] ?? 0)) peakBin = bin;
    if (value <= 0) continue;
    weight += value;
    moment += value * bin;
  }
  const halfPulse = Math.max(1, PULSE_DEVICE_BINS / 2 / (config?.subSample ?? 1));
  const centroidBin = weight > 0 ? moment / weight : null;
  let spread = 0;
  let tail = 0;
  for (let bin = 0; bin < line.length; bin += 1) {
    const value = line[bin] ?? 0;
    if (value <= 0) continue;
    if (centroidBin !== null) spread += value * (bin - centroidBin) ** 2;
    if (bin > peakBin + halfPulse) tail += value;
  }
  const widthBins = weight > 0 ? Math.sqrt(spread / weight) : null;
  const second = secondReturnOf(line, peakBin, halfPulse);
  return {
    energy,
    peakBin,
    peak: line[peakBin] ?? 0,
    centroidBin,
    widthBins,
    tailShare: weight > 0 ? tail / weight : 0,
    energyOverAmbient: ambient > 0 ? energy / ambient : null,
    ...(second && { secondReturn: { ...second, ...(config && { mm: binCentreMm(second.bin, config) }) } }),
    ...(config && {
      peakMm: binCentreMm(peakBin, config),
      ...(centroidBin !== null && { centroidMm: binCentreMm(centroidBin, config) }),
      ...(widthBins !== null && { widthMm: widthBins * config.subSample * DEVICE_BIN_MM }),
    }),
  };
}

function secondReturnOf(line: readonly number[], peakBin: number, halfPulse: number) {
  const peak = line[peakBin] ?? 0;
  if (peak <= 0) return undefined;
  let best: { bin: number; value: number; share: number } | undefined;
  for (const step of [-1, 1]) {
    let valley = peak;
    for (let bin = peakBin + step; bin >= 0 && bin < line.length; bin += step) {
      const value = line[bin] ?? 0;
      const isMaximum = value >= (line[bin - 1] ?? -Infinity) && value >= (line[bin + 1] ?? -Infinity);
      if (
        isMaximum &&
        Math.abs(bin - peakBin) >= halfPulse &&
        value >= SECOND_MIN_SHARE * peak &&
        valley < SECOND_MAX_VALLEY * value &&
        value > (best?.value ?? 0)
      )
        best = { bin, value, share: value / peak };
      valley = Math.min(valley, value);
    }
  }
  return best;
}
