import type { Fit } from "./fit.ts";

/** A place where the surface lies below (dent) or above (bump) the product's own smooth surface. */
export interface Relief {
  /** In the product's axes, mm. */
  x: number;
  y: number;
  /** Positive: a dent's depth; negative: a bump's height, as the sensor resolves it. */
  depthMm: number;
  /** The same, less where the surface slopes: what limits are for. */
  clearMm: number;
  diameterMm: number;
}

const CELL_MM = 6;
/** Rounds of back-projection: more resolve finer, and show more noise. */
const ROUNDS = 12;
const RING_MM = 26;
const DIRECTIONS = 8;
const RIM_MM = 8;
const CENTRE_SHARE = 0.35;
const MOST = 8;
/** Two of them nearer than this are one, mm. */
const APART_MM = 25;
/** Where the surface slopes, what is seen depends on where exactly: how much less a place counts, per slope. */
const SLOPE_PENALTY = 8;
const SLOPE_STEP_MM = 8;
/** All around a candidate, this far out, the product must stand at least this high, mm. */
const SHOULDER_MM = 20;
const SHOULDER_HEIGHT_MM = 12;

/** What the measures leave unexplained, as a map over the product: positive where the surface lies lower than fitted. */
export interface ReliefMap {
  x0: number;
  y0: number;
  width: number;
  height: number;
  depthMm: Float64Array;
}

/**
 * Spreads the fit's residuals back over the places they were seen at (simultaneous iterative reconstruction, smoothed in
 * each round), which sharpens what overlapping zones blur.
 */
export function reliefMap(fit: Fit): ReliefMap {
  const { field, renderer, motion } = fit;
  const width = Math.ceil(((field.width - 1) * field.cellMm) / CELL_MM) + 1;
  const height = Math.ceil(((field.height - 1) * field.cellMm) / CELL_MM) + 1;
  const rows: { residual: number; cells: Int32Array; gains: Float64Array; sum: number }[] = [];
  const columnSum = new Float64Array(width * height);
  fit.measures.forEach((measure, index) => {
    renderer.zone(measure.zone, motion.x * measure.t, motion.y * measure.t);
    const { hits } = renderer;
    if (hits.count < 8) return;
    const cells = new Int32Array(hits.count);
    const gains = new Float64Array(hits.count);
    let sum = 0;
    for (let k = 0; k < hits.count; k += 1) {
      const i = Math.round(((hits.x[k] ?? 0) - field.x0) / CELL_MM);
      const j = Math.round(((hits.y[k] ?? 0) - field.y0) / CELL_MM);
      const inside = i >= 0 && j >= 0 && i < width && j < height;
      cells[k] = inside ? j * width + i : 0;
      gains[k] = inside ? (hits.gain[k] ?? 0) : 0;
      sum += gains[k] ?? 0;
      columnSum[cells[k] ?? 0] = (columnSum[cells[k] ?? 0] ?? 0) + (gains[k] ?? 0);
    }
    const limit = 5 * fit.sigmaMm;
    if (sum > 0.2)
      rows.push({ residual: Math.max(-limit, Math.min(limit, fit.residualMm[index] ?? 0)), cells, gains, sum });
  });
  let map = new Float64Array(width * height);
  for (let round = 0; round < ROUNDS; round += 1) {
    const change = new Float64Array(width * height);
    for (const { residual, cells, gains, sum } of rows) {
      let explained = 0;
      for (let k = 0; k < cells.length; k += 1) explained += (gains[k] ?? 0) * (map[cells[k] ?? 0] ?? 0);
      const share = (residual - explained) / sum;
      for (let k = 0; k < cells.length; k += 1)
        change[cells[k] ?? 0] = (change[cells[k] ?? 0] ?? 0) + share * (gains[k] ?? 0);
    }
    for (let c = 0; c < map.length; c += 1) {
      const seen = columnSum[c] ?? 0;
      if (seen > 0) map[c] = (map[c] ?? 0) + (1.5 * (change[c] ?? 0)) / (seen + 0.5);
    }
    map = smoothed(map, width, height);
  }
  return { x0: field.x0, y0: field.y0, width, height, depthMm: map };
}

