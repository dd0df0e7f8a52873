import { clip } from "../sample/statistics.ts";
import { invertSymmetric, solveSymmetric } from "./linear.ts";
import { UNMIXED_CHANNELS } from "./responses.ts";
import { BOUNDS, type TissueConstants, TissueModel, UNKNOWNS, type Unknown } from "./tissue-model.ts";

/** What a sound liver is like: mean and standard deviation of every unknown. */
export type Population = Readonly<Record<Unknown, readonly [mean: number, sigma: number]>>;

export interface UnmixingParameters {
  constants: TissueConstants;
  population: Population;
  /** ln by which sound livers differ from the model, per channel of `UNMIXED_CHANNELS`: lamp and filters as they are. */
  channelBias: readonly number[];
  /** What the model can't explain, relative, per filter and in the near infrared. */
  modelSigma: number;
  modelSigmaNir: number;
  /**
   * Share of its light that tissue loses under a stain, per channel of `UNMIXED_CHANNELS`, learned from readings of known
   * stains under the line's own lamp; without it the pigments' published spectra say.
   */
  stainLoss?: { blood: readonly number[]; bile: readonly number[] } | undefined;
}

/** Reflectance and its relative uncertainty per channel of `UNMIXED_CHANNELS`; NaN where there is none. */
export interface Unmixable {
  reflectance: readonly number[];
  relativeSigma: readonly number[];
  /** ln of second over first pass, where both passes saw Clear. */
  lnPassRatio?: number | undefined;
}

export interface Unmixed {
  values: Record<Unknown, number>;
  sigmas: Record<Unknown, number>;
  /** Sum of squared residuals over the channels, in their sigmas. */
  chiSquare: number;
  channels: number;
  /** ln observed − ln model per channel of `UNMIXED_CHANNELS`. */
  residuals: number[];
}

const MAX_ITERATIONS = 25;
const CONVERGED = 1e-4;
const MIN_CHANNELS = 6;
const STEP = UNKNOWNS.indexOf("step");
/** Spread of the product between the passes that Clear's change doesn't tell. */
const STEP_SIGMA_KNOWN = 0.01;
const LOWER = UNKNOWNS.map((name) => BOUNDS[name]?.[0] ?? Number.NEGATIVE_INFINITY);
const UPPER = UNKNOWNS.map((name) => BOUNDS[name]?.[1] ?? Number.POSITIVE_INFINITY);
const model = { key: "", of: new TissueModel({ deoxyShare: 0, biliverdin: 0, pooledBlood: 0, spiltBile: 0 }) };

/**
 * Unmixes a reflectance spectrum into pigments and stained shares of the spot: least squares of ln reflectance over the
 * filters, held to what livers are like (a Gaussian prior), shares and amounts never negative; Levenberg's and
 * Marquardt's method. The sigmas are those of the linearised problem at the solution.
 * @returns undefined with fewer than six usable channels
 */
export function unmix(spectrum: Unmixable, parameters: UnmixingParameters): Unmixed | undefined {
  const { population } = parameters;
  const observed = spectrum.reflectance.map(
    (value, index) => Math.log(Math.max(value, 1e-3)) - (parameters.channelBias[index] ?? 0),
  );
  const weights = UNMIXED_CHANNELS.map((channel, index) => {
    const own = spectrum.relativeSigma[index] ?? Number.NaN;
    const sigma = Math.hypot(own, channel === "NIR" ? parameters.modelSigmaNir : parameters.modelSigma);
    return Number.isFinite(observed[index] ?? Number.NaN) && Number.isFinite(sigma) ? 1 / sigma : 0;
  });
  const channels = weights.filter((weight) => weight > 0).length;
  if (channels < MIN_CHANNELS) return undefined;
  const means = UNKNOWNS.map((name) => population[name][0]);
  const priors = UNKNOWNS.map((name) => 1 / population[name][1] ** 2);
  if (spectrum.lnPassRatio !== undefined) {
    means[STEP] = spectrum.lnPassRatio;
    priors[STEP] = 1 / STEP_SIGMA_KNOWN ** 2;
  }
  const fit = new Fit(modelOf(parameters.constants), observed, weights, means, priors);
  const { x, normal, chiSquare, residuals } = fit.run();
  const covariance = invertSymmetric(normal);
  const named = (of: (index: number) => number) => recordOf(of);
  return {
    values: named((index) => x[index] ?? 0),
    sigmas: named((index) => Math.sqrt(covariance?.[index]?.[index] ?? Number.POSITIVE_INFINITY)),
    chiSquare,
    channels,
    residuals,
  };
}

/** The tables of the model depend on its constants alone, which a line never changes. */
function modelOf(constants: TissueConstants): TissueModel {
  const key = JSON.stringify(constants);
  if (model.key !== key) {
    model.key = key;
    model.of = new TissueModel(constants);
  }
  return model.of;
}

