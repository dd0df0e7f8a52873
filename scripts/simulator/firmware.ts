import { type Counts, FULL_SCALE } from "./as7341.ts";
import type { ModelFrame } from "./tof.ts";

/** What a device of the new generation computes itself: histogram figures per zone, 8 × 8 each, and spectral ratios. */
export interface BinsAnalysis {
  multi_peak_count: number[][];
  surface_roughness: number[][];
  signal_quality: number[][];
  texture_score: number[][];
  density_score: number[][];
  peak_bin_map: number[][];
}

const KERNEL_HALF = 20;
const KERNEL = (() => {
  const raw = Array.from({ length: 2 * KERNEL_HALF + 1 }, (_, i) => Math.exp(-((i - KERNEL_HALF) ** 2) / (2 * 3 * 3)));
  const total = raw.reduce((a, b) => a + b, 0);
  return raw.map((x) => x / total);
})();

/** A flat row-major array as rows. */
export function rows<T>(flat: readonly T[], side = 8): T[][] {
  return Array.from({ length: side }, (_, row) => flat.slice(row * side, (row + 1) * side));
}

function smooth(bins: readonly number[]): number[] {
  return bins.map((_, i) => {
    let total = 0;
    for (let k = -KERNEL_HALF; k <= KERNEL_HALF; k++) total += (bins[i - k] ?? 0) * (KERNEL[k + KERNEL_HALF] ?? 0);
    return total;
  });
}

/** Local maxima at least `height` high that stand `prominence` above the higher of their two valleys. */
function countPeaks(values: readonly number[], height: number, prominence: number): number {
  const at = (i: number): number => values[i] ?? 0;
  let peaks = 0;
  for (let i = 1; i < values.length - 1; i++) {
    const top = at(i);
    if (top <= at(i - 1) || top < height) continue;
    let end = i;
    while (end < values.length - 1 && at(end + 1) === top) end += 1;
    if (end === values.length - 1 || at(end + 1) > top) continue;
    let left = top;
    for (let j = i - 1; j >= 0 && at(j) <= top; j--) left = Math.min(left, at(j));
    let right = top;
    for (let j = end + 1; j < values.length && at(j) <= top; j++) right = Math.min(right, at(j));
    if (top - Math.max(left, right) >= prominence) peaks += 1;
  }
  return peaks;
}

/** The figures SQAL's devices send instead of histograms (`sqal.md` 4.1), computed as its firmware does. */
export function analyseBins(histogram: readonly number[][]): BinsAnalysis {
  const figures = histogram.map((bins) => {
    const first = bins.slice(0, 8).sort((a, b) => a - b);
    const baseline = ((first[3] ?? 0) + (first[4] ?? 0)) / 2;
    const pulse = bins.map((count) => Math.max(0, count - baseline));
    const total = pulse.reduce((a, b) => a + b, 0);
    const smoothed = smooth(pulse);
    const top = Math.max(...smoothed);
    if (total <= 0 || top <= 0) return { peaks: 0, roughness: 0, quality: 0, texture: 0, density: 0, peakBin: 0 };
    const mean = smoothed.reduce((a, b) => a + b, 0) / smoothed.length;
    const deviation = Math.sqrt(smoothed.reduce((a, b) => a + (b - mean) ** 2, 0) / smoothed.length);
    let entropy = 0;
    for (const count of pulse) if (count > 0) entropy -= (count / total) * Math.log(count / total);
    return {
      peaks: countPeaks(smoothed, 0.18 * top, 0.05 * top),
      roughness: deviation / top,
      quality: top / total,
      texture: entropy / Math.log(bins.length),
      density: total,
      peakBin: smoothed.indexOf(top),
    };
  });
  return {
    multi_peak_count: rows(figures.map((f) => f.peaks)),
    surface_roughness: rows(figures.map((f) => f.roughness)),
    signal_quality: rows(figures.map((f) => f.quality)),
    texture_score: rows(figures.map((f) => f.texture)),
    density_score: rows(figures.map((f) => f.density)),
    peak_bin_map: rows(figures.map((f) => f.peakBin)),
  };
}

const floor = (count: number): number => Math.max(1, count);

/** The ratios a device sends beside its channels. */
export function spectralRatios(counts: Counts): Record<string, number> {
  const [f1, f2, f3, f4] = [
    floor(counts.F1_415nm),
    floor(counts.F2_445nm),
    floor(counts.F3_480nm),
    floor(counts.F4_515nm),
  ];
  const [f5, f6, f7, f8] = [
    floor(counts.F5_555nm),
    floor(counts.F6_590nm),
    floor(counts.F7_630nm),
    floor(counts.F8_680nm),
  ];
  return {
    violet_orange_ratio: f1 / f7,
    nir_violet_ratio: floor(counts.NIR) / f1,
    discoloration_index: (f5 + f6) / (f1 + f2),
    lipid_oxidation_index: (f7 + f8) / f4,
    freshness_meat_index: (f1 + f2) / (f7 + f8),
    oil_oxidation_index: (f1 + f3) / (f5 + f6),
    red_violet_ratio: f8 / f1,
    green_red_ratio: f5 / f8,
    yellow_blue_ratio: f6 / f3,
    normalized_clear: floor(counts.Clear) / 65535,
  };
}

export interface DeviceClaims {
  stats: Record<string, number>;
  tofScore: number;
  spectralScore: number;
  finalScore: number;
  grade: string;
}

/**
 * What the device itself makes of the sample: deliberately simple (mean height, one brightness, one colour ratio). It is
 * there so that messages carry claims, which FoieFlow must keep apart and never use.
 */
export function claim(frame: ModelFrame, counts: Counts, sensorHeightMm: number, zoneSideMm: number): DeviceClaims {
  const heights = frame.distanceMm.map((d) => Math.max(0, sensorHeightMm - d));
  const mean = heights.reduce((a, b) => a + b, 0) / heights.length;
  const max = Math.max(...heights);
  const min = Math.min(...heights);
  const variation = Math.sqrt(heights.reduce((a, h) => a + (h - mean) ** 2, 0) / heights.length);
  const tofScore = Math.max(0, Math.min(1, 1 - variation / 12 - Math.abs(mean - 45) / 60));
  const blueOverRed = (counts.F1_415nm + counts.F2_445nm) / Math.max(1, counts.F7_630nm + counts.F8_680nm);
  const saturated = Object.values(counts).some((count) => count >= FULL_SCALE);
  const spectralScore = saturated ? 0 : Math.max(0, Math.min(1, 1 - Math.abs(blueOverRed - 0.5) / 0.4));
  const finalScore = 0.6 * tofScore + 0.4 * spectralScore;
  const grade =
    finalScore >= 0.85
      ? "A+"
      : finalScore >= 0.75
        ? "A"
        : finalScore >= 0.6
          ? "B"
          : finalScore >= 0.45
            ? "C"
            : "REJECT";
  return {
    stats: {
      volume_mm3: 64 * zoneSideMm ** 2 * mean,
      average_height_mm: mean,
      max_height_mm: max,
      min_height_mm: min,
      height_range_mm: max - min,
      height_variation_mm: variation,
      base_area_mm2: 64 * zoneSideMm ** 2,
    },
    tofScore,
    spectralScore,
    finalScore,
    grade,
  };
}
