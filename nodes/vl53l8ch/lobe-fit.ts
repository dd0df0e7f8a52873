import type { Fit, Measure, Motion } from "./fit.ts";
import { LobeField } from "./lobe-field.ts";
import { addPrior } from "./lobe-prior.ts";
import { startLobes } from "./lobe-start.ts";
import { LOBE_PARAMETERS } from "./lobes.ts";
import { NormalEquations } from "./normal-equations.ts";
import { Renderer } from "./render.ts";
import { factorise, substitute } from "./solve.ts";
import type { View } from "./view.ts";

/** One measure at the solution: what is left of it, and how it depends on the parameters and on the heights its rays met. */
export interface Row {
  residualMm: number;
  /** Inverse variance, by Huber's weight where it is an outlier. */
  precision: number;
  /** Parameters on which it depends, and ∂depth by each. */
  index: Int32Array;
  slope: Float64Array;
  /** Where its rays met the product, and −∂depth/∂height there. */
  x: Float64Array;
  y: Float64Array;
  gain: Float64Array;
}

export interface LobeFit {
  field: LobeField;
  motion: Motion;
  rows: Row[];
  /** Cholesky factor of the information over lobes, motion x and y, factor. */
  information: Float64Array;
  parameters: number;
  /** What the solution still lacks: the gradient at it, nearly 0. */
  right: Float64Array;
  /** Half the sum of squares, Huber's and the prior's. */
  cost: number;
}

/** Noise of a measure, mm: greater in the first rounds, where the start is far off; then as the sensor has it. */
const ANNEALED_MM = [2.2, 1.5, 1];
/** What surfaces apart within a zone add to its uncertainty, per mm of their spread. */
const SPREAD_SHARE = 0.08;
const HUBER = 4;
const ROUNDS = 18;
const START_DAMPING = 0.1;
const LEAST_DAMPING = 1e-3;
/** Less gain than this share ends the rounds. */
const LEAST_GAIN = 1e-3;
/** Most starts tried; one that after some rounds lies so far above the best, per measure, is given up. */
const STARTS = 3;
const GIVE_UP = { round: 9, above: 0.15 };

/** After the lobes' parameters come the motion's, then the factor's. */
const MOTION = LOBE_PARAMETERS;
const FACTOR = MOTION + 2;

/**
 * Fits lobes (`LobeField`) and the motion to all measures of a product through the sensor's rays, starting from its free-form
 * fit: Levenberg and Marquardt with Huber's weights. There are several minima (two lobes can be laid around a dent as well as
 * under it): one fit for each start, best first; none where no lobes can be placed.
 */
export function fitLobes(view: View, fit: Fit): LobeFit[] {
  const fits: LobeFit[] = [];
  for (const start of startLobes(fit.field).slice(0, STARTS)) {
    const least = Math.min(...fits.map(({ cost }) => cost));
    const fitted = relax(view, fit, new LobeField(fit.field, start), least + GIVE_UP.above * fit.measures.length);
    if (fitted) fits.push(fitted);
  }
  return fits.toSorted((a, b) => a.cost - b.cost);
}

