import { median } from "../sample/statistics.ts";
import { HeightField } from "./height-field.ts";
import { heightPerS, Renderer } from "./render.ts";
import { factorise, forward, substitute } from "./solve.ts";
import type { View } from "./view.ts";

/** One zone of one frame, corrected by the view's offsets. */
export interface Measure {
  zone: number;
  /** Seconds from the middle of the product's passage. */
  t: number;
  depthMm: number;
  /** Reflectance over the belt's own in this zone, as the sensor tells it; absent without a tare that holds it. */
  brightness?: number;
}

/** Movement of the product in the sensor's axes, mm/s. */
export interface Motion {
  x: number;
  y: number;
}

export interface Fit {
  field: HeightField;
  motion: Motion;
  renderer: Renderer;
  measures: readonly Measure[];
  /** Measured minus rendered depth, mm, and the robust weight each had, by measure. */
  residualMm: Float64Array;
  robustWeight: Float64Array;
  /** Noise of one measure as the residuals show it, mm. */
  sigmaMm: number;
  /** Cholesky factor of the information matrix over coefficients, then motion x, y. */
  information: Float64Array;
  parameters: number;
  iterations: number;
}

/** Knots lie as far apart as the sensor resolves: about one zone on the product. */
const KNOT_MM = 28;
const ITERATIONS = 14;
const HUBER = 2.5;
/** What stands this high is product, not the belt's noise. */
const TALL_MM = 15;
const LEAST_SIGMA_MM = 0.6;
/** Weights of third (an ellipsoid has none) and second differences of s: what fills the gaps between the measures. */
const THIRD = 400;
const SECOND = 0.15;

/**
 * Fits one height field and one motion to all frames of a product at once (Levenberg and Marquardt, Huber's weights): what
 * each zone reads is rendered through the sensor's own geometry, so that partly covered zones, perspective and hidden flanks
 * need no correction afterwards.
 */
