import { clip } from "../sample/statistics.ts";
import { basisInto, type HeightField } from "./height-field.ts";
import { bounded, LOBE_PARAMETERS, type LobeParameters, lobesInto } from "./lobes.ts";
import { Raster } from "./raster.ts";
import type { Heights } from "./render.ts";

const CELL_MM = 3.5;
/** Knots of the factor: farther apart than most dents are wide, so that it follows none. */
const KNOT_MM = 34;

/** A spherical cap taken off the surface (or put on it, with a negative depth), mm. */
export interface Cap {
  depthMm: number;
  x: number;
  y: number;
  radiusMm: number;
}

/** What a fit changes. */
export interface LobeState {
  lobes: LobeParameters;
  factor: Float64Array;
  cap: Cap | undefined;
}

/** Parameters of a cap: depth, x, y, ln radius; they come before those of the factor. */
export const CAP_PARAMETERS = 4;
const CAP_BOUNDS = { radiusMm: [13, 28], depthMm: 16 } as const;
/** Least height left under a cap. */
const LEAST_LEFT_MM = 0.5;

/**
 * Lobes times a slowly varying factor: h = lobes(x, y) · (1 + c(x, y)), c a tensor product of uniform cubic B-splines. What
 * no form of lobes can follow is left to c.
 */
export class LobeField implements Heights {
  readonly x0: number;
  readonly y0: number;
  readonly width: number;
  readonly height: number;
  readonly cellMm = CELL_MM;
  /** Coefficients of c. */
  readonly nx: number;
  readonly ny: number;
  factor: Float64Array;
  lobes: LobeParameters;
  cap: Cap | undefined;
  readonly raster: Raster;
  /** The lobes alone, and their derivatives by each parameter, point by point. */
  readonly #body: Raster;
  readonly #slopes: Float64Array;
  /** The four splines that matter, and their slopes, by column and by row of the raster. */
  readonly #columns: Float64Array;
  readonly #rows: Float64Array;

  /** @param over the plan is this field's */
  constructor(over: HeightField, lobes: LobeParameters) {
    const spanX = (over.width - 1) * over.cellMm;
    const spanY = (over.height - 1) * over.cellMm;
    this.x0 = over.x0;
    this.y0 = over.y0;
    this.width = Math.ceil(spanX / CELL_MM) + 1;
    this.height = Math.ceil(spanY / CELL_MM) + 1;
    this.nx = Math.ceil(spanX / KNOT_MM) + 4;
    this.ny = Math.ceil(spanY / KNOT_MM) + 4;
    this.lobes = lobes.slice();
    this.factor = new Float64Array(this.nx * this.ny);
    this.raster = new Raster(this.x0, this.y0, this.width, this.height, CELL_MM);
    this.#body = new Raster(this.x0, this.y0, this.width, this.height, CELL_MM);
    this.#slopes = new Float64Array(this.width * this.height * LOBE_PARAMETERS);
    this.#columns = splinesAlong(this.width);
    this.#rows = splinesAlong(this.height);
  }

  save(): LobeState {
    return { lobes: this.lobes.slice(), factor: this.factor.slice(), cap: this.cap && { ...this.cap } };
  }

  /** Goes to a saved state plus a step: of the lobes first, of cap and factor from `capFrom` on. */
  restore(state: LobeState, step?: Float64Array, capFrom = 0): void {
    this.lobes = state.lobes.map((value, i) => value + (step?.[i] ?? 0));
    if (step) bounded(this.lobes);
    this.factor = state.factor.map((value, i) => value + (step?.[capFrom + CAP_PARAMETERS + i] ?? 0));
    this.cap = state.cap && moved(state.cap, step, capFrom);
  }