function relax(view: View, fit: Fit, field: LobeField, giveUpAbove: number): LobeFit | undefined {
  const motion = { ...fit.motion };
  const isMoving = motion.x !== 0 || motion.y !== 0;
  const renderer = new Renderer(view, field, fit.renderer.reflectanceRatio);
  const n = FACTOR + field.factor.length;
  const equations = new NormalEquations(n);
  const kept = { equations: new NormalEquations(n), cost: Number.POSITIVE_INFINITY, motion, ...field.save() };
  const slope = new Float64Array(n);
  const index = new Int32Array(n);
  const packed = new Float64Array(n);

  /** Fills the equations at the present parameters; returns the cost, and the rows if asked for. */
  const linearise = (sigmaMm: number, isTight: boolean, rows?: Row[]): number => {
    equations.clear();
    let cost = addPrior(field, FACTOR, isTight, equations);
    for (const measure of fit.measures) {
      const residualMm = measure.depthMm - renderer.zone(measure.zone, motion.x * measure.t, motion.y * measure.t);
      const { hits } = renderer;
      const variance = sigmaMm * sigmaMm + (SPREAD_SHARE * hits.spreadMm) ** 2;
      const scaled = Math.abs(residualMm) / Math.sqrt(variance);
      cost += scaled > HUBER ? HUBER * (scaled - HUBER / 2) : (scaled * scaled) / 2;
      if (hits.count === 0) continue;
      const precision = (scaled > HUBER ? HUBER / scaled : 1) / variance;
      const count = slopesOf(measure, renderer, field, isMoving, slope, index);
      for (let a = 0; a < count; a += 1) {
        const i = index[a] ?? 0;
        packed[a] = slope[i] ?? 0;
        slope[i] = 0;
      }
      equations.add(index, packed, count, residualMm, precision);
      rows?.push({
        residualMm,
        precision,
        index: index.slice(0, count),
        slope: packed.slice(0, count),
        x: hits.x.slice(0, hits.count),
        y: hits.y.slice(0, hits.count),
        gain: hits.gain.slice(0, hits.count),
      });
    }
    return cost;
  };
  const goTo = (step?: Float64Array) => {
    field.restore(kept, step, FACTOR);
    motion.x = kept.motion.x + (step?.[MOTION] ?? 0);
    motion.y = kept.motion.y + (step?.[MOTION + 1] ?? 0);
    renderer.refresh();
  };

  const last = ANNEALED_MM.length - 1;
  const sigmaMm = ANNEALED_MM[last] ?? 1;
  let damping = START_DAMPING;
  for (let round = 0; ; round += 1) {
    const isAnnealed = round <= last;
    const cost = linearise(ANNEALED_MM[round] ?? sigmaMm, round < last);
    if (!isAnnealed && cost > kept.cost) damping *= 6;
    else {
      const gain = (kept.cost - cost) / kept.cost;
      kept.equations.copyFrom(equations);
      Object.assign(kept, { cost, motion: { ...motion }, ...field.save() });
      if (!isAnnealed) damping = Math.max(LEAST_DAMPING, damping / 4);
      if (!isAnnealed && gain < LEAST_GAIN) break;
    }
    if (round === GIVE_UP.round && kept.cost > giveUpAbove) return undefined;
    if (round >= ROUNDS || damping > 1e3) break;
    const damped = kept.equations.damped(damping);
    if (!factorise(damped, n)) return undefined;
    goTo(substitute(damped, n, kept.equations.right));
  }
  goTo();
  const rows: Row[] = [];
  const cost = linearise(sigmaMm, false, rows);
  const information = equations.damped(0);
  if (!factorise(information, n)) return undefined;
  return { field, motion, rows, information, parameters: n, right: equations.right, cost };
}

const WEIGHTS = new Float64Array(16);

/** ∂depth/∂parameters of the zone just rendered, added into `slope` (zeros before); returns how many `index` names. */
function slopesOf(
  measure: Measure,
  renderer: Renderer,
  field: LobeField,
  isMoving: boolean,
  slope: Float64Array,
  index: Int32Array,
): number {
  const { hits } = renderer;
  let count = 0;
  for (let i = 0; i < FACTOR; i += 1) index[count++] = i;
  for (let k = 0; k < hits.count; k += 1) {
    const gain = hits.gain[k] ?? 0;
    const x = hits.x[k] ?? 0;
    const y = hits.y[k] ?? 0;
    const body = field.addSlopes(x, y, -gain, slope);
    if (isMoving) {
      slope[MOTION] = (slope[MOTION] ?? 0) + gain * (hits.slopeX[k] ?? 0) * measure.t;
      slope[MOTION + 1] = (slope[MOTION + 1] ?? 0) + gain * (hits.slopeY[k] ?? 0) * measure.t;
    }
    const first = FACTOR + field.weightsAt(x, y, WEIGHTS);
    for (let b = 0; b < 16; b += 1) {
      const i = first + (b >> 2) * field.nx + (b & 3);
      if (slope[i] === 0) index[count++] = i;
      slope[i] = (slope[i] ?? 0) - gain * body * (WEIGHTS[b] ?? 0);
    }
  }
  return count;
}
