import { encodeEnvelopeCbor, encodeEnvelopeJson } from "../../nodes/device/envelope-encode.ts";
import { type BeltAcquisition, type BeltStation, FRAME_MS, type StillScene } from "./belt.ts";
import { cnhBuffer } from "./cnh.ts";
import type { DeviceCounters, DeviceIdentity } from "./message.ts";
import type { Random } from "./random.ts";
import { rawEnvelope, rawHeartbeat, rawHello } from "./raw-message.ts";
import type { Measured, Source, Wire } from "./source.ts";
import { beltTruthOf } from "./truth.ts";

export interface BeltSourceOptions {
  identity: DeviceIdentity;
  station: BeltStation;
  encoding: "cbor" | "json";
  /** Number of this start of the device: never the same twice. */
  boot: number;
  /** The device has a light barrier and numbers the products. */
  trigger: boolean;
  /** Histograms with every frame. */
  cnh: boolean;
  /** What lies below the sensors; products on a moving belt by default. */
  scene?: StillScene;
  /** Share of messages cut short, 0…1. */
  faults: number;
  rng: Random;
}

/** A device that forwards what its sensors' registers held, fifteen times a second. */
export class BeltSource implements Source {
  readonly #options: BeltSourceOptions;
  #sequence = 0;

  constructor(options: BeltSourceOptions) {
    this.#options = options;
  }

  get deviceId(): string {
    return this.#options.identity.deviceId;
  }

  hello(at: Date): Wire {
    return this.#encode(rawHello(this.#options.identity, at));
  }

  heartbeat(counters: DeviceCounters, at: Date): Wire {
    return this.#encode(rawHeartbeat(this.#options.identity, counters, at));
  }

  interval(): number {
    return FRAME_MS;
  }

  measure(atMs: number): Measured {
    const { station, scene, identity, boot, trigger, cnh, rng, faults } = this.#options;
    const taken = scene ? station.still(scene, atMs) : station.next(atMs);
    const sequence = this.#sequence;
    this.#sequence += 1;
    const nearest = nearestProduct(taken);
    const body = this.#encode(
      rawEnvelope(taken, {
        identity,
        boot,
        sequence,
        lot: scene ? undefined : (nearest?.lot ?? station.lot),
        product: trigger && nearest ? productName(identity.deviceId, boot, nearest.number) : undefined,
        cnh: cnh ? cnhBuffer(taken.light, taken.frame.ambient[0] ?? 0, rng) : undefined,
      }),
    );
    return {
      body: rng.chance(faults) ? body.slice(0, Math.floor(body.length / 2)) : body,
      truths: taken.left.map((truth) =>
        beltTruthOf(identity, trigger ? productName(identity.deviceId, boot, truth.number) : undefined, truth),
      ),
      // Of something held still every sample counts.
      products: scene ? 1 : taken.left.length,
    };
  }

  #encode(message: Parameters<typeof encodeEnvelopeCbor>[0]): Wire {
    return this.#options.encoding === "cbor"
      ? encodeEnvelopeCbor(message)
      : encodeEnvelopeJson(message).toString("utf8");
  }
}

/** A name that no other product of the site has. */
function productName(deviceId: string, boot: number, number: number): string {
  return `${deviceId}-${boot}-${number}`;
}

/** The product in view whose middle is nearest to the sensor's axis. */
export function nearestProduct(taken: BeltAcquisition): BeltAcquisition["inView"][number]["truth"] | undefined {
  return taken.inView.toSorted((a, b) => Math.abs(a.yMm) - Math.abs(b.yMm))[0]?.truth;
}
