import type { Wire } from "./source.ts";

/** A way to the line, as a device sees it. Implementations reconnect by themselves, with back-off, until closed. */
export interface Link {
  /** Connected (and greeted, where the protocol greets) and willing to take a message now. */
  readonly ready: boolean;
  /** Starts connecting; `onReady` is called after every (re)connection. */
  open(onReady: () => void): void;
  /**
   * Hands over one message; resolves false when it was not taken (the device then buffers it). Where the link waits for
   * acknowledgements, a sample is taken when it is acknowledged. Never rejects.
   */
  send(message: Wire, kind: MessageKind): Promise<boolean>;
  /** Leaves cleanly. */
  close(): Promise<void>;
}

export type MessageKind = "hello" | "heartbeat" | "sample";

/** Delays between attempts: doubling from `firstMs` to `lastMs`, reset by a success. */
export class Backoff {
  #next: number;
  readonly #firstMs: number;
  readonly #lastMs: number;

  constructor(firstMs = 1000, lastMs = 15_000) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
    this.#next = firstMs;
  }

  /** The delay before the next attempt, ms. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(this.#lastMs, 2 * this.#next);
    return delay;
  }

  reset(): void {
    this.#next = this.#firstMs;
  }
}
