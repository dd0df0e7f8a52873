import type { Raster } from "./raster.ts";
import type { View } from "./view.ts";

/** Sub-rays per zone and axis. */
const RAYS_PER_AXIS = 4;
export const RAYS = RAYS_PER_AXIS * RAYS_PER_AXIS;
/** Longest step along z, mm: no body is so thin that a ray could step over it. */
const MOST_STEP_MM = 10;
const LEAST_STEP_MM = 0.5;
/** Steps are as long as no surface less steep than this can be missed. */
const STEEP = 1;
/** Where a ray met the surface before, it is looked for so far around. */
const MOST_NEAR_MM = 4;
/** A hit is known to this height, mm. */
const CLOSE_MM = 0.05;
const MOST_HALVINGS = 3;
/** Light that a wall seen edge-on still returns, as a cosine. */
const LEAST_COSINE = 0.1;
/** Below this height the root's slope is no longer followed. */
const LEAST_HEIGHT_MM = 5;
/** How much a height acts on the depth seen along a ray, at most (a ray grazing a flank would see any). */
const LEAST_DIVISOR = 0.4;

/** A surface above the belt in the product's axes, mm; 0 outside. */
export interface Heights {
  readonly raster: Raster;
  /** Takes over changed parameters. */
  rasterise(): void;
}

/** What makes up a zone's reading: its rays that end on the product (kept in the renderer's buffers). */
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
  /** Share of the zone's light. */
  light: Float64Array;
  /** The ray, as an index into the renderer's tables. */
  ray: Int32Array;
  /** Spread of the zone's rays around its reading (belt included), mm. */
  spreadMm: number;
  /** What the zone's reflectance would read, over the belt's own. */
  brightness: number;
  /** Share of the light that comes from the product, and ∂reading/∂ln of its reflectance, mm. */
  share: number;
  perRatioMm: number;
}

/** Renders what zones read of a height field: the mean depth of a zone's rays, each weighted by the light it returns. */
export class Renderer {
  readonly hits: Hits;
  /** Reflectance of the product over the belt's. */
  reflectanceRatio: number;
  readonly #belt: View["belt"];
  readonly #field: Heights;
  /** Per ray: its tangents, length per depth, descent per depth, and the belt's depth. */
  readonly #tx: Float64Array;
  readonly #ty: Float64Array;
  readonly #stretch: Float64Array;
  readonly #descent: Float64Array;
  readonly #beltZ: Float64Array;

