import { median } from "../sample/statistics.ts";
import type { Measure, Motion } from "./fit.ts";
import { CAP_PARAMETERS, type LobeField, type LobeState } from "./lobe-field.ts";
import { addPrior } from "./lobe-prior.ts";
import { CAP, isWhole, MOTION, RATIO, slopesOf } from "./lobe-slopes.ts";
import { NormalEquations } from "./normal-equations.ts";
import { RAYS, Renderer } from "./render.ts";
import { factorise, substitute } from "./solve.ts";
import type { View } from "./view.ts";

/** What one quantity of a measure (its depth, or the logarithm of its brightness) says at the solution. */
export interface Row {
  residual: number;
  /** Inverse variance, times the robust weight. */
  precision: number;
  /** Parameters on which it depends, and its derivatives by each. */
  index: Int32Array;
  slope: Float64Array;
}

/** One measure at the solution. */
export interface Seen {
  zone: number;
  depth: Row;
  /** Only where the whole zone lies on the product. */
  brightness: Row | undefined;
  /** Variance of ln brightness without outliers. */
  sigma2: number;
  /** Where its rays met the product, and −∂depth/∂height there. */
  x: Float64Array;
  y: Float64Array;
  gain: Float64Array;
  /** For the brightness: slopes there, share of the light, ray. */
  slopeX: Float64Array;
  slopeY: Float64Array;
  light: Float64Array;
  ray: Int32Array;
}

export interface LobeFit {
  state: State;
  field: LobeField;
  measures: readonly Measure[];
  motion: Motion;
  renderer: Renderer;
  seen: Seen[];
  /** Cholesky factor of the information over lobes, motion x and y, ln of the reflectance, cap, factor. */
  information: Float64Array;
  parameters: number;
  /** What the solution still lacks: the gradient at it, nearly 0. */
  right: Float64Array;
  /** Half the sum of squares, robust, with the prior's; and its parts. */
  cost: number;
  depthCost: number;
  brightnessCost: number;
}

/** Noise of a measure as the sensor has it, mm. */
const SIGMA_MM = 1;
/** What surfaces apart within a zone add to its uncertainty, per mm of their spread. */
const SPREAD_SHARE = 0.12;
const HUBER = 4;
/** Uncertainty of ln brightness: noise, what the light law leaves, and more where surfaces lie apart. */
export const BRIGHTNESS = { sigma: 0.02, perSpreadMm: 0.003, outlier: 2.5 };
/** The median of a normal deviate's size, as a standard deviation. */
const PER_MEDIAN = 1.4826;
const LEAST_DAMPING = 1e-3;

/** How a fit goes about it. */
export interface Plan {
  /** Noise of a measure in each of the first rounds, mm: greater where the start is far off. */
  annealedMm: readonly number[];
  mostRounds: number;
  /** Less gain of likelihood than this ends the rounds. */
  leastGain: number;
  startDamping: number;
  /** Whether the factor is fitted as well. */
  hasFactor: boolean;
}
export interface State extends LobeState {
  motion: Motion;
  ratio: number;
  /** Uncertainty of ln brightness on a level surface. */
  brightnessSigma: number;
}

