import type { Random } from "./random.ts";
import { REFERENCE_TISSUE, reflectance, type Stains, type Tissue } from "./tissue.ts";

/** Channels of the AS7341 as SQAL names them on the wire, in the sensor's order. */
export const CHANNEL_KEYS = [
  "F1_415nm",
  "F2_445nm",
  "F3_480nm",
  "F4_515nm",
  "F5_555nm",
  "F6_590nm",
  "F7_630nm",
  "F8_680nm",
  "Clear",
  "NIR",
] as const;
export type ChannelKey = (typeof CHANNEL_KEYS)[number];

/** Centre and full width at half maximum, nm (DS000504), and relative peak response (its figure 19). */
const FILTERS: ReadonlyArray<readonly [key: ChannelKey, nm: number, fwhmNm: number, peak: number]> = [
  ["F1_415nm", 415, 26, 0.165],
  ["F2_445nm", 445, 30, 0.303],
  ["F3_480nm", 480, 36, 0.378],
  ["F4_515nm", 515, 39, 0.485],
  ["F5_555nm", 555, 39, 0.585],
  ["F6_590nm", 590, 40, 0.653],
  ["F7_630nm", 630, 50, 0.759],
  ["F8_680nm", 680, 52, 1],
  ["NIR", 910, 90, 0.6],
];

export const GAIN = 4;
export const INTEGRATION_MS = 100;
/** (ATIME + 1)(ASTEP + 1) for 100 ms at 2.78 µs a step. */
export const FULL_SCALE = Math.min(65535, Math.round((INTEGRATION_MS * 1000) / 2.78));

const LOW_NM = 380;
const HIGH_NM = 1000;
const STEP_NM = 5;
/** Wavelengths the model is computed at, nm. */
export const WAVELENGTHS = Array.from({ length: (HIGH_NM - LOW_NM) / STEP_NM + 1 }, (_, i) => LOW_NM + i * STEP_NM);

const bell = (nm: number, centre: number, fwhm: number): number =>
  Math.exp(-4 * Math.LN2 * ((nm - centre) / fwhm) ** 2);
/** Unfiltered silicon: broad, best around 650 nm. */
const clearResponse = (nm: number): number => 0.55 * bell(nm, 650, 420);

function responseOf(key: ChannelKey): Float64Array {
  const filter = FILTERS.find(([name]) => name === key);
  return Float64Array.from(WAVELENGTHS, (nm) =>
    filter ? filter[3] * bell(nm, filter[1], filter[2]) : clearResponse(nm),
  );
}
const RESPONSES = new Map<ChannelKey, Float64Array>(CHANNEL_KEYS.map((key) => [key, responseOf(key)]));

/** The lamp: nine LEDs, one below each filter. */
const EMITTERS: ReadonlyArray<readonly [nm: number, fwhmNm: number]> = [
  [415, 18],
  [445, 20],
  [480, 22],
  [515, 26],
  [555, 30],
  [590, 20],
  [630, 20],
  [680, 22],
  [910, 45],
];

/**
 * Counts a sound liver gives when a line is commissioned: SQAL's lamp is set so, strongest in the green-blue, and its
 * grading bands sit around these ratios.
 */
const COMMISSIONING: ReadonlyArray<readonly [ChannelKey, number]> = [
  ["F1_415nm", 1400],
  ["F2_445nm", 1860],
  ["F3_480nm", 1500],
  ["F4_515nm", 6950],
  ["F5_555nm", 3340],
  ["F6_590nm", 2040],
  ["F7_630nm", 4600],
  ["F8_680nm", 3200],
  ["NIR", 1900],
];

function sum(response: Float64Array, light: Float64Array, surface: Float64Array | undefined): number {
  let total = 0;
  for (let i = 0; i < response.length; i++)
    total += (response[i] ?? 0) * (light[i] ?? 0) * (surface ? (surface[i] ?? 0) : 1);
  return total * STEP_NM;
}

/** Power of each LED so that the reference liver gives the commissioning counts (fixed-point iteration; converges at once). */
function commission(): Float64Array {
  const surface = Float64Array.from(WAVELENGTHS, (nm) => reflectance(REFERENCE_TISSUE, { hematoma: 0, bile: 0 }, nm));
  const powers = EMITTERS.map(() => 1);
  const light = (): Float64Array =>
    Float64Array.from(WAVELENGTHS, (nm) =>
      EMITTERS.reduce((total, [centre, fwhm], i) => total + (powers[i] ?? 0) * bell(nm, centre, fwhm), 0),
    );
  for (let round = 0; round < 200; round++) {
    const now = light();
    for (const [i, [key, wanted]] of COMMISSIONING.entries()) {
      const response = RESPONSES.get(key);
      if (response) powers[i] = ((powers[i] ?? 0) * wanted) / sum(response, now, surface);
    }
  }
  return light();
}
const LAMP = commission();

/** Counts of each channel (in the order of `CHANNEL_KEYS`) per unit of reflectance at each of `WAVELENGTHS`, lamp as commissioned. */
export const CHANNEL_WEIGHTS: readonly Float64Array[] = CHANNEL_KEYS.map((key) =>
  Float64Array.from(RESPONSES.get(key) ?? [], (response, i) => response * (LAMP[i] ?? 0) * STEP_NM),
);
/** Warm room light leaking under the hood: rises toward the red. */
const ROOM = Float64Array.from(WAVELENGTHS, (nm) => 0.2 + 0.8 * bell(nm, 620, 300));

export interface Lighting {
  /** Lamp output relative to commissioning (drift, warm-up, flicker). */
  lamp: number;
  /** Relative change of colour: positive is weaker in the blue, as ageing LEDs are. */
  tint: number;
  /** Room light, counts it adds to Clear. */
  room: number;
}

/** What lies in the field of the spectral sensor: shares of surfaces that add to 1. */
export type Patch = { share: number; tissue: Tissue; stains: Stains } | { share: number; grey: number };

/** Counts per channel of one reading. */
export type Counts = Record<ChannelKey, number>;

/**
 * One reading.
 * @param rng noise; `noise: 0` gives expectation values (rounded, clipped at full scale)
 */
export function measureSpectrum(patches: readonly Patch[], lighting: Lighting, rng: Random, noise = 1): Counts {
  const surface = Float64Array.from(WAVELENGTHS, (nm) => {
    let total = 0;
    for (const patch of patches)
      total += patch.share * ("grey" in patch ? patch.grey : reflectance(patch.tissue, patch.stains, nm));
    return total;
  });
  const light = LAMP.map(
    (power, i) => power * lighting.lamp * (1 + (lighting.tint * ((WAVELENGTHS[i] ?? 0) - 600)) / 250),
  );
  const clear = RESPONSES.get("Clear");
  const roomScale = clear ? lighting.room / sum(clear, ROOM, undefined) : 0;
  const counts = {} as Counts;
  for (const key of CHANNEL_KEYS) {
    const response = RESPONSES.get(key);
    const mean = response ? sum(response, light, surface) + roomScale * sum(response, ROOM, undefined) : 0;
    // About four electrons a count at this gain, and the converter's own two counts.
    const value = mean + noise * rng.normal(0, Math.sqrt(mean / 4 + 4));
    counts[key] = Math.min(FULL_SCALE, Math.max(0, Math.round(value)));
  }
  return counts;
}