  constructor(view: View, field: Heights, reflectanceRatio: number) {
    const { tangents, side, span, belt } = view;
    this.#belt = belt;
    this.#field = field;
    this.reflectanceRatio = reflectanceRatio;
    const rays = side * side * RAYS;
    const offset = (ray: number) => ((ray + 0.5) / RAYS_PER_AXIS - 0.5) * span;
    this.#tx = Float64Array.from(
      { length: rays },
      (_, i) => (tangents[Math.floor(i / RAYS) % side] ?? 0) + offset(i % RAYS_PER_AXIS),
    );
    this.#ty = Float64Array.from(
      { length: rays },
      (_, i) => (tangents[Math.floor(i / RAYS / side)] ?? 0) + offset(Math.floor((i % RAYS) / RAYS_PER_AXIS)),
    );
    this.#stretch = this.#tx.map((tx, i) => Math.sqrt(1 + tx * tx + (this.#ty[i] ?? 0) ** 2));
    this.#descent = this.#tx.map((tx, i) => 1 - belt.dx * tx - belt.dy * (this.#ty[i] ?? 0));
    this.#beltZ = this.#descent.map((descent) => belt.z0 / descent);
    const buffer = () => new Float64Array(RAYS);
    this.hits = {
      count: 0,
      x: buffer(),
      y: buffer(),
      height: buffer(),
      gain: buffer(),
      slopeX: buffer(),
      slopeY: buffer(),
      light: buffer(),
      ray: new Int32Array(RAYS),
      spreadMm: 0,
      brightness: 0,
      share: 0,
      perRatioMm: 0,
    };
    field.rasterise();
  }

  /** To be called after the field's parameters changed. */
  refresh(): void {
    this.#field.rasterise();
  }

  /** Whether the ground a zone sees comes within a distance of the product. */
  reaches(zone: number, shiftX: number, shiftY: number, withinMm: number): boolean {
    const { raster } = this.#field;
    for (let ray = zone * RAYS; ray < (zone + 1) * RAYS; ray += 1) {
      const z = this.#beltZ[ray] ?? 0;
      const x = (this.#tx[ray] ?? 0) * z - shiftX;
      const y = (this.#ty[ray] ?? 0) * z - shiftY;
      for (const [dx, dy] of [
        [-withinMm, 0],
        [withinMm, 0],
        [0, -withinMm],
        [0, withinMm],
      ] as const)
        if (raster.at(x + dx, y + dy) > 0) return true;
    }
    return false;
  }

  /** Cosine of a surface's slopes to a ray, and its derivatives by them (into `cosine`). */
  cosineAt(ray: number, slopeX: number, slopeY: number): Cosine {
    const tx = this.#tx[ray] ?? 0;
    const ty = this.#ty[ray] ?? 0;
    // Normal of the surface in the sensor's axes, where heights grow towards it.
    const nx = slopeX - this.#belt.dx;
    const ny = slopeY - this.#belt.dy;
    const square = 1 + nx * nx + ny * ny;
    const perLength = 1 / ((this.#stretch[ray] ?? 1) * Math.sqrt(square));
    const approach = 1 + tx * nx + ty * ny;
    const value = approach * perLength;
    cosine.approach = approach;
    if (value > LEAST_COSINE) {
      cosine.value = value;
      cosine.perX = tx * perLength - (value * nx) / square;
      cosine.perY = ty * perLength - (value * ny) / square;
    } else {
      cosine.value = LEAST_COSINE;
      cosine.perX = 0;
      cosine.perY = 0;
    }
    return cosine;
  }

  /**
   * Depth (mm) that a zone reads with the product's axes at (shiftX, shiftY); fills `hits` with the rays on the product.
   * @param memory where the rays met before, from `from` on: looked at first, and kept up to date
   */
  zone(zone: number, shiftX: number, shiftY: number, memory?: Float64Array, from = 0): number {
    const { hits } = this;
    const { raster } = this.#field;
    let sum = 0;
    let square = 0;
    let total = 0;
    let stretchSum = 0;
    let light = 0;
    let lightRadial = 0;
    let count = 0;
    for (let ray = zone * RAYS; ray < (zone + 1) * RAYS; ray += 1) {
      const stretch = this.#stretch[ray] ?? 1;
      const at = from + ray - zone * RAYS;
      const depth = this.#depthNear(ray, shiftX, shiftY, memory?.[at] ?? 0) || this.#depthOf(ray, shiftX, shiftY);
      if (memory) memory[at] = depth;
      const x = (this.#tx[ray] ?? 0) * depth - shiftX;
      const y = (this.#ty[ray] ?? 0) * depth - shiftY;
      const height = depth < (this.#beltZ[ray] ?? 0) ? raster.sample(x, y) : 0;
      let weight = 1 / (depth * depth * stretch * stretch);
      if (height > 0) {
        const { slopeX, slopeY } = raster;
        const { value, approach } = this.cosineAt(ray, slopeX, slopeY);
        weight *= this.reflectanceRatio * value;
        hits.x[count] = x;
        hits.y[count] = y;
        hits.height[count] = height;
        hits.slopeX[count] = slopeX;
        hits.slopeY[count] = slopeY;
        hits.light[count] = weight;
        hits.ray[count] = ray;
        hits.gain[count] = (weight * stretch) / Math.max(LEAST_DIVISOR, approach);
        count += 1;
        light += weight;
        lightRadial += weight * depth * stretch;
      } else weight /= stretch;
      const radial = depth * stretch;
      sum += weight * radial;
      square += weight * radial * radial;
      total += weight;
      stretchSum += stretch;
    }
    const stretch = stretchSum / RAYS;
    for (let k = 0; k < count; k += 1) {
      hits.gain[k] = (hits.gain[k] ?? 0) / (total * stretch);
      hits.light[k] = (hits.light[k] ?? 0) / total;
    }
    const radial = sum / total;
    hits.count = count;
    hits.share = light / total;
    hits.perRatioMm = (lightRadial - light * radial) / (total * stretch);
    hits.spreadMm = Math.sqrt(Math.max(0, square / total - radial * radial));
    hits.brightness = (total / RAYS) * radial * radial * stretch;
    return radial / stretch;
  }

  /** Where a ray meets the surface near to where it did before; 0 where it is not found at once. */
  #depthNear(ray: number, shiftX: number, shiftY: number, guess: number): number {
    const beltZ = this.#beltZ[ray] ?? 0;
    if (!(guess > 0 && guess < beltZ)) return 0;
    const { raster } = this.#field;
    const tx = this.#tx[ray] ?? 0;
    const ty = this.#ty[ray] ?? 0;
    const descent = this.#descent[ray] ?? 1;
    let z = guess;
    let before = 0;
    let excessBefore = 0;
    for (let k = 0; k < 3; k += 1) {
      const height = raster.at(tx * z - shiftX, ty * z - shiftY);
      if (height <= 0) return 0;
      const excess = height - (beltZ - z) * descent;
      if (Math.abs(excess) < CLOSE_MM) return z;
      const step = k === 0 ? -excess / descent : (-excess * (z - before)) / (excess - excessBefore);
      if (!(Math.abs(step) < MOST_NEAR_MM)) return 0;
      before = z;
      excessBefore = excess;
      z += step;
    }
    return 0;
  }

  /** Where a ray first meets the surface or the belt. */
  #depthOf(ray: number, shiftX: number, shiftY: number): number {
    const { raster } = this.#field;
    const tx = this.#tx[ray] ?? 0;
    const ty = this.#ty[ray] ?? 0;
    const descent = this.#descent[ray] ?? 1;
    const beltZ = this.#beltZ[ray] ?? 0;
    const top = raster.top;
    // Clearance above the belt falls linearly with z; the surface is met where it no longer exceeds the field.
    let z = beltZ - top / descent;
    const xa = tx * z - shiftX;
    const xb = tx * beltZ - shiftX;
    const ya = ty * z - shiftY;
    const yb = ty * beltZ - shiftY;
    if (
      (xa < raster.lowX && xb < raster.lowX) ||
      (xa > raster.highX && xb > raster.highX) ||
      (ya < raster.lowY && yb < raster.lowY) ||
      (ya > raster.highY && yb > raster.highY)
    )
      return beltZ;
    let excess = raster.at(xa, ya) - top;
    if (excess >= 0) return z;
    const perStep = 1 / (descent + STEEP * Math.sqrt(tx * tx + ty * ty));
    let before = z;
    let excessBefore = excess;
    while (excess < 0) {
      if (z >= beltZ) return beltZ;
      before = z;
      excessBefore = excess;
      const step = -excess * perStep;
      z = Math.min(beltZ, z + Math.min(MOST_STEP_MM, Math.max(LEAST_STEP_MM, step)));
      excess = raster.at(tx * z - shiftX, ty * z - shiftY) - (beltZ - z) * descent;
      if (z === beltZ && excess <= 0) return beltZ;
    }
    for (let k = 0; ; k += 1) {
      const middle = before - ((z - before) * excessBefore) / (excess - excessBefore);
      if (k === MOST_HALVINGS || excess < CLOSE_MM || excessBefore > -CLOSE_MM) return middle;
      const value = raster.at(tx * middle - shiftX, ty * middle - shiftY) - (beltZ - middle) * descent;
      if (value < 0) {
        before = middle;
        excessBefore = value;
      } else {
        z = middle;
        excess = value;
      }
    }
  }
}

export interface Cosine {
  value: number;
  /** By the slopes along x and y. */
  perX: number;
  perY: number;
  /** How fast a ray and the surface approach one another, by depth. */
  approach: number;
}
const cosine: Cosine = { value: 1, perX: 0, perY: 0, approach: 1 };

/** ∂h/∂s of the field at a height, for the steepest descent that is still followed. */
export function heightPerS(heightMm: number, scaleMm: number): number {
  return (scaleMm * scaleMm) / (2 * Math.max(heightMm, LEAST_HEIGHT_MM));
}