/** Levenberg and Marquardt from a state on; undefined where the equations have no solution. */
export function relax(view: View, measures: readonly Measure[], field: LobeField, start: State, plan: Plan) {
  field.restore(start);
  const motion = { ...start.motion };
  const isMoving = motion.x !== 0 || motion.y !== 0;
  const renderer = new Renderer(view, field, start.ratio);
  const n = CAP + CAP_PARAMETERS + (plan.hasFactor ? field.factor.length : 0);
  const equations = new NormalEquations(n);
  const kept = { ...start, equations: new NormalEquations(n), cost: Number.POSITIVE_INFINITY };
  const all = CAP + CAP_PARAMETERS + field.factor.length;
  const bySlope = { depth: new Float64Array(all), brightness: new Float64Array(all) };
  const index = new Int32Array(all);
  const packed = new Float64Array(n);
  const memory = new Float64Array(measures.length * RAYS);
  const brightnessLeft: number[] = [];
  const cost = { all: 0, depth: 0, brightness: 0 };

  const addRow = (count: number, slope: Float64Array, residual: number, precision: number, isKept: boolean) => {
    for (let a = 0; a < count; a += 1) {
      const i = index[a] ?? 0;
      packed[a] = slope[i] ?? 0;
    }
    equations.add(index, packed, count, residual, precision);
    return isKept
      ? { residual, precision, index: index.slice(0, count), slope: packed.slice(0, count) }
      : { residual, precision, index, slope: packed };
  };

  /** Fills the equations at the present parameters, and gathers what each measure says if asked for. */
  const linearise = (sigmaMm: number, seen?: Seen[]): void => {
    equations.clear();
    const prior = addPrior(field, CAP, plan.hasFactor, equations);
    cost.depth = 0;
    cost.brightness = 0;
    brightnessLeft.length = 0;
    for (let m = 0; m < measures.length; m += 1) {
      const measure = measures[m];
      if (!measure) continue;
      const { zone, t, depthMm } = measure;
      const residualMm = depthMm - renderer.zone(zone, motion.x * t, motion.y * t, memory, m * RAYS);
      const { hits } = renderer;
      const variance = sigmaMm * sigmaMm + (SPREAD_SHARE * hits.spreadMm) ** 2;
      const scaled = Math.abs(residualMm) / Math.sqrt(variance);
      cost.depth += scaled > HUBER ? HUBER * (scaled - HUBER / 2) : (scaled * scaled) / 2;
      if (hits.count === 0) continue;
      const hasBrightness = isWhole(measure, renderer);
      const count = slopesOf(measure, renderer, field, isMoving, hasBrightness, plan.hasFactor, bySlope, index);
      const precision = (scaled > HUBER ? HUBER / scaled : 1) / variance;
      const depth = addRow(count, bySlope.depth, residualMm, precision, seen !== undefined);
      let brightness: Row | undefined;
      const sigma2 = (start.brightnessSigma * sigmaMm) ** 2 + (BRIGHTNESS.perSpreadMm * hits.spreadMm) ** 2;
      if (hasBrightness) {
        const residual = Math.log((measure.brightness ?? 1) / hits.brightness);
        const precision = brightnessPrecision(residual ** 2, sigma2);
        brightnessLeft.push(Math.abs(residual));
        cost.brightness -= (BRIGHTNESS.outlier ** 2 / 2) * Math.log(precision * sigma2);
        brightness = addRow(count, bySlope.brightness, residual, precision, seen !== undefined);
      }
      for (let a = 0; a < count; a += 1) {
        const i = index[a] ?? 0;
        bySlope.depth[i] = 0;
        bySlope.brightness[i] = 0;
      }
      const of = (values: Float64Array) => values.slice(0, hits.count);
      seen?.push({
        zone,
        depth,
        brightness,
        sigma2,
        x: of(hits.x),
        y: of(hits.y),
        gain: of(hits.gain),
        slopeX: of(hits.slopeX),
        slopeY: of(hits.slopeY),
        light: of(hits.light),
        ray: hits.ray.slice(0, hits.count),
      });
    }
    cost.all = prior + cost.depth + cost.brightness;
  };
  const goTo = (step?: Float64Array) => {
    field.restore(kept, step, CAP);
    motion.x = kept.motion.x + (step?.[MOTION] ?? 0);
    motion.y = kept.motion.y + (step?.[MOTION + 1] ?? 0);
    renderer.reflectanceRatio = kept.ratio * Math.exp(Math.max(-0.2, Math.min(0.2, step?.[RATIO] ?? 0)));
    renderer.refresh();
  };

  const last = plan.annealedMm.length - 1;
  let damping = plan.startDamping;
  for (let round = 0; ; round += 1) {
    const isAnnealed = round <= last;
    linearise(plan.annealedMm[round] ?? SIGMA_MM);
    if (!isAnnealed && cost.all > kept.cost) damping *= 4;
    else {
      const gain = kept.cost - cost.all;
      kept.equations.copyFrom(equations);
      Object.assign(kept, {
        cost: cost.all,
        motion: { ...motion },
        ratio: renderer.reflectanceRatio,
        ...field.save(),
      });
      if (!isAnnealed) damping = Math.max(LEAST_DAMPING, damping / 3);
      if (!isAnnealed && gain < plan.leastGain) break;
    }
    if (round >= plan.mostRounds || damping > 1e2) break;
    const damped = kept.equations.damped(damping);
    if (!factorise(damped, n)) return undefined;
    goTo(substitute(damped, n, kept.equations.right));
  }
  const { equations: _, cost: reached, ...rest } = kept;
  const state: State = {
    ...rest,
    brightnessSigma: Math.max(BRIGHTNESS.sigma, PER_MEDIAN * (median(brightnessLeft) ?? 0)),
  };
  /** What the solution tells, measure by measure. */
  const finish = (): LobeFit | undefined => {
    goTo();
    const seen: Seen[] = [];
    linearise(SIGMA_MM, seen);
    const information = equations.damped(0);
    if (!factorise(information, n)) return undefined;
    return {
      // The cap fit goes on with the same noise, so that both can be compared.
      state: { ...state, brightnessSigma: start.brightnessSigma },
      field,
      measures,
      motion,
      renderer,
      seen,
      information,
      parameters: n,
      right: equations.right,
      cost: cost.all,
      depthCost: cost.depth,
      brightnessCost: cost.brightness,
    };
  };
  return { state, cost: reached, finish };
}

/** Inverse variance of ln brightness by what is left of it: what departs far (a stain, say) counts for little (Cauchy's weights). */
export function brightnessPrecision(square: number, sigma2: number): number {
  return 1 / (sigma2 + square / BRIGHTNESS.outlier ** 2);
}
