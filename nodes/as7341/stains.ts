import { clip, median } from "../sample/statistics.ts";
import { invertSymmetric, solveSymmetric } from "./linear.ts";
import { UNMIXED_CHANNELS } from "./responses.ts";
import { TissueModel, UNKNOWNS, type Unknown } from "./tissue-model.ts";
import { type Unmixable, type UnmixingParameters, unmix } from "./unmixing.ts";

/** Shares of one reading's spot under pooled blood and spilt bile, with their standard deviations. */
export interface Stain {
  blood: number;
  bile: number;
  bloodSigma: number;
  bileSigma: number;
}

const CHANNEL_COUNT = UNMIXED_CHANNELS.length;
const MAX_READINGS = 24;
const ITERATIONS = 30;
const MAX_SHARE = 0.95;
/** Mean of the exponential prior of a share: most readings of most livers have none. */
const USUAL_SHARE = 0.03;
/** How far a product's tissue may be from what the model can say, per channel (ln). */
const PRODUCT_SIGMA = 0.02;
/** How well the readings' common part is known once found (ln). */
const TISSUE_SIGMA = 0.008;
/** Spread of a reading's level about the product's, and of the step between its passes where Clear tells it and where not. */
const LEVEL_SIGMA = 0.1;
const STEP_SIGMA = { known: 0.01, unknown: 0.02 };
/** What differs between readings of one tissue besides counting noise. */
const TEXTURE_SIGMA = 0.003;
const SECOND_PASS: readonly number[] = UNMIXED_CHANNELS.map((channel) => (/^F[5-8]$/.test(channel) ? 1 : 0));
/** Per reading: level, step, blood, bile, relative change of both stains from the first pass to the second. */
const OWN = 5;
const CHANGE_SIGMA = 0.4;

/**
 * Stained shares of each reading of one product. All its readings look at the same tissue, so what differs between
 * them beyond level and movement is a stain; what they have in common is held against what livers are like. One reading
 * alone is held against that only. Gauss-Newton with shares never negative.
 * @param spectra at most 24 are used, spread evenly
 * @returns one entry per spectrum used, with its index; empty where there is no usable one
 */
export function stainsOf(spectra: readonly Unmixable[], parameters: UnmixingParameters): (Stain & { index: number })[] {
  const readings = usableOf(spectra);
  const prior = readings.length > 0 ? priorOf(readings, parameters) : undefined;
  if (!prior) return [];
  const size = CHANNEL_COUNT + OWN * readings.length;
  const x = [...prior.start, ...readings.flatMap(() => [0, 0, 0.02, 0.02, 0])];
  for (const [r, { step }] of readings.entries()) x[CHANNEL_COUNT + OWN * r + 1] = step;
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    if (boundedStep(x, linearise(x, readings, prior, size, 1 / USUAL_SHARE)) < 1e-4) break;
  }
  const tissue = x.slice(0, CHANNEL_COUNT);
  return readings.map((reading, r) => {
    const at = CHANNEL_COUNT + OWN * r;
    const alone = judge(reading, tissue, prior, x.slice(at, at + OWN));
    return { index: reading.index, ...alone };
  });
}

/** One reading against the product's own unstained tissue, without the leaning toward none that found that tissue. */
function judge(reading: Reading, tissue: readonly number[], prior: Prior, start: readonly number[]): Stain {
  const fixed: Prior = { ...prior, mean: [...tissue], inverse: STIFF };
  const x = [...tissue, ...start];
  let normal: number[][] = [];
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    const system = linearise(x, [reading], fixed, x.length, 0);
    normal = system.normal;
    if (boundedStep(x, system) < 1e-4) break;
  }
  const covariance = invertSymmetric(normal);
  const at = CHANNEL_COUNT;
  const sigma = (i: number) => Math.sqrt(covariance?.[i]?.[i] ?? Number.POSITIVE_INFINITY);
  return { blood: x[at + 2] ?? 0, bile: x[at + 3] ?? 0, bloodSigma: sigma(at + 2), bileSigma: sigma(at + 3) };
}

const STIFF = UNMIXED_CHANNELS.map((_, c) => UNMIXED_CHANNELS.map((__, d) => (c === d ? 1 / TISSUE_SIGMA ** 2 : 0)));

interface Reading {
  index: number;
  y: number[];
  /** Inverse variance per channel. */
  weights: number[];
  step: number;
  stepSigma: number;
}

