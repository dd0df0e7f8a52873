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
  /** Its depth over the depth's standard deviation. */
  sigmas: number;
}

/** Caps are tried at the points of a square grid, with these diameters: what is narrower than a zone, edges and folds leave too. */
const STEP_MM = 7;
const DIAMETERS_MM = [31, 39, 47];
/** The product must stand so high in the middle of a cap and all along its rim: nearer to the outline a cap is no more than a form. */
const LEAST_HEIGHT_MM = 22;
const RIM_HEIGHT_MM = 8;
/** No cap is deeper, nor takes more of the height away. */
const MOST_DEPTH_MM = 15;
const MOST_DEPTH_SHARE = 0.6;
/** No product is as even as its form: what a cap may stand out by without being one (standard deviation), mm. */
const UNEVEN_MM = 0.5;
/** Fewer measures than this say nothing of a place. */
const LEAST_ROWS = 8;
/** Two of them nearer than this are one, mm. */
const APART_MM = 25;
const MOST = 6;
/** Measures farther from a cap's middle than this don't see it, mm. */
const REACH_MM = 45;

/** A measure and the middle of what its rays met. */
interface Placed {
  row: Row;
  x: number;
  y: number;
}

/**
 * Dents and bumps by the generalised likelihood ratio of a spherical cap, place by place. The cap is seen through the same
 * rays as the surface, t; what the surface could take up of it by its own freedom (with its prior) is taken out first. With
 * residuals r, weights W, slopes J, information M and gradient g: energy e = tᵀWt − tᵀWJ·M⁻¹·JᵀWt, match
 * m = tᵀWr − tᵀWJ·M⁻¹·g, depth m/e, √(2 · log-likelihood ratio) = m/√e. What is found is left free like the surface, and
 * the search goes on: a cap's echoes in a surface that gave way to it are none.
 * @param fits of the same measures; taken is the one that, with its strongest cap, explains them best
 * @returns those of at least `leastSigmas`, strongest first
 */
export function findRelief(fits: readonly LobeFit[], leastSigmas: number): Relief[] {
  let best: { fit: LobeFit; first: Candidate | undefined; cost: number } | undefined;
  for (const fit of fits) {
    const first = strongest(fit, []);
    const cost = fit.cost - (first?.ratio ?? 0) / 2;
    if (!best || cost < best.cost) best = { fit, first, cost };
  }
  const found: Relief[] = [];
  let [known, next] = [best?.fit, best?.first];
  while (known && next && next.sigmas >= leastSigmas) {
    const { ratio: _, ...relief } = next;
    found.push(relief);
    if (found.length === MOST) break;
    known = withCap(known, relief);
    next = strongest(known, found);
  }
  return found;
}

/** With twice the log-likelihood ratio. */
type Candidate = Relief & { ratio: number };

function strongest(fit: LobeFit, found: readonly Relief[]): Candidate | undefined {
  const { field, information, parameters: n } = fit;
  const lacking = substitute(information, n, fit.right);
  const placed = fit.rows.map(middleOf);
  const shared = new Float64Array(n);
  let best: Candidate | undefined;
  const [x1, y1] = [field.x0 + (field.width - 1) * field.cellMm, field.y0 + (field.height - 1) * field.cellMm];
  for (let y = field.y0; y < y1; y += STEP_MM)
    for (let x = field.x0; x < x1; x += STEP_MM) {
      const heightMm = field.at(x, y);
      if (heightMm < LEAST_HEIGHT_MM || found.some((other) => Math.hypot(other.x - x, other.y - y) < APART_MM))
        continue;
      const near = placed.filter((at) => (at.x - x) ** 2 + (at.y - y) ** 2 < REACH_MM ** 2).map(({ row }) => row);
      if (near.length < LEAST_ROWS) continue;
      const most = Math.min(MOST_DEPTH_MM, MOST_DEPTH_SHARE * heightMm);
      for (const diameterMm of DIAMETERS_MM) {
        if (!standsAround(field, x, y, diameterMm / 2)) continue;
        const cap = against(near, { x, y, diameterMm }, shared);
        let energy = cap.energy;
        let match = cap.match;
        for (const value of forward(information, n, shared)) energy -= value * value;
        for (let i = 0; i < n; i += 1) match -= (shared[i] ?? 0) * (lacking[i] ?? 0);
        if (!(energy > 1e-6)) continue;
        const depthMm = Math.max(-most, Math.min(most, match / energy));
        const ratio = 2 * match * depthMm - energy * depthMm * depthMm;
        if (ratio <= 0) continue;
        const sigmas = Math.abs(depthMm) / Math.hypot(depthMm / Math.sqrt(ratio), UNEVEN_MM);
        if (!best || sigmas > best.sigmas) best = { x, y, diameterMm, depthMm, sigmas, ratio };
      }
    }
  return best;
}

type Cap = Pick<Relief, "x" | "y" | "diameterMm">;

/** The fit with the depth of one cap as a further parameter, last of all. */
function withCap(fit: LobeFit, cap: Cap): LobeFit {
  const { information, parameters: n } = fit;
  const shared = new Float64Array(n);
  const { energy, match } = against(fit.rows, cap, shared);
  // One more row of the Cholesky factor.
  const last = forward(information, n, shared);
  const wider = new Float64Array((n + 1) ** 2);
  for (let i = 0; i < n; i += 1) wider.set(information.subarray(i * n, i * n + n), i * (n + 1));
  wider.set(last, n * (n + 1));
  wider[(n + 1) ** 2 - 1] = Math.sqrt(Math.max(1e-6, energy - last.reduce((sum, value) => sum + value * value, 0)));
  return {
    ...fit,
    parameters: n + 1,
    information: wider,
    right: Float64Array.from([...fit.right, match]),
    rows: fit.rows.map((row) => {
      const seen = seenOf(row, cap);
      if (seen === 0) return row;
      return { ...row, index: Int32Array.from([...row.index, n]), slope: Float64Array.from([...row.slope, seen]) };
    }),
  };
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

/** By how much a measure reads longer for a cap of one millimetre's depth. */
function seenOf(row: Row, { x, y, diameterMm }: Cap): number {
  const perRadius2 = 1 / (diameterMm / 2) ** 2;
  let seen = 0;
  for (let k = 0; k < row.x.length; k += 1) {
    const rest = 1 - (((row.x[k] ?? 0) - x) ** 2 + ((row.y[k] ?? 0) - y) ** 2) * perRadius2;
    if (rest > 0) seen += (row.gain[k] ?? 0) * rest;
  }
  return seen;
}

/** tᵀWt, tᵀWr and (into `shared`) JᵀWt of a cap one millimetre deep. */
function against(rows: readonly Row[], cap: Cap, shared: Float64Array) {
  shared.fill(0);
  let energy = 0;
  let match = 0;
  for (const row of rows) {
    const seen = seenOf(row, cap);
    if (seen === 0) continue;
    const weighted = row.precision * seen;
    energy += weighted * seen;
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
