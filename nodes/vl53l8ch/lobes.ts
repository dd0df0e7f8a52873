/**
 * A liver's body as two superellipsoid lobes resting on the belt and joined by a rounded fold. In its own axes u, v a lobe is
 * h = H·(1 − |u/a|^p − |v/b|^p)^(1/q).
 */

/** Per lobe: x, y (mm), ln a, ln b, H (mm), angle (rad). Then p, q and the rounding of the fold (mm). */
export type LobeParameters = Float64Array;

const PER_LOBE = 6;
export const LOBE_PARAMETERS = 2 * PER_LOBE + 3;
/** Where p, q and the rounding stand, and what is expected of them. */
export const FORM_FROM = 2 * PER_LOBE;
export const EXPECTED = [2.2, 3, 6] as const;
const P = FORM_FROM;
const Q = P + 1;
const FOLD = P + 2;

/** Keeps the parameters where the form makes sense. */
export function bounded(parameters: LobeParameters): LobeParameters {
  const clip = (i: number, low: number, high: number) => {
    parameters[i] = Math.min(high, Math.max(low, parameters[i] ?? low));
  };
  for (const o of [0, PER_LOBE]) {
    clip(o + 2, Math.log(15), Math.log(200));
    clip(o + 3, Math.log(12), Math.log(150));
    clip(o + 4, 8, 110);
  }
  clip(P, 1.4, 4);
  clip(Q, 1.5, 6);
  clip(FOLD, 1, 25);
  return parameters;
}

export interface Grid {
  x0: number;
  y0: number;
  width: number;
  height: number;
  cellMm: number;
}

/** Nearer to the outline than this (in 1 − |u/a|^p − |v/b|^p) the root's slope is no longer followed. */
const LEAST_REST = 0.03;

/** One lobe, with what does not depend on the point: 1/a, 1/b, cosine and sine of its angle. */
function lobeAt(t: LobeParameters, o: number) {
  const angle = t[o + 5] ?? 0;
  return {
    x: t[o] ?? 0,
    y: t[o + 1] ?? 0,
    ia: Math.exp(-(t[o + 2] ?? 0)),
    ib: Math.exp(-(t[o + 3] ?? 0)),
    h: t[o + 4] ?? 0,
    c: Math.cos(angle),
    s: Math.sin(angle),
    p: t[P] ?? 2,
    q: t[Q] ?? 3,
  };
}
type Lobe = ReturnType<typeof lobeAt>;

const slope = new Float64Array(PER_LOBE + 2);
const slope2 = new Float64Array(PER_LOBE + 2);

/** One lobe's height at a point and, if asked for, ∂h/∂(x, y, ln a, ln b, H, angle, p, q); 0 outside. */
function heightOf(lobe: Lobe, x: number, y: number, into?: Float64Array): number {
  const { ia, ib, c, s, h, p, q } = lobe;
  const dx = x - lobe.x;
  const dy = y - lobe.y;
  const u = (dx * c + dy * s) * ia;
  const v = (dy * c - dx * s) * ib;
  const mu = Math.max(1e-6, Math.abs(u));
  const mv = Math.max(1e-6, Math.abs(v));
  if (mu >= 1 || mv >= 1) return 0;
  const lu = Math.log(mu);
  const lv = Math.log(mv);
  const up = Math.exp(p * lu);
  const vp = Math.exp(p * lv);
  const rest = 1 - up - vp;
  if (rest <= 0) return 0;
  const lr = Math.log(rest);
  const height = h * Math.exp(lr / q);
  if (into) {
    const perRest = height / (q * Math.max(rest, LEAST_REST));
    const perU = (-perRest * p * up) / (u < 0 ? -mu : mu);
    const perV = (-perRest * p * vp) / (v < 0 ? -mv : mv);
    into[0] = -perU * c * ia + perV * s * ib;
    into[1] = -perU * s * ia - perV * c * ib;
    into[2] = -perU * u;
    into[3] = -perV * v;
    into[4] = height / h;
    // ∂u/∂angle = v·b/a, ∂v/∂angle = −u·a/b.
    into[5] = (perU * v * ia) / ib - (perV * u * ib) / ia;
    into[6] = -perRest * (up * lu + vp * lv);
    into[7] = (-height * lr) / (q * q);
  }
  return height;
}

/**
 * Heights at the points of a grid, row-major, and if asked for their derivatives by the parameters, point by point. The lobes
 * are joined by the polynomial smooth maximum: max + (k − |gap|)²/4k where they differ by less than k.
 */
export function lobesInto(parameters: LobeParameters, grid: Grid, into: Float64Array, slopes?: Float64Array): void {
  const fold = parameters[FOLD] ?? 1;
  const n = LOBE_PARAMETERS;
  const one = lobeAt(parameters, 0);
  const other = lobeAt(parameters, PER_LOBE);
  slopes?.fill(0);
  for (let j = 0; j < grid.height; j += 1) {
    const y = grid.y0 + j * grid.cellMm;
    for (let i = 0; i < grid.width; i += 1) {
      const x = grid.x0 + i * grid.cellMm;
      const k = j * grid.width + i;
      const first = heightOf(one, x, y, slopes && slope);
      const second = heightOf(other, x, y, slopes && slope2);
      const gap = first - second;
      // Share of the first lobe in what the surface follows.
      let share = gap >= 0 ? 1 : 0;
      let height = Math.max(first, second);
      let perFold = 0;
      const over = fold - Math.abs(gap);
      if (first > 0 && second > 0 && over > 0) {
        height += (over * over) / (4 * fold);
        share = 0.5 + gap / (2 * fold);
        perFold = (fold * fold - gap * gap) / (4 * fold * fold);
      }
      into[k] = height;
      if (!slopes || height <= 0) continue;
      const at = k * n;
      for (let a = 0; a < PER_LOBE; a += 1) {
        if (share > 0) slopes[at + a] = share * (slope[a] ?? 0);
        if (share < 1) slopes[at + PER_LOBE + a] = (1 - share) * (slope2[a] ?? 0);
      }
      for (let a = 0; a < 2; a += 1)
        slopes[at + P + a] =
          (share > 0 ? share * (slope[PER_LOBE + a] ?? 0) : 0) +
          (share < 1 ? (1 - share) * (slope2[PER_LOBE + a] ?? 0) : 0);
      slopes[at + FOLD] = perFold;
    }
  }
}
