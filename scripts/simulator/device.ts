import type { Link } from "./link.ts";
import { type DeviceIdentity, FAULTS, type Fault, heartbeat, hello, sensorData, spoil } from "./message.ts";
import type { Random } from "./random.ts";
import type { Station } from "./station.ts";
import { type TruthLine, truthOf } from "./truth.ts";

/** A device offline keeps this many samples; the oldest are dropped. */
const RING_SIZE = 100;
/** After a reconnection the newest sample goes first, then the buffered ones, oldest first, at 10/s. */
const REPLAY_INTERVAL_MS = 100;
const HEARTBEAT_MS = 30_000;

export interface DeviceOptions {
  identity: DeviceIdentity;
  station: Station;
  link: Link;
  /** Products per second. */
  rate: number;
  /** Stop after so many products. */
  count?: number;
  /** Share of samples sent spoiled, 0…1. */
  faults: number;
  rng: Random;
  onTruth(line: TruthLine): void;
}

export interface DeviceStatus {
  deviceId: string;
  measured: number;
  sent: number;
  buffered: number;
  dropped: number;
  reconnections: number;
  ready: boolean;
}

/** Measures one product: the message as it goes on the wire, and the truth about it. */
export function produce(
  options: Pick<DeviceOptions, "identity" | "station" | "faults" | "rng">,
  at: Date,
): { text: string; truth: TruthLine } {
  const taken = options.station.measure(at);
  const message = sensorData(options.identity, taken);
  const fault: Fault | undefined = options.rng.chance(options.faults) ? options.rng.pick(FAULTS) : undefined;
  return {
    text: fault ? spoil(message, fault) : JSON.stringify(message),
    truth: truthOf(options.identity, taken, fault),
  };
}

/** One ESP32 with both sensors: measures at its rate, whether connected or not, and gets its samples across. */
export class Device {
  readonly #options: DeviceOptions;
  readonly #ring: string[] = [];
  readonly #startedAt = performance.now();
  #timers: NodeJS.Timeout[] = [];
  #next: NodeJS.Timeout | undefined;
  #measured = 0;
  #sent = 0;
  #dropped = 0;
  #connections = 0;
  #stopped = false;
  #sending = 0;
  /** After a reconnection nothing buffered goes before the next new sample did. */
  #newestFirst = false;

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  get status(): DeviceStatus {
    return {
      deviceId: this.#options.identity.deviceId,
      measured: this.#measured,
      sent: this.#sent,
      buffered: this.#ring.length,
      dropped: this.#dropped,
      reconnections: Math.max(0, this.#connections - 1),
      ready: this.#options.link.ready,
    };
  }

  /** All products were measured and none is left to send. */
  get done(): boolean {
    return (
      this.#options.count !== undefined &&
      this.#measured >= this.#options.count &&
      this.#ring.length === 0 &&
      this.#sending === 0
    );
  }

  start(): void {
    const { link, identity } = this.#options;
    link.open(() => {
      this.#connections += 1;
      this.#newestFirst = this.#ring.length > 0;
      void link.send(JSON.stringify(hello(identity, new Date())), "hello");
    });
    this.#timers = [
      setInterval(() => this.#beat(), HEARTBEAT_MS),
      setInterval(() => void this.#replay(), REPLAY_INTERVAL_MS),
    ];
    this.#schedule(this.#options.rng.uniform(0.1, 1));
  }

  #beat(): void {
    const { link, identity } = this.#options;
    if (!link.ready) return;
    const { sent, buffered, reconnections } = this.status;
    const uptimeS = (performance.now() - this.#startedAt) / 1000;
    void link.send(
      JSON.stringify(heartbeat(identity, { sent, buffered, reconnections, uptimeS }, new Date())),
      "heartbeat",
    );
  }

  #schedule(factor: number): void {
    const { rate, count } = this.#options;
    if (this.#stopped || (count !== undefined && this.#measured >= count)) return;
    this.#next = setTimeout(() => this.#tick(), (1000 / rate) * factor);
  }

  #tick(): void {
    this.#measured += 1;
    // Livers do not come in step.
    this.#schedule(this.#options.rng.uniform(0.8, 1.2));
    const { text, truth } = produce(this.#options, new Date());
    this.#options.onTruth(truth);
    void this.#deliver(text);
  }

  async #deliver(text: string): Promise<void> {
    this.#newestFirst = false;
    this.#sending += 1;
    const sent = await this.#options.link.send(text, "sample");
    this.#sending -= 1;
    if (sent) this.#sent += 1;
    else this.#keep(text);
  }

  #keep(text: string): void {
    this.#ring.push(text);
    while (this.#ring.length > RING_SIZE) {
      this.#ring.shift();
      this.#dropped += 1;
    }
  }

  async #replay(): Promise<void> {
    const lastOne = this.#options.count !== undefined && this.#measured >= this.#options.count;
    if (!this.#options.link.ready || (this.#newestFirst && !lastOne)) return;
    const text = this.#ring.shift();
    if (text !== undefined) await this.#deliver(text);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#next);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#options.link.close();
  }
}
