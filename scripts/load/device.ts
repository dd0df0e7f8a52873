import type { LoadLink } from "./link.ts";
import type { NumberedSample, SampleMaker } from "./samples.ts";

export interface LoadDeviceOptions {
  maker: SampleMaker;
  link: LoadLink;
  /** Most samples under way without an acknowledgement. */
  window: number;
  /** Samples per second; undefined: as fast as the window allows. */
  ratePerS?: number | undefined;
  /** Samples in all; undefined: until stopped. */
  count?: number | undefined;
  onAcknowledged(sample: NumberedSample, latencyMs: number): void;
}

/** Between two looks at what has to be sent again, ms; while its link takes nothing it looks more often. */
const REST_MS = 50;
const BLOCKED_MS = 2;

interface Held {
  sample: NumberedSample;
  /** When it should have been sent: waiting for the window or a connection counts as latency. */
  dueMs: number;
  /** When it was sent last on this connection; undefined: not yet. */
  sentMs: number | undefined;
  /** It was sent before, on this connection or another. */
  known: boolean;
}

/**
 * A device as it should be: it numbers its samples, keeps each until it is acknowledged, and sends again, in order, what
 * was not when the line is back.
 */
export class LoadDevice {
  readonly #options: LoadDeviceOptions;
  readonly #held = new Map<string, Held>();
  /** Its samples are due from its first connection on. */
  #startedMs: number | undefined;
  #made = 0;
  #acknowledged = 0;
  #resent = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LoadDeviceOptions) {
    this.#options = options;
  }

  get made(): number {
    return this.#made;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get resent(): number {
    return this.#resent;
  }

  /** Nothing more will be made and all was acknowledged. */
  get finished(): boolean {
    return this.#held.size === 0 && !this.#mayMake();
  }

  start(): void {
    this.#options.link.open({
      ready: () => {
        this.#startedMs ??= performance.now();
        for (const held of this.#held.values()) held.sentMs = undefined;
        this.#pump();
      },
      acknowledged: (sampleId) => this.#take(sampleId),
    });
  }

  /** When the next sample is due. */
  #dueMs(ratePerS: number, startedMs: number): number {
    return startedMs + (this.#made * 1000) / ratePerS;
  }

  /** So many are due now that were due later. */
  burst(count: number): void {
    const { ratePerS } = this.#options;
    if (ratePerS !== undefined && this.#startedMs !== undefined) this.#startedMs -= (count * 1000) / ratePerS;
    this.#pump();
  }

  /** Makes nothing more; what is held is still delivered. */
  stop(): void {
    this.#stopped = true;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#options.link.close();
  }

  #mayMake(): boolean {
    const { count } = this.#options;
    return !this.#stopped && (count === undefined || this.#made < count);
  }

  /** Sends what is due, and looks again when the next is: every other millisecond cost more than sending did. */
  #pump(): void {
    const waitMs = this.#send();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pump(), Math.min(REST_MS, Math.max(1, waitMs)));
  }

  /** @returns in how many ms to look again */
  #send(): number {
    const { link, maker, window, ratePerS } = this.#options;
    const nowMs = performance.now();
    const startedMs = this.#startedMs;
    if (startedMs === undefined) return REST_MS;
    for (const held of this.#held.values()) {
      const again = link.resendAfterMs !== undefined && nowMs - (held.sentMs ?? nowMs) > link.resendAfterMs;
      if (held.sentMs !== undefined && !again) continue;
      if (!link.send(held.sample)) return BLOCKED_MS;
      if (held.known) this.#resent += 1;
      held.known = true;
      held.sentMs = nowMs;
    }
    while (this.#held.size < window && this.#mayMake()) {
      const dueMs = ratePerS === undefined ? nowMs : this.#dueMs(ratePerS, startedMs);
      if (dueMs > nowMs) return dueMs - nowMs;
      const sample = maker.next(Date.now());
      this.#made += 1;
      const sent = link.send(sample);
      this.#held.set(sample.sampleId, { sample, dueMs, sentMs: sent ? nowMs : undefined, known: sent });
      if (!sent) return BLOCKED_MS;
    }
    return REST_MS;
  }

  #take(sampleId: string): void {
    const held = this.#held.get(sampleId);
    if (!held) return; // acknowledged a second time, after it was sent a second time
    const wasFull = this.#held.size >= this.#options.window;
    this.#held.delete(sampleId);
    this.#acknowledged += 1;
    this.#options.onAcknowledged(held.sample, performance.now() - held.dueMs);
    if (this.#options.ratePerS === undefined || wasFull) this.#pump();
  }
}
