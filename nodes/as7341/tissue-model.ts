import { bilePigment, carotenoid, ferrousHaemoglobin, methaemoglobin } from "./pigments.ts";
import { BANDS, UNMIXED_CHANNELS, WAVELENGTHS_NM } from "./responses.ts";

/** Unknowns of the model, in the order of its vectors. Amounts are K/S at 550 nm's scattering. */
export const UNKNOWNS = [
  /** ln of what multiplies every channel: distance, lamp. */
  "level",
  /** ln of what multiplies F5…F8 besides: the belt moved on between the passes. */
  "step",
  "lnBase",
  "lnBlood",
  /** Share of haemoglobin turned brown. */
  "met",
  "lnBile",
  "lnCarotenoid",
  "lnBrowning",
  "browningExponent",
  "scatterExponent",
  /** Shares of the spot under pooled blood and spilt bile. */
  "bloodShare",
  "bileShare",
] as const;
export type Unknown = (typeof UNKNOWNS)[number];

/** Range of an unknown; the others are free. */
export const BOUNDS: Readonly<Partial<Record<Unknown, readonly [low: number, high: number]>>> = {
  met: [0, 0.95],
  bloodShare: [0, 0.95],
  bileShare: [0, 0.95],
};

export interface TissueConstants {
  /** Haemoglobin without oxygen, share of the ferrous. */
  deoxyShare: number;
  /** Peak of biliverdin over that of bilirubin. */
  biliverdin: number;
  /** K/S of pooled blood at oxyhaemoglobin's green bands, and of spilt bile at bilirubin's peak. */
  pooledBlood: number;
  spiltBile: number;
}

const at = (name: Unknown) => UNKNOWNS.indexOf(name);
const INDEX = Object.fromEntries(UNKNOWNS.map((name) => [name, at(name)]));
const COUNT = WAVELENGTHS_NM.length;
const table = (of: (nm: number) => number) => Float64Array.from(WAVELENGTHS_NM, of);

const CAROTENOID = table(carotenoid);
const MET = table(methaemoglobin);
const LN_450 = table((nm) => Math.log(nm / 450));
const LN_550 = table((nm) => Math.log(nm / 550));
/** Water and fat beyond 830 nm: little, and much the same in every liver. */
const WATER_AND_FAT = table((nm) => (nm > 780 ? 0.015 : 0));
const SECOND_PASS = UNMIXED_CHANNELS.map((channel) => /^F[5-8]$/.test(channel));

/**
 * Forward model of a liver under the sensor: Kubelka and Munk's reflectance R = 1 + q − √(q² + 2q), q = K/S, of tissue
 * with blood, bile, carotenoid and browning dissolved in it, mixed by area with tissue under pooled blood and under spilt
 * bile, averaged over each filter.
 */
export class TissueModel {
  readonly #ferrous: Float64Array;
  readonly #bile: Float64Array;
  readonly #pooledBlood: number;
  readonly #spiltBile: number;
  readonly #mixed = new Float64Array(COUNT);

  constructor({ deoxyShare, biliverdin, pooledBlood, spiltBile }: TissueConstants) {
    this.#ferrous = table(ferrousHaemoglobin(deoxyShare));
    this.#bile = table(bilePigment(biliverdin));
    this.#pooledBlood = pooledBlood;
    this.#spiltBile = spiltBile;
  }

  /** ln reflectance per channel (order of `UNMIXED_CHANNELS`) for a vector of `UNKNOWNS`, into `out`. */
  predict(unknowns: ArrayLike<number>, out: Float64Array): void {
    const of = (name: Unknown) => unknowns[INDEX[name] ?? 0] ?? 0;
    const base = Math.exp(of("lnBase"));
    const blood = Math.exp(of("lnBlood"));
    const met = of("met");
    const bile = Math.exp(of("lnBile"));
    const yellow = Math.exp(of("lnCarotenoid"));
    const brown = Math.exp(of("lnBrowning"));
    const brownExponent = of("browningExponent");
    const scatterExponent = of("scatterExponent");
    const bloodShare = of("bloodShare");
    const bileShare = of("bileShare");
    const sound = 1 - bloodShare - bileShare;
    for (let i = 0; i < COUNT; i += 1) {
      const haem = (1 - met) * (this.#ferrous[i] ?? 0) + met * (MET[i] ?? 0);
      const bilePigments = this.#bile[i] ?? 0;
      const tissue =
        base +
        blood * haem +
        bile * bilePigments +
        yellow * (CAROTENOID[i] ?? 0) +
        brown * Math.exp(-brownExponent * (LN_450[i] ?? 0)) +
        (WATER_AND_FAT[i] ?? 0);
      const perScatter = Math.exp(scatterExponent * (LN_550[i] ?? 0));
      this.#mixed[i] =
        sound * reflectanceOf(tissue * perScatter) +
        bloodShare * reflectanceOf((tissue + this.#pooledBlood * haem) * perScatter) +
        bileShare * reflectanceOf((tissue + this.#spiltBile * bilePigments) * perScatter);
    }
    const level = of("level");
    const second = level + of("step");
    for (const [channel, { start, weights }] of BANDS.entries()) {
      let sum = 0;
      for (let i = 0; i < weights.length; i += 1) sum += (weights[i] ?? 0) * (this.#mixed[start + i] ?? 0);
      out[channel] = Math.log(Math.max(sum, 1e-6)) + (SECOND_PASS[channel] ? second : level);
    }
  }
}

function reflectanceOf(absorptionPerScatter: number): number {
  return 1 + absorptionPerScatter - Math.sqrt(absorptionPerScatter * (absorptionPerScatter + 2));
}
