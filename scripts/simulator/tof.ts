import { type Product, stainAt, surfaceHeight } from "./product.ts";
import type { Random } from "./random.ts";

/**
 * Model of the VL53L8CH above the tray. Axes: x along columns, y along rows, sensor at (0, 0, sensorHeightMm) looking down.
 * The pulse is as narrow as SQAL's simulator has it (under one bin); the real part's is about ten bins wide, which would not
 * fit between a sensor at 100 mm and the tray.
 */
export const SIDE = 8;
export const BINS = 128;
export const BIN_WIDTH_MM = 37.5;
const HALF_FIELD = Math.tan((22.5 * Math.PI) / 180);
/** Sub-rays per zone and axis. */
const SUB_RAYS = 3;
const PULSE_SIGMA_BINS = 0.85;
/** Counts a zone collects in one frame from a surface of reflectance 1, square on, at 50 mm. */
const COUNTS_AT_50_MM = 5650;
/** The amplitude SQAL's devices report, in its arbitrary unit, per count. */
const AMPLITUDE_PER_COUNT = 1 / 68;
const AMBIENT_PER_BIN = 1 / 90;

export interface Scene {
  sensorHeightMm: number;
  /** Slope of the tray along x and y (tangent); the tray passes through height 0 under the sensor. */
  trayTilt: readonly [number, number];
  /** Reflectance of the tray at 940 nm, 0…1. */
  trayReflectance: number;
  /** Nothing on the tray when absent. */
  product?: Product;
  /** Reflectance of the product at 940 nm for the stains at a point, 0…1. */
  productReflectance(hematoma: number, bile: number): number;
  /** Ambient light, SQAL's arbitrary unit (its captures: 23…234). */
  ambient: number;
}

export interface ModelFrame {
  /** Row-major, 64 each. */
  distanceMm: number[];
  reflectancePercent: number[];
  amplitude: number[];
  ambient: number[];
  /** ST's codes: 5 valid, 9 valid with a merged target, 1 too little signal. */
  status: number[];
  /** 64 × 128 counts, normalised by the zone's responsivity. */
  histogram: number[][];
}

interface Hit {
  depthMm: number;
  radialMm: number;
  /** Reflectance × cosine of incidence / squared distance, relative to 50 mm. */
  return: number;
}

function heightAt(scene: Scene, x: number, y: number): number {
  const tray = scene.trayTilt[0] * x + scene.trayTilt[1] * y;
  return tray + (scene.product ? surfaceHeight(scene.product, x, y) : 0);
}

function reflectanceAt(scene: Scene, x: number, y: number): number {
  if (!scene.product || surfaceHeight(scene.product, x, y) <= 0) return scene.trayReflectance;
  const stain = stainAt(scene.product, x, y);
  return stain.foreign ? 0.75 : scene.productReflectance(stain.hematoma, stain.bile);
}

/** Where the ray of tangents (tx, ty) first meets the scene: marching down, then bisection to 0.02 mm. */
function cast(scene: Scene, tx: number, ty: number): Hit {
  const step = 2;
  const below = (depth: number): boolean => scene.sensorHeightMm - depth <= heightAt(scene, tx * depth, ty * depth);
  let depth = scene.product ? 10 : scene.sensorHeightMm * 0.9;
  while (depth < 2 * scene.sensorHeightMm && !below(depth)) depth += step;
  let low = depth - step;
  let high = depth;
  for (let i = 0; i < 7; i++) {
    const middle = (low + high) / 2;
    if (below(middle)) high = middle;
    else low = middle;
  }
  const d = (low + high) / 2;
  const x = tx * d;
  const y = ty * d;
  const e = 0.5;
  const slopeX = (heightAt(scene, x + e, y) - heightAt(scene, x - e, y)) / (2 * e);
  const slopeY = (heightAt(scene, x, y + e) - heightAt(scene, x, y - e)) / (2 * e);
  const ray = Math.sqrt(1 + tx * tx + ty * ty);
  // A step of a foreign body gives a huge slope; its vertical side still returns some light.
  const cosine = Math.max(
    0.15,
    (1 + tx * slopeX + ty * slopeY) / (ray * Math.sqrt(1 + slopeX * slopeX + slopeY * slopeY)),
  );
  const radial = d * ray;
  return { depthMm: d, radialMm: radial, return: (reflectanceAt(scene, x, y) * cosine * 2500) / (radial * radial) };
}