/** Binomial smoothing 1-2-1 both ways, half of it. */
function smoothed(map: Float64Array, width: number, height: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(map.length);
  const at = (i: number, j: number) =>
    map[Math.max(0, Math.min(height - 1, j)) * width + Math.max(0, Math.min(width - 1, i))] ?? 0;
  for (let j = 0; j < height; j += 1)
    for (let i = 0; i < width; i += 1) {
      const ring = at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1);
      out[j * width + i] = 0.6 * at(i, j) + 0.1 * ring;
    }
  return out;
}

/**
 * Dents and bumps: places that stand out of the map in (nearly) every direction against both sides at a ring's distance. What
 * stands out across one line only is a fold between lobes or a flank that the smooth surface does not follow, and no dent.
 * All candidates, strongest first; limits are the caller's.
 */
export function findRelief(fit: Fit): Relief[] {
  const { field } = fit;
  const map = reliefMap(fit);
  const mapAt = (x: number, y: number) => {
    const u = Math.max(0, Math.min(map.width - 1.001, (x - map.x0) / CELL_MM));
    const v = Math.max(0, Math.min(map.height - 1.001, (y - map.y0) / CELL_MM));
    const i = Math.floor(u);
    const j = Math.floor(v);
    const k = j * map.width + i;
    const d = map.depthMm;
    return (
      (1 - v + j) * ((1 - u + i) * (d[k] ?? 0) + (u - i) * (d[k + 1] ?? 0)) +
      (v - j) * ((1 - u + i) * (d[k + map.width] ?? 0) + (u - i) * (d[k + map.width + 1] ?? 0))
    );
  };
  let top = 0;
  for (const h of field.raster) top = Math.max(top, h);
  const found: Relief[] = [];
  for (let j = 0; j < map.height; j += 1)
    for (let i = 0; i < map.width; i += 1) {
      const x = map.x0 + i * CELL_MM;
      const y = map.y0 + j * CELL_MM;
      if (field.at(x, y) < CENTRE_SHARE * top) continue;
      const here = mapAt(x, y);
      const dent: number[] = [];
      const bump: number[] = [];
      for (let d = 0; d < DIRECTIONS; d += 1) {
        const dx = RING_MM * Math.cos((d * Math.PI) / DIRECTIONS);
        const dy = RING_MM * Math.sin((d * Math.PI) / DIRECTIONS);
        const sides: number[] = [];
        if (field.at(x + dx, y + dy) >= RIM_MM) sides.push(mapAt(x + dx, y + dy));
        if (field.at(x - dx, y - dy) >= RIM_MM) sides.push(mapAt(x - dx, y - dy));
        if (sides.length === 0) continue;
        const around = sides.reduce((a, b) => a + b, 0) / sides.length;
        dent.push(here - around);
        bump.push(around - here);
      }
      if (dent.length < 5 || !standsAround(field, x, y)) continue;
      const slope =
        Math.hypot(
          field.at(x + SLOPE_STEP_MM, y) - field.at(x - SLOPE_STEP_MM, y),
          field.at(x, y + SLOPE_STEP_MM) - field.at(x, y - SLOPE_STEP_MM),
        ) /
        (2 * SLOPE_STEP_MM);
      const certainty = 1 / (1 + SLOPE_PENALTY * slope);
      const depthMm = secondLowest(dent);
      const heightMm = secondLowest(bump);
      const at = { x, y, diameterMm: RING_MM };
      if (depthMm > 0) found.push({ ...at, depthMm, clearMm: depthMm * certainty });
      else if (heightMm > 0) found.push({ ...at, depthMm: -heightMm, clearMm: heightMm * certainty });
    }
  return strongest(found);
}

const secondLowest = (values: readonly number[]) => values.toSorted((a, b) => a - b)[1] ?? 0;

function standsAround(field: Fit["field"], x: number, y: number): boolean {
  for (let d = 0; d < 16; d += 1) {
    const angle = (d * Math.PI) / 8;
    if (field.at(x + SHOULDER_MM * Math.cos(angle), y + SHOULDER_MM * Math.sin(angle)) < SHOULDER_HEIGHT_MM)
      return false;
  }
  return true;
}

function strongest(found: readonly Relief[]): Relief[] {
  const kept: Relief[] = [];
  for (const relief of found.toSorted((a, b) => b.clearMm - a.clearMm)) {
    if (kept.every((other) => Math.hypot(other.x - relief.x, other.y - relief.y) > APART_MM)) kept.push(relief);
    if (kept.length === MOST) break;
  }
  return kept;
}