function usableOf(spectra: readonly Unmixable[]): Reading[] {
  const all = spectra.flatMap(({ reflectance, relativeSigma, lnPassRatio }, index): Reading[] => {
    const isKnown = UNMIXED_CHANNELS.map(
      (_, c) => (reflectance[c] ?? 0) > 0 && Number.isFinite(relativeSigma[c] ?? Number.NaN),
    );
    // The near infrared may lack; every filter of the visible is needed.
    if (!isKnown.every((known, c) => known || UNMIXED_CHANNELS[c] === "NIR")) return [];
    return [
      {
        index,
        y: isKnown.map((known, c) => (known ? Math.log(reflectance[c] ?? 1) : 0)),
        weights: isKnown.map((known, c) => (known ? 1 / ((relativeSigma[c] ?? 0) ** 2 + TEXTURE_SIGMA ** 2) : 0)),
        step: lnPassRatio ?? 0,
        stepSigma: lnPassRatio !== undefined ? STEP_SIGMA.known : STEP_SIGMA.unknown,
      },
    ];
  });
  if (all.length <= MAX_READINGS) return all;
  return Array.from({ length: MAX_READINGS }, (_, i) => all[Math.floor((i * all.length) / MAX_READINGS)]).filter(
    (reading) => reading !== undefined,
  );
}

interface Prior {
  start: number[];
  mean: number[];
  inverse: number[][];
  /** Reflectance of stained over unstained tissue, per channel. */
  bloodRatio: number[];
  bileRatio: number[];
}

/** What unstained tissue may look like: the population, linearised about this product. */
function priorOf(readings: readonly Reading[], parameters: UnmixingParameters): Prior | undefined {
  const { population, constants, channelBias, modelSigma, modelSigmaNir, stainLoss } = parameters;
  const levels = readings.map(({ y, weights }) => median(y.filter((_, c) => (weights[c] ?? 0) > 0)) ?? 0);
  const middle = median(levels) ?? 0;
  const composite = UNMIXED_CHANNELS.map((_, c) => {
    const seen = readings.flatMap(({ y, step, weights }, r) =>
      (weights[c] ?? 0) > 0 ? [(y[c] ?? 0) - (levels[r] ?? 0) - step * (SECOND_PASS[c] ?? 0)] : [],
    );
    return middle + (median(seen) ?? Number.NaN);
  });
  const fitted = unmix(
    { reflectance: composite.map(Math.exp), relativeSigma: composite.map(() => TEXTURE_SIGMA), lnPassRatio: 0 },
    parameters,
  );
  if (!fitted) return undefined;
  const model = new TissueModel(constants);
  const at = UNKNOWNS.map((name) => (name === "bloodShare" || name === "bileShare" ? 0 : fitted.values[name]));
  const predict = (unknowns: readonly number[]) => {
    const out = new Float64Array(CHANNEL_COUNT);
    model.predict(unknowns, out);
    return Array.from(out);
  };
  const withUnknown = (name: Unknown, value: number) => at.map((own, i) => (UNKNOWNS[i] === name ? value : own));
  const tissue = predict(at);
  const free = UNKNOWNS.filter((name) => name !== "bloodShare" && name !== "bileShare" && name !== "step");
  const derivatives = free.map((name) => {
    const h = 1e-4;
    const shifted = predict(withUnknown(name, fitted.values[name] + h));
    return shifted.map((value, c) => (value - (tissue[c] ?? 0)) / h);
  });
  const mean = tissue.map((value, c) =>
    free.reduce(
      (sum, name, i) => sum + (derivatives[i]?.[c] ?? 0) * (population[name][0] - fitted.values[name]),
      value + (channelBias[c] ?? 0),
    ),
  );
  const covariance = UNMIXED_CHANNELS.map((channel, c) =>
    UNMIXED_CHANNELS.map((_, d) =>
      free.reduce(
        (sum, name, i) => sum + (derivatives[i]?.[c] ?? 0) * (derivatives[i]?.[d] ?? 0) * population[name][1] ** 2,
        c === d ? (channel === "NIR" ? modelSigmaNir : modelSigma) ** 2 + PRODUCT_SIGMA ** 2 : 0,
      ),
    ),
  );
  const inverse = invertSymmetric(covariance);
  const whole = 0.95;
  const ratioOf = (name: Unknown) =>
    predict(withUnknown(name, whole)).map((value, c) => {
      const mixed = Math.exp(value - (tissue[c] ?? 0));
      return Math.max(0, (mixed - (1 - whole)) / whole);
    });
  return (
    inverse && {
      start: tissue.map((value, c) => value + (channelBias[c] ?? 0)),
      mean,
      inverse,
      bloodRatio: stainLoss ? stainLoss.blood.map((loss) => 1 - loss) : ratioOf("bloodShare"),
      bileRatio: stainLoss ? stainLoss.bile.map((loss) => 1 - loss) : ratioOf("bileShare"),
    }
  );
}