/** Normal distribution function (Abramowitz & Stegun 7.1.26, error below 1.5e-7). */
function phi(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const erf =
    1 -
    t *
      (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
      Math.exp(-x * x);
  return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}

const quarter = (mm: number): number => Math.round(mm * 4) / 4;
const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/** Sub-ray tangents of one zone. */
function zoneRays(row: number, column: number): Array<readonly [number, number]> {
  const rays: Array<readonly [number, number]> = [];
  const tangent = (zone: number, sub: number): number =>
    HALF_FIELD * ((2 * (zone + (sub + 0.5) / SUB_RAYS)) / SIDE - 1);
  for (let i = 0; i < SUB_RAYS; i++)
    for (let j = 0; j < SUB_RAYS; j++) rays.push([tangent(column, j), tangent(row, i)]);
  return rays;
}

/**
 * One frame of the scene.
 * @param rng noise; `noise: 0` gives the ideal sensor (quantisation stays)
 * @param responsivity relative sensitivity per zone (a property of the device), 64 long
 */
export function measureTof(scene: Scene, rng: Random, responsivity: readonly number[], noise = 1): ModelFrame {
  const frame: ModelFrame = {
    distanceMm: [],
    reflectancePercent: [],
    amplitude: [],
    ambient: [],
    status: [],
    histogram: [],
  };
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const rays = zoneRays(row, column);
      const hits = rays.map(([tx, ty]) => cast(scene, tx, ty));
      const total = hits.reduce((sum, hit) => sum + hit.return, 0);
      const radial = hits.reduce((sum, hit) => sum + hit.radialMm * hit.return, 0) / total;
      const spread = Math.sqrt(hits.reduce((sum, hit) => sum + hit.return * (hit.radialMm - radial) ** 2, 0) / total);
      // On-chip radial-to-perpendicular correction, one factor per zone: a flat target reads the same everywhere.
      const stretch = rays.reduce((sum, [tx, ty]) => sum + Math.sqrt(1 + tx * tx + ty * ty), 0) / rays.length;
      const gain = responsivity[row * SIDE + column] ?? 1;
      const meanReturn = total / hits.length;
      const counts = COUNTS_AT_50_MM * meanReturn * gain;
      const ambient = Math.max(0, scene.ambient + noise * rng.normal(0, 2 + Math.sqrt(scene.ambient) * 0.4));
      const ambientPerBin = ambient * AMBIENT_PER_BIN;
      const signal = Math.max(0, counts + noise * rng.normal(0, Math.sqrt(counts + 16 * ambientPerBin)));
      const sigma =
        noise *
        0.35 *
        Math.sqrt(3000 / Math.max(1, counts)) *
        Math.sqrt(1 + (16 * ambientPerBin) / Math.max(1, counts));
      const depth = radial / stretch + rng.normal(0, sigma);
      frame.distanceMm.push(Math.max(0, quarter(depth)));
      // The chip undoes distance, and Lambert's cosine for a level surface.
      const estimate = (signal / gain / COUNTS_AT_50_MM) * ((radial * radial) / 2500) * stretch;
      frame.reflectancePercent.push(clamp(Math.round(estimate * 200) / 2, 0, 100));
      frame.amplitude.push(clamp((signal / gain) * AMPLITUDE_PER_COUNT, 0, 4095));
      frame.ambient.push(Math.min(4095, ambient));
      frame.status.push(signal < 60 ? 1 : spread > 6 ? 9 : 5);
      const bins = new Array<number>(BINS);
      for (let bin = 0; bin < BINS; bin++) {
        let mean = ambientPerBin * gain;
        for (const hit of hits) {
          const centre = hit.radialMm / BIN_WIDTH_MM;
          if (Math.abs(bin + 0.5 - centre) > 5) continue;
          const share = phi((bin + 1 - centre) / PULSE_SIGMA_BINS) - phi((bin - centre) / PULSE_SIGMA_BINS);
          mean += (COUNTS_AT_50_MM * gain * hit.return * share) / hits.length;
        }
        bins[bin] = (noise > 0 ? rng.poisson(mean) : mean) / gain;
      }
      frame.histogram.push(bins);
    }
  }
  return frame;
}
