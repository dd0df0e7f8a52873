import type { Fit } from "./fit.ts";
import type { Cap } from "./lobe-field.ts";
import { fitCap } from "./lobe-fit.ts";
import { brightnessPrecision, type LobeFit, type Seen } from "./lobe-relax.ts";
import { forward, substitute } from "./solve.ts";
import type { View } from "./view.ts";

/** A place where the surface lies below (dent) or above (bump, negative depth) the product's form: a cap off it or on it. */
export interface Relief extends Cap {
  /** √(2 · gain in log-likelihood): by how many standard deviations the cap is there. */
  sigmas: number;
}

/** What is found, and the surface that explains it all best. */
export interface Reliefs {
  found: Relief[];
  surface: LobeFit;
}

/** A cap and its gain in log-likelihood, on the surface made linear. */
interface Candidate {
  cap: Cap;
  gain: number;
}

/** Caps are tried at the points of a square grid, with these radii and depths. */
const STEP_MM = 9;
const RADII_MM = [16, 22];
const DEPTHS_MM = [5, 10];
const HEIGHTS_MM = [-6];
/** Tried first; where its match squared is less than this many times its energy, there is nothing. */
const TRIAL = { radiusMm: 19, depthMm: 6 };
const LEAST_TRIAL = 4;
/** The product must stand so high in the middle of a cap and all along its rim: nearer to the outline a cap is no more than a form. */
const LEAST_HEIGHT_MM = 20;
const RIM_HEIGHT_MM = 8;
/** No cap takes more of the height away. */
const MOST_DEPTH_SHARE = 0.6;
/** Fewer measures than this say nothing of a place; those farther off don't see it. */
const LEAST_SEEN = 8;
const REACH_MM = 40;
/** Two caps nearer than this are one. */
const APART_MM = 25;
/** Most caps that are fitted. */
const MOST = 3;
/** A hollow as wide as this is a form, not a dent. */
const MOST_RADIUS_MM = 26.5;

/**
 * Dents and bumps by the generalised likelihood ratio of a spherical cap: first place by place on the surface made linear, then
 * fitted anew with the cap where that promises something. A cap shows in the depths and, by its steep sides, in the brightness:
 * long waves have no such sides, stains no depth.
 * @param leastSigmas that both must reach
 * @returns strongest first, with the surface that has the strongest
 */
export function findRelief(view: View, fit: Fit, lobes: LobeFit, leastSigmas: number): Reliefs {
  const leastGain = leastSigmas ** 2 / 2;
  const found: Relief[] = [];
  let surface = lobes;
  for (const { cap } of candidatesOf(lobes)
    .filter(({ gain }) => gain >= leastGain)
    .slice(0, MOST)) {
    const fitted = fitCap(view, fit, lobes, cap);
    const at = fitted?.field.cap;
    if (!fitted || !at || at.radiusMm > MOST_RADIUS_MM || Math.sign(at.depthMm) !== Math.sign(cap.depthMm)) continue;
    const gain = lobes.cost - fitted.cost;
    if (gain < leastGain) continue;
    found.push({ ...at, sigmas: Math.sqrt(2 * gain) });
    if (fitted.cost < surface.cost) surface = fitted;
  }
  found.sort((a, b) => b.sigmas - a.sigmas);
  return { found: apart(found, (relief) => relief), surface };
}

/** The first of every place. */
function apart<T>(sorted: readonly T[], capOf: (item: T) => Cap): T[] {
  const kept: T[] = [];
  for (const item of sorted) {
    const { x, y } = capOf(item);
    if (kept.every((other) => Math.hypot(capOf(other).x - x, capOf(other).y - y) >= APART_MM)) kept.push(item);
  }
  return kept;
}

/**
 * Where caps would explain most of what is left, best first. With residuals r, weights W, slopes J, information M, gradient g
 * and what a cap would change t: gain = m − e/2 with m = tᵀWr − tᵀWJ·M⁻¹·g and e = tᵀWt − tᵀWJ·M⁻¹·JᵀWt, for the
 * surface may give way to it.
 */
