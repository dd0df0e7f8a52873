import type { DeviceCounters } from "./message.ts";
import { type DeviceIdentity, FAULTS, type Fault, heartbeat, hello, sensorData, spoil } from "./message.ts";
import type { Random } from "./random.ts";
import type { Measured, Source } from "./source.ts";
import type { Station } from "./station.ts";
import { truthOf } from "./truth.ts";

export interface SqalSourceOptions {
  identity: DeviceIdentity;
  station: Station;
  /** Products per second. */
  rate: number;
  /** Share of samples sent spoiled, 0…1. */
  faults: number;
  rng: Random;
}

/** A device of SQAL's: one message per product, in JSON. */
export class SqalSource implements Source {
  readonly #options: SqalSourceOptions;

  constructor(options: SqalSourceOptions) {
    this.#options = options;
  }

  get deviceId(): string {
    return this.#options.identity.deviceId;
  }

  hello(at: Date): string {
    return JSON.stringify(hello(this.#options.identity, at));
  }

  heartbeat(counters: DeviceCounters, at: Date): string {
    return JSON.stringify(heartbeat(this.#options.identity, counters, at));
  }

  /** Livers do not come in step. */
  interval(): number {
    return (1000 / this.#options.rate) * this.#options.rng.uniform(0.8, 1.2);
  }

  measure(atMs: number): Measured & { body: string } {
    const { identity, station, faults, rng } = this.#options;
    const taken = station.measure(new Date(Math.round(atMs)));
    const message = sensorData(identity, taken);
    const fault: Fault | undefined = rng.chance(faults) ? rng.pick(FAULTS) : undefined;
    return {
      body: fault ? spoil(message, fault) : JSON.stringify(message),
      truths: [truthOf(identity, taken, fault)],
      products: 1,
    };
  }
}