export function fitField(
  view: View,
  measures: readonly Measure[],
  start: { motion: Motion; isMoving: boolean; reflectanceRatio: number },
): Fit | undefined {
  const motion = { ...start.motion };
  const seed = startField(view, measures, motion);
  if (!seed) return undefined;
  const { field } = seed;
  const renderer = new Renderer(view, field, start.reflectanceRatio);
  const near = measures.filter((measure) => seed.isNear(measure));
  const coefficients = field.nx * field.ny;
  const n = coefficients + 2;
  const residualMm = new Float64Array(near.length);
  const robustWeight = new Float64Array(near.length);
  const normal = new Float64Array(n * n);
  const right = new Float64Array(n);
  const row = new Float64Array(n);
  const touched = new Int32Array(n);
  const shapeOf = new Float64Array(16);
  let sigmaMm = 3;
  let damping = 1e-2;
  let kept: { coefficients: Float64Array; motion: Motion; cost: number } | undefined;
  let information = new Float64Array(0);
  let iterations = 0;

  const linearise = (): number => {
    normal.fill(0);
    right.fill(0);
    let cost = 0;
    near.forEach((measure, index) => {
      const rendered = renderer.zone(measure.zone, motion.x * measure.t, motion.y * measure.t);
      const residual = measure.depthMm - rendered;
      residualMm[index] = residual;
      const scaled = Math.abs(residual) / sigmaMm;
      const weight = scaled > HUBER ? HUBER / scaled : 1;
      robustWeight[index] = weight;
      cost += scaled > HUBER ? HUBER * (scaled - HUBER / 2) : (scaled * scaled) / 2;
      const { hits } = renderer;
      let count = 0;
      const add = (parameter: number, value: number) => {
        if (row[parameter] === 0) touched[count++] = parameter;
        row[parameter] = (row[parameter] ?? 0) + value;
      };
      for (let k = 0; k < hits.count; k += 1) {
        const gain = hits.gain[k] ?? 0;
        const first = field.basisAt(hits.x[k] ?? 0, hits.y[k] ?? 0, shapeOf);
        if (first < 0) continue;
        const perS = -gain * heightPerS(hits.height[k] ?? 0, field.scaleMm);
        for (let b = 0; b < 16; b += 1) add(first + (b >> 2) * field.nx + (b & 3), perS * (shapeOf[b] ?? 0));
        if (start.isMoving) {
          add(coefficients, gain * (hits.slopeX[k] ?? 0) * measure.t);
          add(coefficients + 1, gain * (hits.slopeY[k] ?? 0) * measure.t);
        }
      }
      const w = weight / (sigmaMm * sigmaMm);
      for (let a = 0; a < count; a += 1) {
        const i = touched[a] ?? 0;
        const value = w * (row[i] ?? 0);
        right[i] = (right[i] ?? 0) + value * residual;
        for (let b = 0; b < count; b += 1) {
          const j = touched[b] ?? 0;
          normal[i * n + j] = (normal[i * n + j] ?? 0) + value * (row[j] ?? 0);
        }
      }
      for (let a = 0; a < count; a += 1) row[touched[a] ?? 0] = 0;
    });
    return cost + smooth(field, normal, right, n);
  };

  for (; iterations < ITERATIONS; iterations += 1) {
    const cost = linearise();
    if (kept && cost > kept.cost * 1.0001) {
      field.coefficients.set(kept.coefficients);
      motion.x = kept.motion.x;
      motion.y = kept.motion.y;
      renderer.refresh();
      damping *= 8;
      if (damping > 100) break;
      kept.cost = linearise();
    } else {
      const gained = kept ? (kept.cost - cost) / kept.cost : 1;
      kept = { coefficients: field.coefficients.slice(), motion: { ...motion }, cost };
      if (gained < 1e-4 && iterations > 5) break;
      damping = Math.max(1e-4, damping / 4);
      if (iterations === 2 || iterations === 5) {
        const spread = median(residualMm.map(Math.abs));
        sigmaMm = Math.max(LEAST_SIGMA_MM, 1.4826 * (spread ?? 1));
        kept.cost = linearise();
      }
    }
    const damped = normal.slice();
    for (let i = 0; i < n; i += 1) damped[i * n + i] = (damped[i * n + i] ?? 0) * (1 + damping) + 1e-6;
    if (!factorise(damped, n)) return undefined;
    const step = substitute(damped, n, right);
    for (let i = 0; i < coefficients; i += 1)
      field.coefficients[i] = (field.coefficients[i] ?? 0) + Math.min(0.4, Math.max(-0.4, step[i] ?? 0));
    motion.x += step[coefficients] ?? 0;
    motion.y += step[coefficients + 1] ?? 0;
    renderer.refresh();
  }
  if (kept) {
    field.coefficients.set(kept.coefficients);
    motion.x = kept.motion.x;
    motion.y = kept.motion.y;
    renderer.refresh();
  }
  linearise();
  information = normal.slice();
  for (let i = 0; i < n; i += 1) information[i * n + i] = (information[i * n + i] ?? 0) + 1e-6;
  if (!factorise(information, n)) return undefined;
  return {
    field,
    motion,
    renderer,
    measures: near,
    residualMm,
    robustWeight,
    sigmaMm,
    information,
    parameters: n,
    iterations,
  };
}

/** Standard deviation of the volume from the measures' noise alone, mm³. */
export function volumeSigma(fit: Fit): number {
  const { field, parameters, information } = fit;
  const gradient = new Float64Array(parameters);
  const shapeOf = new Float64Array(16);
  const step = 2;
  const areaMm2 = (step * field.cellMm) ** 2;
  for (let j = 0; j < field.height; j += step) {
    for (let i = 0; i < field.width; i += step) {
      const height = field.raster[j * field.width + i] ?? 0;
      if (height <= 0) continue;
      const first = field.basisAt(field.x0 + i * field.cellMm, field.y0 + j * field.cellMm, shapeOf);
      if (first < 0) continue;
      const perS = areaMm2 * heightPerS(height, field.scaleMm);
      for (let b = 0; b < 16; b += 1) {
        const at = first + (b >> 2) * field.nx + (b & 3);
        gradient[at] = (gradient[at] ?? 0) + perS * (shapeOf[b] ?? 0);
      }
    }
  }
  return Math.sqrt(forward(information, parameters, gradient).reduce((sum, x) => sum + x * x, 0));
}

