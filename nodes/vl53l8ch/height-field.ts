import { Raster } from "./raster.ts";
import type { Heights } from "./render.ts";

/**
 * The product's surface above the belt, h(X, Y) in mm, in axes that travel with it. It is h = scale · s^(1/2) where s > 0,
 * with s a tensor product of uniform cubic B-splines: a soft body resting on a belt has steep flanks, and a root of a
 * smooth function has them while the function itself stays as smooth as the sensor can tell. The outline is s = 0.
 */
export class HeightField implements Heights {
  readonly x0: number;
  readonly y0: number;
  readonly nx: number;
  readonly ny: number;
  readonly knotMm: number;
  readonly scaleMm: number;
  coefficients: Float64Array;
  /** Heights on a raster of `cellMm`, row-major by y, `width * height` nodes from (x0, y0) on. */
  readonly cellMm: number;
  readonly width: number;
  readonly height: number;
  readonly raster: Raster;
  readonly #perKnot: number;
  readonly #weights: Float64Array;
  readonly #rows: Float64Array;

  /** @param perKnot raster cells per knot interval */
  constructor(area: { x0: number; y0: number; x1: number; y1: number }, knotMm: number, scaleMm: number, perKnot = 8) {
    const spansX = Math.max(2, Math.ceil((area.x1 - area.x0) / knotMm));
    const spansY = Math.max(2, Math.ceil((area.y1 - area.y0) / knotMm));
    this.x0 = area.x0;
    this.y0 = area.y0;
    this.knotMm = knotMm;
    this.scaleMm = scaleMm;
    this.nx = spansX + 3;
    this.ny = spansY + 3;
    this.coefficients = new Float64Array(this.nx * this.ny);
    this.cellMm = knotMm / perKnot;
    this.width = spansX * perKnot + 1;
    this.height = spansY * perKnot + 1;
    this.raster = new Raster(this.x0, this.y0, this.width, this.height, this.cellMm);
    this.#perKnot = perKnot;
    this.#weights = new Float64Array(perKnot * 4);
    this.#rows = new Float64Array(this.ny * this.width);
    for (let i = 0; i < perKnot; i += 1) this.#weights.set(basis(i / perKnot), 4 * i);
  }

  /** Sets the coefficients to s at their knots (a smoothing approximation). */
  approximate(s: (x: number, y: number) => number): void {
    for (let j = 0; j < this.ny; j += 1)
      for (let i = 0; i < this.nx; i += 1)
        this.coefficients[j * this.nx + i] = s(this.x0 + (i - 1) * this.knotMm, this.y0 + (j - 1) * this.knotMm);
  }

  /** Works the raster out from the coefficients. */
  rasterise(): void {
    const { nx, ny, width, height, coefficients, scaleMm } = this;
    const { values } = this.raster;
    const per = this.#perKnot;
    const w = this.#weights;
    const rows = this.#rows;
    for (let j = 0; j < ny; j += 1) {
      for (let x = 0; x < width; x += 1) {
        const span = Math.min(nx - 4, Math.floor(x / per));
        const at = x === width - 1 ? undefined : 4 * (x % per);
        rows[j * width + x] = weighted(w, at, coefficients, j * nx + span, 1);
      }
    }
    for (let y = 0; y < height; y += 1) {
      const span = Math.min(ny - 4, Math.floor(y / per));
      const at = y === height - 1 ? undefined : 4 * (y % per);
      for (let x = 0; x < width; x += 1) {
        const s = weighted(w, at, rows, span * width + x, width);
        values[y * width + x] = s > 0 ? scaleMm * Math.sqrt(s) : 0;
      }
    }
    this.raster.measure();
  }

  /** Height at a point by the raster. */
  at(x: number, y: number): number {
    return this.raster.at(x, y);
  }

  /** ∂s/∂coefficients at a point: the first index of the 4 × 4 coefficients that matter and their weights, or −1 outside. */
  basisAt(x: number, y: number, into: Float64Array): number {
    const u = (x - this.x0) / this.knotMm;
    const v = (y - this.y0) / this.knotMm;
    const i = Math.floor(u);
    const j = Math.floor(v);
    if (!(i >= 0 && j >= 0) || i > this.nx - 4 || j > this.ny - 4) return -1;
    basisInto(u - i, BASIS_X);
    basisInto(v - j, BASIS_Y);
    for (let b = 0; b < 4; b += 1)
      for (let a = 0; a < 4; a += 1) into[4 * b + a] = (BASIS_Y[b] ?? 0) * (BASIS_X[a] ?? 0);
    return j * this.nx + i;
  }

  volumeMm3(): number {
    let sum = 0;
    for (const h of this.raster.values) sum += h;
    return sum * this.cellMm * this.cellMm;
  }
}

const BASIS_X = new Float64Array(4);
const BASIS_Y = new Float64Array(4);

function basis(t: number): Float64Array {
  const b = new Float64Array(4);
  basisInto(t, b);
  return b;
}

export function basisInto(t: number, b: Float64Array): void {
  const r = 1 - t;
  b[0] = (r * r * r) / 6;
  b[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
  b[2] = (3 * r * r * r - 6 * r * r + 4) / 6;
  b[3] = (t * t * t) / 6;
}
const END = basis(1);

function weighted(w: Float64Array, at: number | undefined, values: Float64Array, from: number, stride: number): number {
  const b = at === undefined ? END : w;
  const o = at ?? 0;
  return (
    (b[o] ?? 0) * (values[from] ?? 0) +
    (b[o + 1] ?? 0) * (values[from + stride] ?? 0) +
    (b[o + 2] ?? 0) * (values[from + 2 * stride] ?? 0) +
    (b[o + 3] ?? 0) * (values[from + 3 * stride] ?? 0)
  );
}
