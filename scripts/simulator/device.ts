import type { Link } from "./link.ts";
import type { Source, Wire } from "./source.ts";
import type { BeltTruthLine, TruthLine } from "./truth.ts";

/** A device offline keeps this many samples; the oldest are dropped. */
const RING_SIZE = 100;
/** After a reconnection the newest sample goes first, then the buffered ones, oldest first, at 10/s. */
const REPLAY_INTERVAL_MS = 100;
const HEARTBEAT_MS = 30_000;

/** A device that fell further behind than this (its machine slept) goes on from now. */
const CATCH_UP_MS = 1000;

export interface DeviceOptions {
  source: Source;
  link: Link;
  /** Stop after so many products. */
  count?: number;
  onTruth(line: TruthLine | BeltTruthLine): void;
}

export interface DeviceStatus {
  deviceId: string;
  /** Samples, and products completed with them. */
  measured: number;
  products: number;
  sent: number;
  buffered: number;
  dropped: number;
  reconnections: number;
  ready: boolean;
}

/** One ESP32 with both sensors: measures at its rate, whether connected or not, and gets its samples across. */
export class Device {
  readonly #options: DeviceOptions;
  /** By number, so that what comes back unacknowledged stands where it was. */
  readonly #ring: { number: number; body: Wire }[] = [];
  readonly #startedAt = performance.now();
  #timers: NodeJS.Timeout[] = [];
  #next: NodeJS.Timeout | undefined;
  #measured = 0;
  #products = 0;
  #dueMs = 0;
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
      deviceId: this.#options.source.deviceId,
      measured: this.#measured,
      products: this.#products,
      sent: this.#sent,
      buffered: this.#ring.length,
      dropped: this.#dropped,
      reconnections: Math.max(0, this.#connections - 1),
      ready: this.#options.link.ready,
    };
  }

  /** All products were measured and none is left to send. */
  get done(): boolean {
    return this.#complete && this.#ring.length === 0 && this.#sending === 0;
  }

  get #complete(): boolean {
    return this.#options.count !== undefined && this.#products >= this.#options.count;
  }

  start(): void {
    const { link, source } = this.#options;
    link.open(() => {
      this.#connections += 1;
      this.#newestFirst = this.#ring.length > 0;
      void link.send(source.hello(new Date()), "hello");
    });
    this.#timers = [
      setInterval(() => this.#beat(), HEARTBEAT_MS),
      setInterval(() => void this.#replay(), REPLAY_INTERVAL_MS),
    ];
    this.#dueMs = Date.now();
    this.#schedule();
  }

  #beat(): void {
    const { link, source } = this.#options;
    if (!link.ready) return;
    const { sent, buffered, reconnections } = this.status;
    const uptimeS = (performance.now() - this.#startedAt) / 1000;
    void link.send(source.heartbeat({ sent, buffered, reconnections, uptimeS }, new Date()), "heartbeat");
  }

  #schedule(): void {
    if (this.#stopped || this.#complete) return;
    const now = Date.now();
    this.#dueMs += this.#options.source.interval();
    if (this.#dueMs < now - CATCH_UP_MS) this.#dueMs = now;
    this.#next = setTimeout(() => this.#tick(), Math.max(0, this.#dueMs - now));
  }

  #tick(): void {
    const { body, truths, products } = this.#options.source.measure(this.#dueMs);
    this.#measured += 1;
    this.#products += products;
    this.#schedule();
    for (const truth of truths) this.#options.onTruth(truth);
    void this.#deliver(this.#measured, body);
  }

  async #deliver(number: number, body: Wire): Promise<void> {
    this.#newestFirst = false;
    this.#sending += 1;
    const sent = await this.#options.link.send(body, "sample");
    this.#sending -= 1;
    if (sent) this.#sent += 1;
    else this.#keep(number, body);
  }

  #keep(number: number, body: Wire): void {
    const after = this.#ring.findLastIndex((kept) => kept.number < number);
    this.#ring.splice(after + 1, 0, { number, body });
    while (this.#ring.length > RING_SIZE) {
      this.#ring.shift();
      this.#dropped += 1;
    }
  }

  async #replay(): Promise<void> {
    if (!this.#options.link.ready || (this.#newestFirst && !this.#complete)) return;
    const kept = this.#ring.shift();
    if (kept) await this.#deliver(kept.number, kept.body);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#next);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#options.link.close();
  }
}