interface System {
  normal: number[][];
  gradient: number[];
}

function linearise(
  x: readonly number[],
  readings: readonly Reading[],
  prior: Prior,
  size: number,
  leaning: number,
): System {
  const normal = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const gradient = new Array<number>(size).fill(0);
  const add = (i: number, j: number, value: number) => {
    const row = normal[i];
    if (row) row[j] = (row[j] ?? 0) + value;
  };
  const pull = (i: number, value: number) => {
    gradient[i] = (gradient[i] ?? 0) + value;
  };
  for (let c = 0; c < CHANNEL_COUNT; c += 1) {
    for (let d = 0; d < CHANNEL_COUNT; d += 1) {
      const weight = prior.inverse[c]?.[d] ?? 0;
      add(c, d, weight);
      pull(c, weight * ((x[d] ?? 0) - (prior.mean[d] ?? 0)));
    }
  }
  for (const [r, reading] of readings.entries()) {
    const at = CHANNEL_COUNT + OWN * r;
    const [level = 0, step = 0, blood = 0, bile = 0, change = 0] = x.slice(at, at + OWN);
    add(at + 4, at + 4, 1 / CHANGE_SIGMA ** 2);
    pull(at + 4, change / CHANGE_SIGMA ** 2);
    add(at, at, 1 / LEVEL_SIGMA ** 2);
    pull(at, level / LEVEL_SIGMA ** 2);
    add(at + 1, at + 1, 1 / reading.stepSigma ** 2);
    pull(at + 1, (step - reading.step) / reading.stepSigma ** 2);
    pull(at + 2, leaning);
    pull(at + 3, leaning);
    for (let c = 0; c < CHANNEL_COUNT; c += 1) {
      const lossBlood = 1 - (prior.bloodRatio[c] ?? 1);
      const lossBile = 1 - (prior.bileRatio[c] ?? 1);
      const second = SECOND_PASS[c] ?? 0;
      const loss = blood * lossBlood + bile * lossBile;
      const seen = 1 + (second - 0.5) * change;
      const left = Math.max(0.02, 1 - loss * seen);
      const predicted = (x[c] ?? 0) + level + step * (SECOND_PASS[c] ?? 0) + Math.log(left);
      const residual = predicted - (reading.y[c] ?? 0);
      const weight = reading.weights[c] ?? 0;
      const slopes: [number, number][] = [
        [c, 1],
        [at, 1],
        [at + 1, SECOND_PASS[c] ?? 0],
        [at + 2, (-lossBlood * seen) / left],
        [at + 3, (-lossBile * seen) / left],
        [at + 4, (-loss * (second - 0.5)) / left],
      ];
      for (const [i, a] of slopes) {
        pull(i, weight * a * residual);
        for (const [j, b] of slopes) add(i, j, weight * a * b);
      }
    }
  }
  return { normal, gradient };
}

/** One step with shares held at their bounds when pushed outward. @returns the largest change */
function boundedStep(x: number[], { normal, gradient }: System): number {
  const isShare = (i: number) => i >= CHANNEL_COUNT && [2, 3].includes((i - CHANNEL_COUNT) % OWN);
  const held = x.map(
    (value, i) =>
      isShare(i) && ((value <= 0 && (gradient[i] ?? 0) > 0) || (value >= MAX_SHARE && (gradient[i] ?? 0) < 0)),
  );
  const matrix = normal.map((row, i) =>
    row.map((value, j) => (i === j ? value * (1 + 1e-9) + 1e-9 : held[i] || held[j] ? 0 : value)),
  );
  const move = solveSymmetric(
    matrix,
    gradient.map((value, i) => (held[i] ? 0 : -value)),
  );
  if (!move) return 0;
  let largest = 0;
  for (const [i, value] of x.entries()) {
    const wanted = value + (move[i] ?? 0);
    const next = isShare(i) ? clip(wanted, 0, MAX_SHARE) : wanted;
    largest = Math.max(largest, Math.abs(next - value));
    x[i] = next;
  }
  return largest;
}
