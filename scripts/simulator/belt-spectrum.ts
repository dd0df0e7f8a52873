import { readingOfRegisters } from "../../nodes/as7341/read-registers.ts";
import { encodeRegisters } from "../../nodes/as7341/registers.ts";
import type { SpectralReading } from "../../nodes/sample/sample.ts";
import { CHANNELS } from "../../nodes/sample/units.ts";
import { CHANNEL_WEIGHTS, WAVELENGTHS } from "./as7341.ts";
import { type ColorTruth, colorOf } from "./belt-color.ts";
import { type Liver, stainOn } from "./belt-liver.ts";
import type { Placed } from "./belt-optics.ts";
import type { Random } from "./random.ts";
import { reflectance } from "./tissue.ts";

/** Settings of the spectral sensor on a belt: two passes of 30 ms within a frame. */
export const ATIME = 29;
export const ASTEP = 359;
/** Gain code 3: 4 times, so that Clear stays below full scale on the white tile. */
export const GAIN_CODE = 3;
export const GAIN = 0.5 * 2 ** GAIN_CODE;
export const PASS_MS = ((ATIME + 1) * (ASTEP + 1) * 2.78) / 1000;
const FULL_SCALE = Math.min(65535, (ATIME + 1) * (ASTEP + 1));
/** The commissioning counts hold for gain 4 and 100 ms; the lamp is dimmed so that Clear on white stays well below full scale. */
const SCALE = (0.72 * (GAIN * PASS_MS)) / (4 * 100);
/** Height above the belt at which dark and white are taken, mm: the top of an average liver. */
export const REFERENCE_HEIGHT_MM = 45;
const SPOT_RADIUS_MM = 20;
const SPOT_SIGMA_MM = 11;

/** What the two SMUX passes leave in the six converters. */
export interface SpectralPasses {
  /** F1 F2 F3 F4 Clear NIR. */
  first: number[];
  /** F5 F6 F7 F8 Clear NIR. */
  second: number[];
  atime: number;
  astep: number;
  gainCode: number;
  temperatureC: number;
}

/** Share of the spot covered by each surface; they add to 1. */
export interface SpotShares {
  belt: number;
  tissue: number;
  blood: number;
  bile: number;
}

type ChannelLight = Float64Array;

/** Expected counts per channel of a surface under the lamp as commissioned. */
function lightOf(spectrum: ArrayLike<number>): ChannelLight {
  return Float64Array.from(CHANNEL_WEIGHTS, (weights) =>
    weights.reduce((sum, weight, i) => sum + weight * (spectrum[i] ?? 0), 0),
  );
}
const flat = (level: number): Float64Array => new Float64Array(WAVELENGTHS.length).fill(level);
/** The usual blue food belt. */
const BELT_LIGHT = lightOf(
  WAVELENGTHS.map((nm) => 0.12 + 0.3 * Math.exp(-(((nm - 465) / 45) ** 2)) + (nm > 800 ? 0.2 : 0)),
);
/** Room light leaking under the hood: mostly red. */
const ROOM_SHARE = [0.05, 0.08, 0.12, 0.2, 0.25, 0.3, 0.35, 0.35, 1, 0.3];

/** Passes: which channels, in the order of the converters. */
const FIRST = [0, 1, 2, 3, 8, 9] as const;
const SECOND = [4, 5, 6, 7, 8, 9] as const;

/** Points of the spot with their weights (adding to 1). */
const SPOT = (() => {
  const points: Array<readonly [x: number, y: number, weight: number]> = [];
  for (let x = -SPOT_RADIUS_MM + 2; x < SPOT_RADIUS_MM; x += 4)
    for (let y = -SPOT_RADIUS_MM + 2; y < SPOT_RADIUS_MM; y += 4)
      if (x * x + y * y < SPOT_RADIUS_MM ** 2)
        points.push([x, y, Math.exp(-(x * x + y * y) / (2 * SPOT_SIGMA_MM ** 2))]);
  const total = points.reduce((sum, [, , weight]) => sum + weight, 0);
  return points.map(([x, y, weight]) => [x, y, weight / total] as const);
})();

/** The AS7341 of one station, its lamp and its hood. */
export class BeltSpectrometer {
  readonly #rng: Random;
  readonly #offset: Float64Array;
  readonly #heightMm: number;
  readonly #tones = new WeakMap<Liver, { tissue: ChannelLight; stains: ChannelLight[] }>();
  #lamp: number;
  #tint = 0;
  #room = 25;

  /** @param heightMm above the belt */
  constructor(rng: Random, heightMm: number) {
    this.#rng = rng;
    this.#heightMm = heightMm;
    this.#lamp = rng.clipped(1, 0.05, 0.85, 1.15);
    this.#offset = Float64Array.from(CHANNELS, () => rng.uniform(2, 8));
  }

  /** Lamp and room light drift a little with every reading; the drift pulls back so that it stays bounded. */
  drift(): void {
    this.#lamp *= 1 + this.#rng.normal(0, 0.0001);
    this.#tint += -0.001 * this.#tint + this.#rng.normal(0, 0.0001);
    this.#room = Math.max(0, this.#room - 0.01 * (this.#room - 25) + this.#rng.normal(0, 0.3));
  }

