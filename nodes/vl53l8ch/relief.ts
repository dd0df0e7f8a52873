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
/** Stains are tried at the same places, with these radii and shares of the light taken. */
const STAIN_OFFSETS_MM = [-8, 0, 8];
const STAIN_RADII_MM = [12, 16];
const STAINS = [0.12, 0.22];
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
  for (const { cap, gain: promised } of candidatesOf(lobes)
    .filter(({ gain }) => gain >= leastGain)
    .slice(0, MOST)) {
    if (cap.depthMm > 0 && stainGain(lobes, cap) > promised) continue;
    const fitted = fitCap(view, fit, lobes, cap);
    const at = fitted?.field.cap;
    if (!fitted || !at || at.radiusMm > MOST_RADIUS_MM || Math.sign(at.depthMm) !== Math.sign(cap.depthMm)) continue;
    const gain = lobes.cost - fitted.cost;
    if (gain < leastGain) continue;
    found.push({ ...at, sigmas: Math.sqrt(2 * gain) });
    if (fitted.cost < surface.cost) surface = fitted;
  }
  found.sort((a, b) => b.sigmas - a.sigmas);
  const [strongest, ...others] = apart(found, (relief) => relief);
  if (!strongest || others.length === 0) return { found: strongest ? [strongest] : [], surface };
  // An echo of the strongest in a surface that gave way to it is gone once that is on the surface.
  const left = candidatesOf(surface).filter(({ gain }) => gain >= leastGain);
  const real = others.filter(({ x, y, depthMm }) =>
    left.some(({ cap }) => cap.depthMm * depthMm > 0 && Math.hypot(cap.x - x, cap.y - y) < APART_MM),
  );
  return { found: [strongest, ...real], surface };
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
      const near = nearTo(placed, x, y);
      if (near.length < LEAST_SEEN) continue;
      // Whether to look for a hollow or a hill, or for nothing.
      const { match: sign, energy: size } = against(near, (seen) => capChange(fit, seen, { x, y, ...TRIAL }), shared);
      if (sign ** 2 < LEAST_TRIAL * size) continue;
      for (const radiusMm of RADII_MM) {
        if (!standsAround(field, x, y, radiusMm)) continue;
        for (const depthMm of sign > 0 ? DEPTHS_MM : HEIGHTS_MM) {
          if (depthMm > MOST_DEPTH_SHARE * heightMm) continue;
          const cap = { x, y, radiusMm, depthMm };
          const t = against(near, (seen) => capChange(fit, seen, cap), shared);
          found.push({ cap, gain: gainOf(fit, lacking, shared, t) });
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

/** How a cap changes a measure's depth, mm, and the logarithm of its brightness. */
function capChange(fit: LobeFit, seen: Seen, cap: Cap): [longerMm: number, lighter: number] {
  const perRadius2 = 1 / cap.radiusMm ** 2;
  const steeper = 2 * cap.depthMm * perRadius2;
  let longerMm = 0;
  let light = 1;
  for (let k = 0; k < seen.x.length; k += 1) {
    const dx = (seen.x[k] ?? 0) - cap.x;
    const dy = (seen.y[k] ?? 0) - cap.y;
    const rest = 1 - (dx * dx + dy * dy) * perRadius2;
    if (rest <= 0) continue;
    longerMm += (seen.gain[k] ?? 0) * rest * cap.depthMm;
    if (!seen.brightness) continue;
    const slopeX = seen.slopeX[k] ?? 0;
    const slopeY = seen.slopeY[k] ?? 0;
    const ray = seen.ray[k] ?? 0;
    const before = fit.renderer.cosineAt(ray, slopeX, slopeY).value;
    const after = fit.renderer.cosineAt(ray, slopeX + steeper * dx, slopeY + steeper * dy).value;
    light += (seen.light[k] ?? 0) * (after / before - 1);
  }
  return [longerMm, Math.log(light)];
}

/** How a round stain that takes a share of the light changes them. */
function stainChange(seen: Seen, x: number, y: number, radiusMm: number, darker: number): [number, number] {
  let under = 0;
  for (let k = 0; k < seen.x.length; k += 1)
    if (((seen.x[k] ?? 0) - x) ** 2 + ((seen.y[k] ?? 0) - y) ** 2 < radiusMm ** 2) under += seen.light[k] ?? 0;
  return [0, Math.log(1 - darker * under)];
}

/** tᵀWt, tᵀWr and (into `shared`) JᵀWt of some change t. */
function against(near: readonly Seen[], changeOf: (seen: Seen) => [number, number], shared: Float64Array) {
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
    const [longerMm, lighter] = changeOf(seen);
    if (longerMm !== 0) take(seen.depth, longerMm, seen.depth.precision);
    if (!seen.brightness || lighter === 0) continue;
    // Weighed by what would be left of it: a dent is an outlier only as long as it is not thought of.
    const left = (seen.brightness.residual - lighter) ** 2;
    take(seen.brightness, lighter, Math.max(seen.brightness.precision, brightnessPrecision(left, seen.sigma2)));
  }
  return { energy, match };
}

/** Gain in log-likelihood by a change t, as far as the surface cannot give way to it (see `candidatesOf`). */
function gainOf(
  fit: LobeFit,
  lacking: Float64Array,
  shared: Float64Array,
  t: { energy: number; match: number },
): number {
  let { energy, match } = t;
  for (const value of forward(fit.information, fit.parameters, shared)) energy -= value * value;
  for (let i = 0; i < fit.parameters; i += 1) match -= (shared[i] ?? 0) * (lacking[i] ?? 0);
  return match - energy / 2;
}

/** The most that a stain at a cap's place would explain. */
function stainGain(fit: LobeFit, cap: Cap): number {
  const lacking = substitute(fit.information, fit.parameters, fit.right);
  const shared = new Float64Array(fit.parameters);
  const near = nearTo(fit.seen.map(middleOf), cap.x, cap.y);
  let best = 0;
  for (const dy of STAIN_OFFSETS_MM)
    for (const dx of STAIN_OFFSETS_MM)
      for (const radiusMm of STAIN_RADII_MM)
        for (const darker of STAINS) {
          const t = against(near, (seen) => stainChange(seen, cap.x + dx, cap.y + dy, radiusMm, darker), shared);
          best = Math.max(best, gainOf(fit, lacking, shared, t));
        }
  return best;
}

const nearTo = (placed: readonly ReturnType<typeof middleOf>[], x: number, y: number): Seen[] =>
  placed.filter((at) => (at.x - x) ** 2 + (at.y - y) ** 2 < REACH_MM ** 2).map(({ seen }) => seen);

function standsAround(field: LobeFit["field"], x: number, y: number, radiusMm: number): boolean {
  for (let d = 0; d < 8; d += 1) {
    const angle = (d * Math.PI) / 4;
    if (field.at(x + radiusMm * Math.cos(angle), y + radiusMm * Math.sin(angle)) < RIM_HEIGHT_MM) return false;
  }
  return true;
}
