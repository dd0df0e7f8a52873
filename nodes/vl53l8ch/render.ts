import type { View } from "./view.ts";

/** Sub-rays per zone and axis. */
const RAYS = 4;
/** Marching step along z, mm. */
const STEP_MM = 3;
/** Light that a wall seen edge-on still returns, as a cosine. */
const LEAST_COSINE = 0.1;
/** Below this height the root's slope is no longer followed. */
const LEAST_HEIGHT_MM = 5;
/** How much a height acts on the depth seen along a ray, at most (a ray grazing a flank would see any). */
const LEAST_DIVISOR = 0.4;

export interface Reach {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** The part of a raster that holds heights above 0, with a cell around it. */
export function reachOf(raster: {
  raster: Float64Array;
  width: number;
  height: number;
  x0: number;
  y0: number;
  cellMm: number;
}): Reach {
  let [i0, i1, j0, j1] = [raster.width, -1, raster.height, -1];
  for (let j = 0; j < raster.height; j += 1)
    for (let i = 0; i < raster.width; i += 1) {
      if (!((raster.raster[j * raster.width + i] ?? 0) > 0)) continue;
      if (i < i0) i0 = i;
      if (i > i1) i1 = i;
      if (j < j0) j0 = j;
      if (j > j1) j1 = j;
    }
  const { x0, y0, cellMm } = raster;
  return {
    x0: x0 + (i0 - 1) * cellMm,
    y0: y0 + (j0 - 1) * cellMm,
    x1: x0 + (i1 + 1) * cellMm,
    y1: y0 + (j1 + 1) * cellMm,
  };
}

/** A surface above the belt in the product's axes, mm; 0 outside. */
export interface Heights {
  at(x: number, y: number): number;
  /** Beyond these bounds every height is 0. */
  readonly reach: Reach;
  /** Takes over changed parameters; returns the greatest height. */
  rasterise(): number;
}

/** What one zone of one frame would read of the field, with the hits that make it up (kept in the renderer's buffers). */
export interface Hits {
  count: number;
  /** In the product's axes, mm. */
  x: Float64Array;
  y: Float64Array;
  height: Float64Array;
  /** Share in the reading × −∂depth/∂height. */
  gain: Float64Array;
  /** Slopes of the surface at the hit. */
  slopeX: Float64Array;
  slopeY: Float64Array;
  /** Spread of the zone's rays around its reading (belt included), mm. */
  spreadMm: number;
}

/** Renders what zones read of a height field: the mean depth of a zone's rays, each weighted by the light it returns. */
export class Renderer {
  readonly #view: View;
  /** Reflectance of the product over the belt's. */
  readonly reflectanceRatio: number;
  readonly hits: Hits;
  #field: Heights;
  #topMm: number;

  constructor(view: View, field: Heights, reflectanceRatio: number) {
    const size = RAYS * RAYS;
    this.#view = view;
    this.#field = field;
    this.#topMm = field.rasterise();
    this.reflectanceRatio = reflectanceRatio;
    const buffer = () => new Float64Array(size);
    this.hits = {
      count: 0,
      x: buffer(),
      y: buffer(),
      height: buffer(),
      gain: buffer(),
      slopeX: buffer(),
      slopeY: buffer(),
      spreadMm: 0,
    };
  }

  /** To be called after the field's coefficients changed. */
  refresh(): void {
    this.#topMm = this.#field.rasterise();
  }

  /** Depth (mm) that a zone reads with the product's axes at (shiftX, shiftY); fills `hits` with those on the product. */
  zone(zone: number, shiftX: number, shiftY: number): number {
    const { tangents, side, span, belt } = this.#view;
    const field = this.#field;
    const top = this.#topMm;
    const hits = this.hits;
    const { x0, y0, x1, y1 } = field.reach;
    const tx0 = (tangents[zone % side] ?? 0) - span / 2;
    const ty0 = (tangents[Math.floor(zone / side)] ?? 0) - span / 2;
    let sum = 0;
    let square = 0;
    let total = 0;
    let stretchSum = 0;
    let count = 0;
    for (let ray = 0; ray < RAYS * RAYS; ray += 1) {
      const tx = tx0 + ((ray % RAYS) + 0.5) * (span / RAYS);
      const ty = ty0 + (Math.floor(ray / RAYS) + 0.5) * (span / RAYS);
      const stretch = Math.sqrt(1 + tx * tx + ty * ty);
      const descent = 1 - belt.dx * tx - belt.dy * ty;
      const beltZ = belt.z0 / descent;
      // Clearance above the belt falls linearly with z; the surface is met where it no longer exceeds the field.
      let z = beltZ - top / descent;
      let before = z;
      let excessBefore = -1;
      const [xa, xb] = [tx * z - shiftX, tx * beltZ - shiftX];
      const [ya, yb] = [ty * z - shiftY, ty * beltZ - shiftY];
      if ((xa < x0 && xb < x0) || (xa > x1 && xb > x1) || (ya < y0 && yb < y0) || (ya > y1 && yb > y1)) z = beltZ;
      let excess = z < beltZ ? field.at(xa, ya) - top : 0;
      while (excess < 0 && z < beltZ) {
        before = z;
        excessBefore = excess;
        z = Math.min(beltZ, z + STEP_MM);
        excess = field.at(tx * z - shiftX, ty * z - shiftY) - (beltZ - z) * descent;
      }
      const depth =
        excess > excessBefore && excess > 0 ? before + ((z - before) * -excessBefore) / (excess - excessBefore) : z;
      const x = tx * depth - shiftX;
      const y = ty * depth - shiftY;
      const height = field.at(x, y);
      let weight: number;
      if (height > 0) {
        const e = 1.5;
        const slopeX = (field.at(x + e, y) - field.at(x - e, y)) / (2 * e);
        const slopeY = (field.at(x, y + e) - field.at(x, y - e)) / (2 * e);
        // Normal of the surface in the sensor's axes, where heights grow towards it.
        const nx = slopeX - belt.dx;
        const ny = slopeY - belt.dy;
        const approach = 1 + tx * nx + ty * ny;
        const cosine = Math.max(LEAST_COSINE, approach / (stretch * Math.sqrt(1 + nx * nx + ny * ny)));
        weight = (this.reflectanceRatio * cosine) / (depth * depth * stretch * stretch);
        hits.x[count] = x;
        hits.y[count] = y;
        hits.height[count] = height;
        hits.slopeX[count] = slopeX;
        hits.slopeY[count] = slopeY;
        hits.gain[count] = (weight * stretch) / Math.max(LEAST_DIVISOR, approach);
        count += 1;
      } else {
        weight = 1 / (depth * depth * stretch * stretch * stretch);
      }
      const radial = depth * stretch;
      sum += weight * radial;
      square += weight * radial * radial;
      total += weight;
      stretchSum += stretch;
    }
    const stretch = stretchSum / (RAYS * RAYS);
    for (let k = 0; k < count; k += 1) hits.gain[k] = (hits.gain[k] ?? 0) / (total * stretch);
    hits.count = count;
    hits.spreadMm = Math.sqrt(Math.max(0, square / total - (sum / total) ** 2));
    return sum / total / stretch;
  }
}

/** ∂h/∂s of the field at a height, for the steepest descent that is still followed. */
export function heightPerS(heightMm: number, scaleMm: number): number {
  return (scaleMm * scaleMm) / (2 * Math.max(heightMm, LEAST_HEIGHT_MM));
}