  rasterise(): void {
    const body = this.#body.values;
    const { values } = this.raster;
    const { width, height, nx, factor, cap } = this;
    const perRadius2 = cap ? 1 / cap.radiusMm ** 2 : 0;
    lobesInto(this.lobes, this, body, this.#slopes);
    for (let j = 0; j < height; j += 1) {
      const row = Math.floor((j * CELL_MM) / KNOT_MM) * nx;
      for (let i = 0; i < width; i += 1) {
        const k = j * width + i;
        const h = body[k] ?? 0;
        values[k] = 0;
        if (h <= 0) continue;
        const first = row + Math.floor((i * CELL_MM) / KNOT_MM);
        let c = 0;
        for (let b = 0; b < 4; b += 1) {
          let along = 0;
          for (let a = 0; a < 4; a += 1) along += (this.#columns[4 * i + a] ?? 0) * (factor[first + b * nx + a] ?? 0);
          c += (this.#rows[4 * j + b] ?? 0) * along;
        }
        let left = h * (1 + c);
        if (cap) {
          const rest = 1 - ((this.x0 + i * CELL_MM - cap.x) ** 2 + (this.y0 + j * CELL_MM - cap.y) ** 2) * perRadius2;
          if (rest > 0 && left > LEAST_LEFT_MM) left = Math.max(LEAST_LEFT_MM, left - cap.depthMm * rest);
        }
        values[k] = Math.max(0, left);
      }
    }
    this.raster.measure();
  }

  at(x: number, y: number): number {
    return this.raster.at(x, y);
  }

  /** Whether `addSlopes` can be asked at a point. */
  holds(x: number, y: number): boolean {
    const u = (x - this.x0) / CELL_MM;
    const v = (y - this.y0) / CELL_MM;
    return u >= 0 && v >= 0 && u < this.width - 1 && v < this.height - 1;
  }

  /**
   * Adds what the parameters (lobes from 0 on, cap and factor from `capFrom` on) do to two readings at a point: to `one`
   * by its height times `gain`, to `other` by its height's slopes times `gainX` and `gainY`.
   * @returns first of the 4 × 4 parameters of the factor that matter; −1 if they are not asked for
   */
  addSlopes(
    x: number,
    y: number,
    gain: number,
    gainX: number,
    gainY: number,
    capFrom: number,
    hasFactor: boolean,
    one: Float64Array,
    other: Float64Array,
  ): number {
    const u = (x - this.x0) / CELL_MM;
    const v = (y - this.y0) / CELL_MM;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const fu = u - i;
    const fv = v - j;
    const w00 = (1 - fu) * (1 - fv);
    const w10 = fu * (1 - fv);
    const w01 = (1 - fu) * fv;
    const w11 = fu * fv;
    // Slopes of the bilinear patch.
    const px = gainX / CELL_MM;
    const py = gainY / CELL_MM;
    const e00 = -px * (1 - fv) - py * (1 - fu);
    const e10 = px * (1 - fv) - py * fu;
    const e01 = -px * fv + py * (1 - fu);
    const e11 = px * fv + py * fu;
    const g00 = gain * w00;
    const g10 = gain * w10;
    const g01 = gain * w01;
    const g11 = gain * w11;
    const n = LOBE_PARAMETERS;
    const s = this.#slopes;
    const a = (j * this.width + i) * n;
    const b = a + this.width * n;
    for (let p = 0; p < n; p += 1) {
      const s00 = s[a + p] ?? 0;
      const s10 = s[a + n + p] ?? 0;
      const s01 = s[b + p] ?? 0;
      const s11 = s[b + n + p] ?? 0;
      one[p] = (one[p] ?? 0) + g00 * s00 + g10 * s10 + g01 * s01 + g11 * s11;
      other[p] = (other[p] ?? 0) + e00 * s00 + e10 * s10 + e01 * s01 + e11 * s11;
    }
    if (this.cap) addCap(this.cap, x, y, gain, gainX, gainY, capFrom, one, other);
    if (!hasFactor) return -1;
    const body = this.#body.sample(x, y);
    const { slopeX, slopeY } = this.#body;
    const bodyTimes = gainX * slopeX + gainY * slopeY;
    const ku = (x - this.x0) / KNOT_MM;
    const kv = (y - this.y0) / KNOT_MM;
    const ki = Math.floor(ku);
    const kj = Math.floor(kv);
    basisInto(ku - ki, ALONG_X);
    basisInto(kv - kj, ALONG_Y);
    slopesInto(ku - ki, SLOPE_X);
    slopesInto(kv - kj, SLOPE_Y);
    const first = capFrom + CAP_PARAMETERS + kj * this.nx + ki;
    for (let q = 0; q < 4; q += 1) {
      const wy = ALONG_Y[q] ?? 0;
      const sy = (body * gainY * (SLOPE_Y[q] ?? 0)) / KNOT_MM;
      const at = first + q * this.nx;
      for (let p = 0; p < 4; p += 1) {
        const wx = ALONG_X[p] ?? 0;
        one[at + p] = (one[at + p] ?? 0) + gain * body * wx * wy;
        other[at + p] =
          (other[at + p] ?? 0) + bodyTimes * wx * wy + ((body * gainX * (SLOPE_X[p] ?? 0)) / KNOT_MM) * wy + sy * wx;
      }
    }
    return first;
  }
}

function moved(cap: Cap, step: Float64Array | undefined, from: number): Cap {
  if (!step) return { ...cap };
  const by = (i: number, most: number) => clip(step[from + i] ?? 0, -most, most);
  return {
    depthMm: clip(cap.depthMm + by(0, 4), -CAP_BOUNDS.depthMm, CAP_BOUNDS.depthMm),
    x: cap.x + by(1, 6),
    y: cap.y + by(2, 6),
    radiusMm: clip(cap.radiusMm * Math.exp(by(3, 0.2)), ...CAP_BOUNDS.radiusMm),
  };
}

function addCap(
  cap: Cap,
  x: number,
  y: number,
  gain: number,
  gainX: number,
  gainY: number,
  from: number,
  one: Float64Array,
  other: Float64Array,
): void {
  const perRadius2 = 1 / cap.radiusMm ** 2;
  const dx = 2 * (x - cap.x) * perRadius2;
  const dy = 2 * (y - cap.y) * perRadius2;
  const share = ((x - cap.x) * dx + (y - cap.y) * dy) / 2;
  if (share >= 1) return;
  const d = cap.depthMm;
  const add = (i: number, height: number, slopes: number) => {
    one[from + i] = (one[from + i] ?? 0) + gain * height;
    other[from + i] = (other[from + i] ?? 0) + slopes;
  };
  add(0, share - 1, gainX * dx + gainY * dy);
  add(1, -d * dx, -2 * d * perRadius2 * gainX);
  add(2, -d * dy, -2 * d * perRadius2 * gainY);
  add(3, -2 * d * share, -2 * d * (gainX * dx + gainY * dy));
}

function splinesAlong(count: number): Float64Array {
  const all = new Float64Array(4 * count);
  for (let i = 0; i < count; i += 1) {
    const u = (i * CELL_MM) / KNOT_MM;
    basisInto(u - Math.floor(u), ALONG_X);
    all.set(ALONG_X, 4 * i);
  }
  return all;
}

const ALONG_X = new Float64Array(4);
const ALONG_Y = new Float64Array(4);
const SLOPE_X = new Float64Array(4);
const SLOPE_Y = new Float64Array(4);

/** Slopes of the four cubic B-splines. */
function slopesInto(t: number, b: Float64Array): void {
  const r = 1 - t;
  b[0] = -(r * r) / 2;
  b[1] = (3 * t * t - 4 * t) / 2;
  b[2] = (4 * r - 3 * r * r) / 2;
  b[3] = (t * t) / 2;
}
