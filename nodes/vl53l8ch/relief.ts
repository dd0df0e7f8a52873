import type { LobeFit, Row } from "./lobe-fit.ts";
import { forward, substitute } from "./solve.ts";

/** A place where the surface lies below (dent) or above (bump) what the product's form explains: a cap off it or on it. */
export interface Relief {
  /** In the product's axes, mm. */
  x: number;
  y: number;
  diameterMm: number;
  /** Positive: a dent's depth; negative: a bump's height. */
  depthMm: number;
  /** By how much the measures speak for it: √(2 · log-likelihood ratio). */
  sigmas: number;
}

/** Caps are tried at the points of a square grid, with these diameters. */
const STEP_MM = 7;
const DIAMETERS_MM = [27, 34, 41, 48];
/** The product must stand so high in the middle of a cap and all along its rim: nearer to the outline a cap is no more than a form. */
const LEAST_HEIGHT_MM = 22;
const RIM_HEIGHT_MM = 8;
/** No cap is deeper, nor takes more of the height away. */
const MOST_DEPTH_MM = 15;
const MOST_DEPTH_SHARE = 0.6;
/** Fewer measures than this say nothing of a place. */
const LEAST_ROWS = 8;
/** Two of them nearer than this are one, mm. */
const APART_MM = 25;
const MOST = 8;

/** A measure and the middle of what its rays met. */
interface Placed {
  row: Row;
  x: number;
  y: number;
}

/**
 * Dents and bumps by the generalised likelihood ratio of a spherical cap, place by place. The cap is seen through the same
 * rays as the surface, t; what the surface could take up of it by its own freedom (with its prior) is taken out first. With
 * residuals r, weights W, slopes J and information M: energy e = tᵀWt − tᵀWJ·M⁻¹·JᵀWt, match m = tᵀWr − tᵀWJ·M⁻¹·g, depth m/e,
 * √(2 · log-likelihood ratio) = m/√e. All candidates, strongest first; limits are the caller's.
 */
export function findRelief(fit: LobeFit): Relief[] {
  const { field, information, parameters: n } = fit;
  const lacking = substitute(information, n, fit.right);
  const placed = fit.rows.map(middleOf);
  const shared = new Float64Array(n);
  const found: Relief[] = [];
  const [x1, y1] = [field.x0 + (field.width - 1) * field.cellMm, field.y0 + (field.height - 1) * field.cellMm];
  for (let y = field.y0; y < y1; y += STEP_MM)
    for (let x = field.x0; x < x1; x += STEP_MM) {
      const heightMm = field.at(x, y);
      if (heightMm < LEAST_HEIGHT_MM) continue;
      const near = placed.filter((at) => (at.x - x) ** 2 + (at.y - y) ** 2 < 45 ** 2);
      if (near.length < LEAST_ROWS) continue;
      const most = Math.min(MOST_DEPTH_MM, MOST_DEPTH_SHARE * heightMm);
      for (const diameterMm of DIAMETERS_MM) {
        if (!standsAround(field, x, y, diameterMm / 2)) continue;
        const cap = against(near, x, y, diameterMm / 2, shared);
        let energy = cap.energy;
        let match = cap.match;
        for (const value of forward(information, n, shared)) energy -= value * value;
        for (let i = 0; i < n; i += 1) match -= (shared[i] ?? 0) * (lacking[i] ?? 0);
        if (!(energy > 1e-6)) continue;
        const depthMm = Math.max(-most, Math.min(most, match / energy));
        const sigmas = Math.sqrt(Math.max(0, 2 * match * depthMm - energy * depthMm * depthMm));
        found.push({ x, y, diameterMm, depthMm, sigmas });
      }
    }
  return strongest(found);
}

function middleOf(row: Row): Placed {
  let x = 0;
  let y = 0;
  for (let k = 0; k < row.x.length; k += 1) {
    x += row.x[k] ?? 0;
    y += row.y[k] ?? 0;
  }
  return { row, x: x / row.x.length, y: y / row.x.length };
}

/** tᵀWt, tᵀWr and (into `shared`) JᵀWt of a cap one millimetre deep. */
function against(near: readonly Placed[], x: number, y: number, radiusMm: number, shared: Float64Array) {
  shared.fill(0);
  let energy = 0;
  let match = 0;
  for (const { row } of near) {
    let t = 0;
    for (let k = 0; k < row.x.length; k += 1) {
      const rest = 1 - (((row.x[k] ?? 0) - x) ** 2 + ((row.y[k] ?? 0) - y) ** 2) / radiusMm ** 2;
      if (rest > 0) t += (row.gain[k] ?? 0) * rest;
    }
    if (t === 0) continue;
    const weighted = row.precision * t;
    energy += weighted * t;
    match += weighted * row.residualMm;
    for (let a = 0; a < row.index.length; a += 1) {
      const i = row.index[a] ?? 0;
      shared[i] = (shared[i] ?? 0) + weighted * (row.slope[a] ?? 0);
    }
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

function strongest(found: readonly Relief[]): Relief[] {
  const kept: Relief[] = [];
  for (const relief of found.toSorted((a, b) => b.sigmas - a.sigmas)) {
    if (kept.every((other) => Math.hypot(other.x - relief.x, other.y - relief.y) > APART_MM)) kept.push(relief);
    if (kept.length === MOST) break;
  }
  return kept;
}
