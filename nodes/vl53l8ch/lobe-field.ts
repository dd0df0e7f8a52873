import { basisInto, type HeightField } from "./height-field.ts";
import { bounded, LOBE_PARAMETERS, type LobeParameters, lobesInto } from "./lobes.ts";
import { type Heights, type Reach, reachOf } from "./render.ts";

const CELL_MM = 3.5;
/** Knots of the factor: farther apart than most dents are wide, so that it follows none. */
const KNOT_MM = 34;

/** What a fit changes. */
export interface LobeState {
  lobes: LobeParameters;
  factor: Float64Array;
}

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
  readonly raster: Float64Array;
  reach: Reach = { x0: 0, y0: 0, x1: 0, y1: 0 };
  /** The lobes alone on the raster, and their derivatives by each parameter, point by point. */
  readonly #body: Float64Array;
  readonly #slopes: Float64Array;

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
    const size = this.width * this.height;
    this.raster = new Float64Array(size);
    this.#body = new Float64Array(size);
    this.#slopes = new Float64Array(size * LOBE_PARAMETERS);
  }

  save(): LobeState {
    return { lobes: this.lobes.slice(), factor: this.factor.slice() };
  }

  /** Goes to a saved state plus a step: of the lobes first, of the factor from `factorFrom` on. */
  restore(state: LobeState, step?: Float64Array, factorFrom = 0): void {
    this.lobes = state.lobes.map((value, i) => value + (step?.[i] ?? 0));
    if (step) bounded(this.lobes);
    this.factor = state.factor.map((value, i) => value + (step?.[factorFrom + i] ?? 0));
  }

  rasterise(): number {
    lobesInto(this.lobes, this, this.#body, this.#slopes);
    let top = 0;
    for (let j = 0; j < this.height; j += 1)
      for (let i = 0; i < this.width; i += 1) {
        const k = j * this.width + i;
        const body = this.#body[k] ?? 0;
        const h = body > 0 ? body * (1 + this.#factorAt(this.x0 + i * CELL_MM, this.y0 + j * CELL_MM)) : 0;
        this.raster[k] = Math.max(0, h);
        if (h > top) top = h;
      }
    this.reach = reachOf(this);
    return top;
  }

  at(x: number, y: number): number {
    const u = (x - this.x0) / CELL_MM;
    const v = (y - this.y0) / CELL_MM;
    if (!(u >= 0 && v >= 0)) return 0;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const w = this.width;
    if (i >= w - 1 || j >= this.height - 1) return 0;
    const fu = u - i;
    const fv = v - j;
    const k = j * w + i;
    const r = this.raster;
    return (
      (1 - fv) * ((1 - fu) * (r[k] ?? 0) + fu * (r[k + 1] ?? 0)) +
      fv * ((1 - fu) * (r[k + w] ?? 0) + fu * (r[k + w + 1] ?? 0))
    );
  }

  /** Adds `gain` times ∂(lobes)/∂ parameters at a point; returns the lobes' height there. */
  addSlopes(x: number, y: number, gain: number, into: Float64Array): number {
    const u = (x - this.x0) / CELL_MM;
    const v = (y - this.y0) / CELL_MM;
    if (!(u >= 0 && v >= 0)) return 0;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const w = this.width;
    if (i >= w - 1 || j >= this.height - 1) return 0;
    const fu = u - i;
    const fv = v - j;
    const k = j * w + i;
    const w00 = (1 - fu) * (1 - fv);
    const w10 = fu * (1 - fv);
    const w01 = (1 - fu) * fv;
    const w11 = fu * fv;
    const n = LOBE_PARAMETERS;
    const s = this.#slopes;
    const a = k * n;
    const b = a + w * n;
    for (let p = 0; p < n; p += 1)
      into[p] =
        (into[p] ?? 0) +
        gain * (w00 * (s[a + p] ?? 0) + w10 * (s[a + n + p] ?? 0) + w01 * (s[b + p] ?? 0) + w11 * (s[b + n + p] ?? 0));
    const h = this.#body;
    return w00 * (h[k] ?? 0) + w10 * (h[k + 1] ?? 0) + w01 * (h[k + w] ?? 0) + w11 * (h[k + w + 1] ?? 0);
  }

  /** First of the 4 × 4 coefficients of c that matter at a point, and their weights. */
  weightsAt(x: number, y: number, into: Float64Array): number {
    const u = Math.min(this.nx - 4 + 0.999, Math.max(0, (x - this.x0) / KNOT_MM));
    const v = Math.min(this.ny - 4 + 0.999, Math.max(0, (y - this.y0) / KNOT_MM));
    const i = Math.floor(u);
    const j = Math.floor(v);
    basisInto(u - i, ALONG_X);
    basisInto(v - j, ALONG_Y);
    for (let b = 0; b < 4; b += 1)
      for (let a = 0; a < 4; a += 1) into[4 * b + a] = (ALONG_Y[b] ?? 0) * (ALONG_X[a] ?? 0);
    return j * this.nx + i;
  }

  #factorAt(x: number, y: number): number {
    const first = this.weightsAt(x, y, WEIGHTS);
    let sum = 0;
    for (let b = 0; b < 4; b += 1)
      for (let a = 0; a < 4; a += 1) sum += (WEIGHTS[4 * b + a] ?? 0) * (this.factor[first + b * this.nx + a] ?? 0);
    return sum;
  }
}

const ALONG_X = new Float64Array(4);
const ALONG_Y = new Float64Array(4);
const WEIGHTS = new Float64Array(16);