function candidatesOf(fit: LobeFit): Candidate[] {
  const { field, information, parameters: n } = fit;
  const lacking = substitute(information, n, fit.right);
  const placed = fit.seen.map(middleOf);
  const shared = new Float64Array(n);
  const found: Candidate[] = [];
  const [x1, y1] = [field.x0 + (field.width - 1) * field.cellMm, field.y0 + (field.height - 1) * field.cellMm];
  for (let y = field.y0; y < y1; y += STEP_MM)
    for (let x = field.x0; x < x1; x += STEP_MM) {
      const heightMm = field.at(x, y);
      if (heightMm < LEAST_HEIGHT_MM) continue;
      const near = placed.filter((at) => (at.x - x) ** 2 + (at.y - y) ** 2 < REACH_MM ** 2).map(({ seen }) => seen);
      if (near.length < LEAST_SEEN) continue;
      // Whether to look for a hollow or a hill, or for nothing.
      const { match: sign, energy: size } = against(fit, near, { x, y, ...TRIAL }, shared);
      if (sign ** 2 < LEAST_TRIAL * size) continue;
      for (const radiusMm of RADII_MM) {
        if (!standsAround(field, x, y, radiusMm)) continue;
        for (const depthMm of sign > 0 ? DEPTHS_MM : HEIGHTS_MM) {
          if (depthMm > MOST_DEPTH_SHARE * heightMm) continue;
          const cap = { x, y, radiusMm, depthMm };
          let { match, energy } = against(fit, near, cap, shared);
          for (const value of forward(information, n, shared)) energy -= value * value;
          for (let i = 0; i < n; i += 1) match -= (shared[i] ?? 0) * (lacking[i] ?? 0);
          found.push({ cap, gain: match - energy / 2 });
        }
      }
    }
  found.sort((a, b) => b.gain - a.gain);
  return apart(found, ({ cap }) => cap);
}

function middleOf(seen: Seen): { seen: Seen; x: number; y: number } {
  let x = 0;
  let y = 0;
  for (let k = 0; k < seen.x.length; k += 1) {
    x += seen.x[k] ?? 0;
    y += seen.y[k] ?? 0;
  }
  return { seen, x: x / seen.x.length, y: y / seen.x.length };
}

/** tᵀWt, tᵀWr and (into `shared`) JᵀWt of what a cap would change. */
function against(fit: LobeFit, near: readonly Seen[], cap: Cap, shared: Float64Array) {
  const perRadius2 = 1 / cap.radiusMm ** 2;
  shared.fill(0);
  let energy = 0;
  let match = 0;
  const take = (row: NonNullable<Seen["brightness"]>, change: number, precision: number) => {
    const weighted = precision * change;
    energy += weighted * change;
    match += weighted * row.residual;
    for (let a = 0; a < row.index.length; a += 1) {
      const i = row.index[a] ?? 0;
      shared[i] = (shared[i] ?? 0) + weighted * (row.slope[a] ?? 0);
    }
  };
  for (const seen of near) {
    let longer = 0;
    let lighter = 1;
    for (let k = 0; k < seen.x.length; k += 1) {
      const dx = (seen.x[k] ?? 0) - cap.x;
      const dy = (seen.y[k] ?? 0) - cap.y;
      const rest = 1 - (dx * dx + dy * dy) * perRadius2;
      if (rest <= 0) continue;
      longer += (seen.gain[k] ?? 0) * rest * cap.depthMm;
      if (!seen.brightness) continue;
      const slopeX = seen.slopeX[k] ?? 0;
      const slopeY = seen.slopeY[k] ?? 0;
      const steeper = 2 * cap.depthMm * perRadius2;
      const ray = seen.ray[k] ?? 0;
      const before = fit.renderer.cosineAt(ray, slopeX, slopeY).value;
      const after = fit.renderer.cosineAt(ray, slopeX + steeper * dx, slopeY + steeper * dy).value;
      lighter += (seen.light[k] ?? 0) * (after / before - 1);
    }
    if (longer === 0) continue;
    take(seen.depth, longer, seen.depth.precision);
    if (!seen.brightness) continue;
    // Weighed by what would be left of it: a dent is an outlier only as long as it is not thought of.
    const change = Math.log(lighter);
    const left = seen.brightness.residual - change;
    take(seen.brightness, change, Math.max(seen.brightness.precision, brightnessPrecision(left ** 2, seen.sigma2)));
  }
  return { energy, match };
}

function standsAround(field: LobeFit["field"], x: number, y: number, radiusMm: number): boolean {
  for (let d = 0; d < 8; d += 1) {
    const angle = (d * Math.PI) / 4;
    if (field.at(x + radiusMm * Math.cos(angle), y + radiusMm * Math.sin(angle)) < RIM_HEIGHT_MM) return false;
  }
  return true;
}
