import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { BeltProductTruth } from "./belt.ts";
import type { DeviceIdentity } from "./message.ts";
import { stamp } from "./message.ts";
import type { PlacedDefect } from "./product.ts";
import type { QualityClass } from "./quality.ts";
import type { Acquisition } from "./station.ts";

/** What the simulator knows of one sample and no message tells: one line of the truth file. */
export interface TruthLine {
  sampleId: string;
  deviceId: string;
  /** As on the wire; with device and sample id it identifies the sample. */
  measuredAt: string;
  lotAbattage: string;
  eleveur: string;
  qualityClass: QualityClass;
  quality: number;
  freshness: number;
  fat: number;
  oxidation: number;
  blood: number;
  bile: number;
  massG: number;
  volumeMm3: number;
  lengthMm: number;
  widthMm: number;
  thicknessMm: number;
  defects: PlacedDefect[];
  /** Set when the message was spoiled on purpose. */
  fault?: string;
}

export function truthOf(device: DeviceIdentity, taken: Acquisition, fault?: string): TruthLine {
  const { state, truth, defects } = taken.product;
  return {
    sampleId: taken.sampleId,
    deviceId: device.deviceId,
    measuredAt: stamp(taken.at),
    lotAbattage: taken.lot.lotAbattage,
    eleveur: taken.lot.breeder.name,
    qualityClass: state.qualityClass,
    quality: truth.quality,
    freshness: state.freshness,
    fat: state.fat,
    oxidation: state.oxidation,
    blood: state.blood,
    bile: state.bile,
    massG: truth.massG,
    volumeMm3: truth.volumeMm3,
    lengthMm: truth.lengthMm,
    widthMm: truth.widthMm,
    thicknessMm: truth.thicknessMm,
    defects,
    ...(fault !== undefined && { fault }),
  };
}

/** What the simulator knows of one product that passed a belt station: one line of the truth file. */
export interface BeltTruthLine {
  kind: "belt";
  deviceId: string;
  /** What the device called it, where a light barrier told it one from another. */
  productId?: string;
  /** Its number on this belt, from 1. */
  product: number;
  /** First and last frame with a part of it in view, and when its middle passed below the sensor. ISO 8601 UTC. */
  enteredAt: string;
  centredAt: string;
  leftAt: string;
  frames: number;
  wholeInView: boolean;
  lotAbattage: string;
  eleveur: string;
  qualityClass: QualityClass;
  quality: number;
  freshness: number;
  fat: number;
  oxidation: number;
  massG: number;
  volumeMm3: number;
  lengthMm: number;
  widthMm: number;
  thicknessMm: number;
  orientationDeg: number;
  lateralMm: number;
  lab: [number, number, number];
  dents: BeltProductTruth["dents"];
  stains: BeltProductTruth["stains"];
  /** Greatest share of the spectral spot that blood and bile covered in a reading (almost) full of product. */
  bloodShare: number;
  bileShare: number;
}

export function beltTruthOf(
  device: DeviceIdentity,
  productId: string | undefined,
  truth: BeltProductTruth,
): BeltTruthLine {
  const { number, lot, state, color, enteredMs, centredMs, leftMs, readings: _, ...rest } = truth;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    kind: "belt",
    deviceId: device.deviceId,
    ...(productId !== undefined && { productId }),
    product: number,
    enteredAt: iso(enteredMs),
    centredAt: iso(centredMs),
    leftAt: iso(leftMs),
    lotAbattage: lot.lotAbattage,
    eleveur: lot.breeder.name,
    qualityClass: state.qualityClass,
    freshness: state.freshness,
    fat: state.fat,
    oxidation: state.oxidation,
    lab: color.lab,
    ...rest,
  };
}

/** Appends truth lines to a file; at `maxBytes` the file becomes `<path>.1` (the one before it is dropped). */
export class TruthFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(path: string, maxBytes = 32 * 1024 * 1024) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    mkdirSync(dirname(path), { recursive: true });
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  append(line: TruthLine | BeltTruthLine): void {
    const text = `${JSON.stringify(line)}\n`;
    if (this.#bytes > 0 && this.#bytes + text.length > this.#maxBytes) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, text, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(text);
  }
}
