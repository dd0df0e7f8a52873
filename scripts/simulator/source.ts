import type { DeviceCounters } from "./message.ts";
import type { BeltTruthLine, TruthLine } from "./truth.ts";

/** A message as it goes on the wire: text, or bytes of a binary form. */
export type Wire = string | Uint8Array;

/** What a device measured at one moment. */
export interface Measured {
  body: Wire;
  /** What became known of products with it. */
  truths: Array<TruthLine | BeltTruthLine>;
  /** Products completed: `--count` counts them. */
  products: number;
}

/** The measuring side of a device: its station and the language it speaks. */
export interface Source {
  readonly deviceId: string;
  hello(at: Date): Wire;
  heartbeat(counters: DeviceCounters, at: Date): Wire;
  /** Time to the next measurement, ms. */
  interval(): number;
  /** @param atMs wall clock, ms since the epoch with fractions */
  measure(atMs: number): Measured;
}