  /** Shares of the spot's surfaces, and the light they return. */
  #look(products: readonly Placed[]): { shares: SpotShares; light: Float64Array } {
    const shares: SpotShares = { belt: 0, tissue: 0, blood: 0, bile: 0 };
    const light = new Float64Array(CHANNELS.length);
    for (const [x, y, weight] of SPOT) {
      let tone = BELT_LIGHT;
      let height = 0;
      let surface: keyof SpotShares = "belt";
      for (const { liver, xMm, yMm } of products) {
        const h = liver.field.at(x - xMm, y - yMm);
        if (h <= height) continue;
        height = h;
        const stain = liver.stains.length > 0 ? stainOn(liver, x - xMm, y - yMm) : undefined;
        const tones = this.#tonesOf(liver);
        tone = (stain && tones.stains[liver.stains.indexOf(stain)]) ?? tones.tissue;
        surface = stain?.kind ?? "tissue";
      }
      shares[surface] += weight;
      // A wide lamp: what lies higher is lit and seen somewhat more strongly, in proportion to the distance.
      const near = (this.#heightMm - REFERENCE_HEIGHT_MM) / (this.#heightMm - height);
      for (let channel = 0; channel < light.length; channel++)
        light[channel] = (light[channel] ?? 0) + weight * near * (tone[channel] ?? 0);
    }
    return { shares, light };
  }

  #tonesOf(liver: Liver): { tissue: ChannelLight; stains: ChannelLight[] } {
    let tones = this.#tones.get(liver);
    if (!tones) {
      const tone = (hematoma: number, bile: number): ChannelLight =>
        lightOf(WAVELENGTHS.map((nm) => reflectance(liver.state, { hematoma, bile }, nm)));
      tones = {
        tissue: tone(0, 0),
        stains: liver.stains.map(({ kind, strength }) => (kind === "blood" ? tone(strength, 0) : tone(0, strength))),
      };
      this.#tones.set(liver, tones);
    }
    return tones;
  }

  #pass(light: ArrayLike<number> | undefined, channels: readonly number[], noise: number): number[] {
    return channels.map((channel) => {
      const nm = [415, 445, 480, 515, 555, 590, 630, 680, 600, 910][channel] ?? 600;
      const lamp = light ? (light[channel] ?? 0) * this.#lamp * (1 + (this.#tint * (nm - 600)) / 250) * SCALE : 0;
      const mean = lamp + this.#room * (ROOM_SHARE[channel] ?? 0) + (this.#offset[channel] ?? 0);
      // Real parts repeat to about a count of 1000 to 3000.
      const value = mean + noise * this.#rng.normal(0, Math.sqrt(mean / 1500 + 0.3));
      return Math.min(FULL_SCALE, Math.max(0, Math.round(value)));
    });
  }

  #passes(first: ArrayLike<number> | undefined, second: ArrayLike<number> | undefined, noise = 1): SpectralPasses {
    return {
      first: this.#pass(first, FIRST, noise),
      second: this.#pass(second, SECOND, noise),
      atime: ATIME,
      astep: ASTEP,
      gainCode: GAIN_CODE,
      temperatureC: 24,
    };
  }

  /** One reading; the belt moves on by `stepMm` between the passes. */
  read(products: readonly Placed[], stepMm: number): { passes: SpectralPasses; shares: SpotShares } {
    const first = this.#look(products);
    const second = this.#look(products.map((placed) => ({ ...placed, yMm: placed.yMm + stepMm })));
    const half = (name: keyof SpotShares): number => (first.shares[name] + second.shares[name]) / 2;
    return {
      passes: this.#passes(first.light, second.light),
      shares: { belt: half("belt"), tissue: half("tissue"), blood: half("blood"), bile: half("bile") },
    };
  }

  /** Lamp off. */
  dark(): SpectralPasses {
    return this.#passes(undefined, undefined);
  }

  /** A card of the given reflectance spectrum (or level) at the product's height, filling the view. */
  card(spectrum: ArrayLike<number> | number): SpectralPasses {
    const light = lightOf(typeof spectrum === "number" ? flat(spectrum) : spectrum);
    return this.#passes(light, light);
  }
}

/** The registers of both passes as a device reads them: 13 bytes from ASTATUS each. */
export function registersOf(passes: SpectralPasses): [first: Uint8Array, second: Uint8Array] {
  const fullScale = Math.min(65535, (passes.atime + 1) * (passes.astep + 1));
  const block = (counts: number[]): Uint8Array =>
    encodeRegisters({
      counts,
      gain: 0.5 * 2 ** passes.gainCode,
      saturationFlag: counts.some((count) => count >= fullScale),
    });
  return [block(passes.first), block(passes.second)];
}

/** What the line's decoder makes of the passes. */
export function readingOf(passes: SpectralPasses): SpectralReading {
  const reading = readingOfRegisters(registersOf(passes), { aTime: passes.atime, aStep: passes.astep });
  return { ...reading, temperatureC: passes.temperatureC };
}

/** Reflectances of a 24-patch chart (six greys, eighteen smooth colours), at `WAVELENGTHS`, with their colours. */
export function chartPatches(): Array<{ spectrum: Float64Array; color: ColorTruth }> {
  const spectra: Float64Array[] = [0.9, 0.59, 0.36, 0.2, 0.09, 0.032].map(flat);
  for (let patch = 0; patch < 18; patch++) {
    const edge = 430 + 12 * patch;
    const [low, high] = patch % 3 === 0 ? [0.07, 0.7] : patch % 3 === 1 ? [0.55, 0.1] : [0.15, 0.5];
    spectra.push(
      Float64Array.from(WAVELENGTHS, (nm) =>
        patch % 3 === 2
          ? low + (high - low) * Math.exp(-(((nm - edge - 20) / 55) ** 2))
          : low + (high - low) / (1 + Math.exp(-(nm - edge) / 18)),
      ),
    );
  }
  return spectra.map((spectrum) => ({ spectrum, color: colorOf(spectrum) }));
}