function recordOf(of: (index: number) => number): Record<Unknown, number> {
  const at = (name: Unknown) => of(UNKNOWNS.indexOf(name));
  return {
    level: at("level"),
    step: at("step"),
    lnBase: at("lnBase"),
    lnBlood: at("lnBlood"),
    met: at("met"),
    lnBile: at("lnBile"),
    lnCarotenoid: at("lnCarotenoid"),
    lnBrowning: at("lnBrowning"),
    browningExponent: at("browningExponent"),
    scatterExponent: at("scatterExponent"),
    bloodShare: at("bloodShare"),
    bileShare: at("bileShare"),
  };
}

class Fit {
  readonly #model: TissueModel;
  readonly #observed: readonly number[];
  readonly #weights: readonly number[];
  readonly #means: readonly number[];
  readonly #priors: readonly number[];
  readonly #predicted = new Float64Array(UNMIXED_CHANNELS.length);
  readonly #shifted = new Float64Array(UNMIXED_CHANNELS.length);

  constructor(
    tissue: TissueModel,
    observed: readonly number[],
    weights: readonly number[],
    means: readonly number[],
    priors: readonly number[],
  ) {
    this.#model = tissue;
    this.#observed = observed;
    this.#weights = weights;
    this.#means = means;
    this.#priors = priors;
  }

  run(): { x: number[]; normal: number[][]; chiSquare: number; residuals: number[] } {
    let x = this.#means.map((mean, index) => clip(mean, LOWER[index] ?? mean, UPPER[index] ?? mean));
    let cost = this.#cost(x);
    let damping = 1e-3;
    let system = this.#linearise(x);
    for (let iteration = 0; iteration < MAX_ITERATIONS; iteration += 1) {
      const move = this.#move(x, system, damping);
      if (!move) break;
      const next = x.map((value, index) =>
        clip(value + (move[index] ?? 0), LOWER[index] ?? value, UPPER[index] ?? value),
      );
      const nextCost = this.#cost(next);
      if (nextCost < cost) {
        const gain = cost - nextCost;
        x = next;
        cost = nextCost;
        damping = Math.max(damping / 8, 1e-7);
        system = this.#linearise(x);
        if (gain < CONVERGED * (1 + cost)) break;
      } else {
        damping *= 8;
        if (damping > 1e6) break;
      }
    }
    const chiSquare = this.#chiSquare(x);
    const residuals = this.#observed.map((value, channel) => value - (this.#predicted[channel] ?? 0));
    return { x, normal: system.normal, chiSquare, residuals };
  }

  /** Step within the bounds: unknowns at a bound that are pushed outward stay where they are. */
  #move(x: readonly number[], { normal, gradient }: System, damping: number): number[] | undefined {
    const held = x.map(
      (value, index) =>
        (value <= (LOWER[index] ?? value - 1) && (gradient[index] ?? 0) > 0) ||
        (value >= (UPPER[index] ?? value + 1) && (gradient[index] ?? 0) < 0),
    );
    const matrix = normal.map((row, i) =>
      row.map((value, j) => (i === j ? value * (1 + damping) : held[i] || held[j] ? 0 : value)),
    );
    return solveSymmetric(
      matrix,
      gradient.map((value, index) => (held[index] ? 0 : -value)),
    );
  }

  #chiSquare(x: readonly number[]): number {
    this.#model.predict(x, this.#predicted);
    return this.#weights.reduce((sum, weight, channel) => {
      const residual = weight > 0 ? weight * ((this.#predicted[channel] ?? 0) - (this.#observed[channel] ?? 0)) : 0;
      return sum + residual * residual;
    }, 0);
  }

  #cost(x: readonly number[]): number {
    return this.#priors.reduce(
      (sum, prior, index) => sum + prior * ((x[index] ?? 0) - (this.#means[index] ?? 0)) ** 2,
      this.#chiSquare(x),
    );
  }

  #linearise(x: readonly number[]): System {
    this.#model.predict(x, this.#predicted);
    const residuals = this.#weights.map((weight, channel) =>
      weight > 0 ? weight * ((this.#predicted[channel] ?? 0) - (this.#observed[channel] ?? 0)) : 0,
    );
    const shifted = [...x];
    const columns = x.map((value, index) => {
      const h = value + 1e-4 > (UPPER[index] ?? 0) ? -1e-4 : 1e-4;
      shifted[index] = value + h;
      this.#model.predict(shifted, this.#shifted);
      shifted[index] = value;
      return this.#weights.map(
        (weight, channel) => (weight * ((this.#shifted[channel] ?? 0) - (this.#predicted[channel] ?? 0))) / h,
      );
    });
    const dot = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
    const normal = columns.map((a, i) => columns.map((b, j) => dot(a, b) + (i === j ? (this.#priors[i] ?? 0) : 0)));
    const gradient = columns.map(
      (column, i) => dot(column, residuals) + (this.#priors[i] ?? 0) * ((x[i] ?? 0) - (this.#means[i] ?? 0)),
    );
    return { normal, gradient };
  }
}

interface System {
  normal: number[][];
  gradient: number[];
}