/** A first field from the measures taken as points, and which measures can see the product at all. */
function startField(view: View, measures: readonly Measure[], motion: Motion) {
  const { tangents, side, belt, span } = view;
  const points = measures.map(({ zone, t, depthMm }) => {
    const x = (tangents[zone % side] ?? 0) * depthMm;
    const y = (tangents[Math.floor(zone / side)] ?? 0) * depthMm;
    return {
      x: x - motion.x * t,
      y: y - motion.y * t,
      height: belt.z0 + belt.dx * x + belt.dy * y - depthMm,
    };
  });
  const tall = points.filter(({ height }) => height > TALL_MM);
  // A stray echo has no neighbours; where frames overlap closely, more are asked for, nearer by.
  const reachOf = (mm: number, least: number) =>
    tall.filter((a) => tall.filter((b) => (a.x - b.x) ** 2 + (a.y - b.y) ** 2 < mm * mm).length >= least);
  const close = reachOf(20, 4);
  const high = close.length >= 8 ? close : reachOf(1.6 * span * belt.z0, 3);
  const scaleMm = Math.max(...high.map(({ height }) => height));
  if (high.length < 3 || !(scaleMm > 0)) return undefined;
  const margin = 24;
  const area = {
    x0: Math.min(...high.map(({ x }) => x)) - margin,
    x1: Math.max(...high.map(({ x }) => x)) + margin,
    y0: Math.min(...high.map(({ y }) => y)) - margin,
    y1: Math.max(...high.map(({ y }) => y)) + margin,
  };
  if (area.x1 - area.x0 > 500 || area.y1 - area.y0 > 700) return undefined;
  const field = new HeightField(area, KNOT_MM, scaleMm);
  const reach2 = 2 * 13 * 13;
  field.approximate((x, y) => {
    let sum = 0;
    let total = 0;
    for (const point of points) {
      const distance2 = (point.x - x) ** 2 + (point.y - y) ** 2;
      if (distance2 > 4.5 * reach2) continue;
      const w = Math.exp(-distance2 / reach2);
      sum += w * (Math.max(0, point.height) / scaleMm) ** 2;
      total += w;
    }
    return total > 1e-3 ? sum / total - 0.03 : -0.3;
  });
  const reach = (view.span * belt.z0) / 2;
  const isNear = ({ zone, t }: Measure): boolean => {
    const z = belt.z0;
    const x = (tangents[zone % side] ?? 0) * z - motion.x * t;
    const y = (tangents[Math.floor(zone / side)] ?? 0) * z - motion.y * t;
    const r = reach + span;
    return x > area.x0 - r && x < area.x1 + r && y > area.y0 - r && y < area.y1 + r;
  };
  return { field, isNear };
}

/** Adds the smoothness of s to the normal equations; returns its cost. */
function smooth(field: HeightField, normal: Float64Array, right: Float64Array, n: number): number {
  const { nx, ny, coefficients } = field;
  let cost = 0;
  const penalise = (first: number, stride: number, stencil: readonly number[], weight: number) => {
    let value = 0;
    stencil.forEach((s, k) => {
      value += s * (coefficients[first + k * stride] ?? 0);
    });
    cost += (weight * value * value) / 2;
    stencil.forEach((a, k) => {
      const i = first + k * stride;
      right[i] = (right[i] ?? 0) - weight * a * value;
      stencil.forEach((b, l) => {
        const at = i * n + first + l * stride;
        normal[at] = (normal[at] ?? 0) + weight * a * b;
      });
    });
  };
  for (let j = 0; j < ny; j += 1)
    for (let i = 0; i < nx; i += 1) {
      const at = j * nx + i;
      if (i + 2 < nx) penalise(at, 1, [1, -2, 1], SECOND);
      if (j + 2 < ny) penalise(at, nx, [1, -2, 1], SECOND);
      if (i + 3 < nx) penalise(at, 1, [-1, 3, -3, 1], THIRD);
      if (j + 3 < ny) penalise(at, nx, [-1, 3, -3, 1], THIRD);
    }
  return cost;
}
