import { clip, median } from "../sample/statistics.ts";
import { HeightField } from "./height-field.ts";
import { NormalEquations } from "./normal-equations.ts";
import { heightPerS, RAYS, Renderer } from "./render.ts";
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
  /** Measured minus rendered depth, mm, by measure. */
  residualMm: Float64Array;
  /** Cholesky factor of the information matrix over coefficients, then motion x, y. */
  information: Float64Array;
  parameters: number;
}

/** Knots lie as far apart as the sensor resolves: about one zone on the product. */
const KNOT_MM = 28;
const ITERATIONS = 6;
/** Less gain than this share ends them, once the noise was estimated. */
const LEAST_GAIN = 1e-2;
/** When the noise is estimated from what is left. */
const NOISE_AT = 2;
const START_DAMPING = 0.05;
const LEAST_DAMPING = 0.01;
/** Most that a coefficient changes at once. */
const MOST_STEP = 0.4;
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
 * need no correction afterwards. A few rounds are enough: lobes are then laid on it (`fitLobes`).
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
  const equations = new NormalEquations(n);
  const row = new Float64Array(n);
  const index = new Int32Array(n);
  const packed = new Float64Array(n);
  const shapeOf = new Float64Array(16);
  const { hits } = renderer;
  const memory = new Float64Array(near.length * RAYS);
  let sigmaMm = 3;

  /** What the zone just rendered depends on, into `index` and `packed`; returns how many parameters. */
  const gradient = (t: number): number => {
    let count = 0;
    if (start.isMoving) {
      index[count++] = coefficients;
      index[count++] = coefficients + 1;
    }
    for (let k = 0; k < hits.count; k += 1) {
      const gain = hits.gain[k] ?? 0;
      const first = field.basisAt(hits.x[k] ?? 0, hits.y[k] ?? 0, shapeOf);
      if (first < 0) continue;
      const perS = -gain * heightPerS(hits.height[k] ?? 0, field.scaleMm);
      for (let b = 0; b < 16; b += 1) {
        const i = first + (b >> 2) * field.nx + (b & 3);
        if (row[i] === 0) index[count++] = i;
        row[i] = (row[i] ?? 0) + perS * (shapeOf[b] ?? 0);
      }
      if (start.isMoving) {
        row[coefficients] = (row[coefficients] ?? 0) + gain * (hits.slopeX[k] ?? 0) * t;
        row[coefficients + 1] = (row[coefficients + 1] ?? 0) + gain * (hits.slopeY[k] ?? 0) * t;
      }
    }
    for (let a = 0; a < count; a += 1) {
      const i = index[a] ?? 0;
      packed[a] = row[i] ?? 0;
      row[i] = 0;
    }
    return count;
  };
  const linearise = (): number => {
    equations.clear();
    let cost = 0;
    for (let m = 0; m < near.length; m += 1) {
      const measure = near[m];
      if (!measure) continue;
      const { zone, t } = measure;
      const residual = measure.depthMm - renderer.zone(zone, motion.x * t, motion.y * t, memory, m * RAYS);
      residualMm[m] = residual;
      const scaled = Math.abs(residual) / sigmaMm;
      const weight = scaled > HUBER ? HUBER / scaled : 1;
      cost += scaled > HUBER ? HUBER * (scaled - HUBER / 2) : (scaled * scaled) / 2;
      if (hits.count > 0) equations.add(index, packed, gradient(t), residual, weight / (sigmaMm * sigmaMm));
    }
    return cost + smooth(field, equations);
  };

  let damping = START_DAMPING;
  let isKept = true;
  const kept = {
    coefficients: field.coefficients.slice(),
    motion: { ...motion },
    cost: Number.POSITIVE_INFINITY,
    equations: new NormalEquations(n),
  };
  const goTo = (step?: Float64Array) => {
    for (let i = 0; i < coefficients; i += 1)
      field.coefficients[i] = (kept.coefficients[i] ?? 0) + clip(step?.[i] ?? 0, -MOST_STEP, MOST_STEP);
    motion.x = kept.motion.x + (step?.[coefficients] ?? 0);
    motion.y = kept.motion.y + (step?.[coefficients + 1] ?? 0);
    renderer.refresh();
  };
  for (let iteration = 0; ; iteration += 1) {
    const cost = linearise();
    isKept = cost <= kept.cost * 1.0001;
    if (!isKept) {
      damping *= 8;
      if (damping > 100) break;
    } else {
      const gained = (kept.cost - cost) / kept.cost;
      kept.coefficients.set(field.coefficients);
      Object.assign(kept, { motion: { ...motion }, cost });
      kept.equations.copyFrom(equations);
      if (gained < LEAST_GAIN && iteration > NOISE_AT) break;
      damping = Math.max(LEAST_DAMPING, damping / 2);
      if (iteration === NOISE_AT) {
        sigmaMm = Math.max(LEAST_SIGMA_MM, 1.4826 * (median(residualMm.map(Math.abs)) ?? 1));
        kept.cost = linearise();
        kept.equations.copyFrom(equations);
      }
    }
    if (iteration === ITERATIONS) break;
    const damped = kept.equations.damped(damping, 1e-6);
    if (!factorise(damped, n)) return undefined;
    goTo(substitute(damped, n, kept.equations.right));
  }
  if (!isKept) {
    goTo();
    linearise();
  }
  const information = kept.equations.damped(0, 1e-6);
  if (!factorise(information, n)) return undefined;
  return {
    field,
    motion,
    renderer,
    measures: near,
    residualMm,
    information,
    parameters: n,
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
      const height = field.raster.values[j * field.width + i] ?? 0;
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

/** Adds the smoothness of s to the equations; returns its cost. */
function smooth({ nx, ny, coefficients }: HeightField, equations: NormalEquations): number {
  let cost = 0;
  const index = new Int32Array(4);
  const penalise = (first: number, stride: number, stencil: readonly number[], weight: number) => {
    let value = 0;
    for (let k = 0; k < stencil.length; k += 1) {
      index[k] = first + k * stride;
      value += (stencil[k] ?? 0) * (coefficients[first + k * stride] ?? 0);
    }
    cost += (weight * value * value) / 2;
    equations.add(index, stencil, stencil.length, -value, weight);
  };
  for (let j = 0; j < ny; j += 1)
    for (let i = 0; i < nx; i += 1) {
      const at = j * nx + i;
      if (i + 2 < nx) penalise(at, 1, BEND, SECOND);
      if (j + 2 < ny) penalise(at, nx, BEND, SECOND);
      if (i + 3 < nx) penalise(at, 1, TURN, THIRD);
      if (j + 3 < ny) penalise(at, nx, TURN, THIRD);
    }
  return cost;
}
const BEND = [1, -2, 1];
const TURN = [-1, 3, -3, 1];
