import type { Random } from "./random.ts";

/** The classes a liver is drawn from, best to worst, with the shares the SQAL line reports. */
export const QUALITY_CLASSES = ["premium", "good", "acceptable", "low", "defective"] as const;
export type QualityClass = (typeof QUALITY_CLASSES)[number];

interface ClassModel {
  share: number;
  freshness: readonly [number, number];
  fat: readonly [number, number];
  oxidation: readonly [number, number];
  /** How rough the surface is, mm (amplitude of the texture). */
  roughnessMm: readonly [number, number];
  /** Probability of each kind of visible defect. */
  dent: number;
  hematoma: number;
  bile: number;
  foreignBody: number;
}

const MODELS: Readonly<Record<QualityClass, ClassModel>> = {
  premium: {
    share: 0.15,
    freshness: [0.9, 1],
    fat: [0.9, 1],
    oxidation: [0, 0.1],
    roughnessMm: [0.2, 0.4],
    dent: 0.03,
    hematoma: 0.01,
    bile: 0.005,
    foreignBody: 0.003,
  },
  good: {
    share: 0.4,
    freshness: [0.75, 0.95],
    fat: [0.75, 0.95],
    oxidation: [0.05, 0.25],
    roughnessMm: [0.3, 0.6],
    dent: 0.12,
    hematoma: 0.03,
    bile: 0.01,
    foreignBody: 0.005,
  },
  acceptable: {
    share: 0.3,
    freshness: [0.6, 0.8],
    fat: [0.6, 0.8],
    oxidation: [0.2, 0.4],
    roughnessMm: [0.4, 0.9],
    dent: 0.3,
    hematoma: 0.1,
    bile: 0.03,
    foreignBody: 0.008,
  },
  low: {
    share: 0.1,
    freshness: [0.45, 0.65],
    fat: [0.45, 0.65],
    oxidation: [0.35, 0.55],
    roughnessMm: [0.6, 1.2],
    dent: 0.5,
    hematoma: 0.25,
    bile: 0.1,
    foreignBody: 0.01,
  },
  defective: {
    share: 0.05,
    freshness: [0.2, 0.5],
    fat: [0.2, 0.5],
    oxidation: [0.5, 0.8],
    roughnessMm: [0.8, 1.6],
    dent: 0.5,
    hematoma: 0.45,
    bile: 0.25,
    foreignBody: 0.05,
  },
};

/** What the liver is like inside and on its surface; every figure 0…1 unless its name says otherwise. */
export interface QualityState {
  qualityClass: QualityClass;
  freshness: number;
  fat: number;
  oxidation: number;
  /** Residual blood in the tissue. */
  blood: number;
  /** Diffuse bile pigment in the tissue. */
  bile: number;
  /** Carotenoid yellow from maize. */
  carotenoid: number;
  roughnessMm: number;
  /** What shows on the surface, before it is placed. */
  blemishes: { dent: boolean; hematoma: boolean; bile: boolean; foreignBody: boolean };
}

const clip01 = (x: number): number => Math.min(1, Math.max(0, x));
const within = (rng: Random, [low, high]: readonly [number, number], deviation: number): number =>
  clip01(rng.normal((low + high) / 2, deviation));

/**
 * Draws the state of one liver.
 * @param skill how good the breeder is, about −1 … 1: moves the class shares and shifts the state a little
 */
export function drawQuality(rng: Random, skill: number): QualityState {
  const weights = QUALITY_CLASSES.map((name, index) => MODELS[name].share * Math.exp((skill * (2 - index)) / 4));
  let left = rng.next() * weights.reduce((sum, weight) => sum + weight, 0);
  let qualityClass: QualityClass = "defective";
  for (const [index, name] of QUALITY_CLASSES.entries()) {
    left -= weights[index] ?? 0;
    if (left < 0) {
      qualityClass = name;
      break;
    }
  }
  const model = MODELS[qualityClass];
  const freshness = clip01(within(rng, model.freshness, 0.06) + 0.015 * skill);
  const fat = clip01(within(rng, model.fat, 0.06) + 0.015 * skill);
  const oxidation = clip01(within(rng, model.oxidation, 0.06) - 0.015 * skill);
  return {
    qualityClass,
    freshness,
    fat,
    oxidation,
    // A fatter liver holds less blood for its volume; a stale one has lost some of it to its surface.
    blood: clip01(rng.normal(0.28 - 0.16 * fat + 0.1 * (1 - freshness), 0.03)),
    bile: clip01(rng.normal(0.02 + 0.05 * (1 - freshness), 0.015)),
    carotenoid: clip01(rng.normal(0.45, 0.08)),
    roughnessMm: rng.uniform(...model.roughnessMm),
    blemishes: {
      dent: rng.chance(model.dent),
      hematoma: rng.chance(model.hematoma),
      bile: rng.chance(model.bile),
      foreignBody: rng.chance(model.foreignBody),
    },
  };
}

/**
 * One figure for how good a liver truly is, 0…1: the mean of freshness, fat and freedom from oxidation, less what its
 * visible defects cost. It is the simulator's own yardstick for judging grading, not a formula of any grader.
 */
export function trueQuality(state: Pick<QualityState, "freshness" | "fat" | "oxidation">, defectCost: number): number {
  return clip01((state.freshness + state.fat + 1 - state.oxidation) / 3 - defectCost);
}
