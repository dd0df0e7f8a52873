import { type Counts, measureSpectrum, type Patch } from "./as7341.ts";
import { drawLot, type Lot } from "./lots.ts";
import { drawProduct, type Product, stainAt, surfaceHeight } from "./product.ts";
import { type Random, random } from "./random.ts";
import { reflectance } from "./tissue.ts";
import { type ModelFrame, measureTof, SIDE } from "./tof.ts";

/** Height of the sensor above the tray on SQAL's lines, mm. */
export const SENSOR_HEIGHT_MM = 100;
/**
 * Side of a zone a device is configured with, mm. SQAL sums height × zone area over its grid as if the view were as wide as
 * the product; this side makes that sum come out right for a liver of average plan and thickness.
 */
export const ZONE_SIDE_MM = 16.5;

/** One product measured by one device: what went on the wire is made from this. */
export interface Acquisition {
  at: Date;
  sampleId: string;
  lot: Lot;
  product: Product;
  frame: ModelFrame;
  counts: Counts;
  temperatureC: number;
  ambient: number;
}

/** A grading station: one device with its own tolerances, lamp and lots. Draws depend on seed and device id only. */
export class Station {
  readonly #rng: Random;
  readonly #plant: string;
  readonly #responsivity: number[];
  readonly #tilt: readonly [number, number];
  #lot: Lot | undefined;
  #left = 0;
  #bird = 0;
  #lamp = 1;
  #tint = 0;
  #ambient = 90;

  constructor(seed: number, deviceId: string) {
    this.#rng = random(seed, deviceId);
    this.#plant = /_(LL|MG)_/.exec(deviceId)?.[1] ?? this.#rng.pick(["LL", "MG"]);
    this.#responsivity = Array.from({ length: SIDE * SIDE }, () => this.#rng.clipped(1, 0.02, 0.9, 1.1));
    this.#tilt = [this.#rng.normal(0, 0.004), this.#rng.normal(0, 0.004)];
  }

  /** Takes the next product off the belt and measures it. */
  measure(at: Date): Acquisition {
    const rng = this.#rng;
    if (!this.#lot || this.#left <= 0) {
      this.#lot = drawLot(rng, this.#plant, at);
      this.#left = Math.min(this.#lot.ducks, rng.integer(15, 60));
      this.#bird = 0;
    }
    const lot = this.#lot;
    this.#left -= 1;
    this.#bird += 1;
    // Lamp and room drift slowly; the drift pulls back so that it stays bounded.
    this.#lamp += -0.02 * (this.#lamp - 1) + rng.normal(0, 0.002);
    this.#tint += -0.02 * this.#tint + rng.normal(0, 0.001);
    this.#ambient += -0.05 * (this.#ambient - 90) + rng.normal(0, 3);
    const temperatureC = rng.normal(19.5, 0.8);
    const product = drawProduct(rng, lot.breeder.skill);
    const state = product.state;
    const frame = measureTof(
      {
        sensorHeightMm: SENSOR_HEIGHT_MM,
        trayTilt: this.#tilt,
        trayReflectance: 0.72,
        product,
        productReflectance: (hematoma, bile) => reflectance(state, { hematoma, bile }, 940),
        ambient: Math.max(20, this.#ambient),
      },
      rng,
      this.#responsivity,
    );
    const counts = measureSpectrum(
      viewOf(product),
      { lamp: this.#lamp * rng.normal(1, 0.003), tint: this.#tint, room: Math.max(0, this.#ambient * 0.4) },
      rng,
    );
    return {
      at,
      sampleId: `${lot.samplePrefix}-${String(this.#bird).padStart(3, "0")}`,
      lot,
      product,
      frame,
      counts,
      temperatureC,
      ambient: this.#ambient,
    };
  }
}

/** What the spectral sensor sees of a product: a spot about 40 mm wide, weighted to its middle. */
export function viewOf(product: Product): Patch[] {
  const patches = new Map<
    string,
    { weight: number; hematoma: number; bile: number; kind: "tissue" | "foreign" | "tray" }
  >();
  let total = 0;
  for (let x = -18; x <= 18; x += 4) {
    for (let y = -18; y <= 18; y += 4) {
      const weight = Math.exp(-(x * x + y * y) / (2 * 11 * 11));
      const stain = stainAt(product, x, y);
      const kind = surfaceHeight(product, x, y) <= 0 ? "tray" : stain.foreign ? "foreign" : "tissue";
      // Stains in tenths, so that the few distinct surfaces are worked out once each.
      const hematoma = Math.round(stain.hematoma * 10) / 10;
      const bile = Math.round(stain.bile * 10) / 10;
      const key = `${kind}/${hematoma}/${bile}`;
      const patch = patches.get(key) ?? { weight: 0, hematoma, bile, kind };
      patch.weight += weight;
      patches.set(key, patch);
      total += weight;
    }
  }
  return Array.from(patches.values(), ({ weight, hematoma, bile, kind }) => {
    const share = weight / total;
    if (kind === "tissue") return { share, tissue: product.state, stains: { hematoma, bile } };
    return { share, grey: kind === "tray" ? 0.72 : 0.8 };
  });
}
