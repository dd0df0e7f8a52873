import { codeOf, messageOf } from "../host/errors.ts";

export interface OutboxOptions<T> {
  /** Sends one thing; the signal is aborted when it takes too long or the outbox closes. */
  send(value: T, signal: AbortSignal): Promise<void>;
  /** Most that wait; beyond that the oldest makes room and is counted as given up. */
  most: number;
  /** How often one thing is tried; without end where left out. */
  tries?: number;
  /** Whether trying the same thing again is of no use. */
  isHopeless?(error: unknown): boolean;
  /** The wait after a failure; it doubles up to `maxWaitMs` while failures go on. */
  minWaitMs: number;
  maxWaitMs: number;
  timeoutMs: number;
  onChange(): void;
  onGivenUp?(value: T, why: string): void;
}

export interface OutboxFigures {
  waiting: number;
  sent: number;
  /** Attempts that failed, and things given up, since the start. */
  failed: number;
  givenUp: number;
  /** Why the last attempt failed; undefined once one succeeds. */
  problem?: string;
}

interface Waiting<T> {
  value: T;
  tries: number;
}

/**
 * What waits to be sent elsewhere, by key: a newer value takes the place of the one that waits. One thing goes at a time;
 * whoever puts something in never waits for it.
 */
export class Outbox<T> {
  readonly #options: OutboxOptions<T>;
  readonly #waiting = new Map<string, Waiting<T>>();
  readonly #closing = new AbortController();
  #figures = { sent: 0, failed: 0, givenUp: 0 };
  #problem: string | undefined;
  #waitMs = 0;
  #running = false;
  #wake: (() => void) | undefined;

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  get figures(): OutboxFigures {
    const problem = this.#problem;
    return { waiting: this.#waiting.size, ...this.#figures, ...(problem !== undefined && { problem }) };
  }

  /** Whether something waits under this key, or is under way. */
  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  put(key: string, value: T): void {
    if (this.#closing.signal.aborted) return;
    const known = this.#waiting.get(key);
    if (known) this.#waiting.set(key, { value, tries: known.tries });
    else this.#waiting.set(key, { value, tries: 0 });
    const [oldest] = this.#waiting;
    if (this.#waiting.size > this.#options.most && oldest) this.#giveUp(oldest[0], oldest[1].value, "outbox-full");
    this.#options.onChange();
    if (!this.#running) void this.#run();
  }

  /** Tries at once what waits for its next attempt: the way is open again. */
  hurry(): void {
    this.#waitMs = 0;
    this.#wake?.();
  }

  /** Stops; what waits is let go. */
  close(): void {
    this.#closing.abort();
    this.#wake?.();
    this.#waiting.clear();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#next(); next; next = this.#next()) {
      const [key, waiting] = next;
      await this.#attempt(key, waiting);
      if (this.#closing.signal.aborted) break;
      this.#options.onChange();
      if (this.#problem !== undefined && this.#waiting.size > 0) await this.#pause();
    }
    this.#running = false;
  }

  #next(): [string, Waiting<T>] | undefined {
    const [next] = this.#waiting;
    return this.#closing.signal.aborted ? undefined : next;
  }

  async #attempt(key: string, waiting: Waiting<T>): Promise<void> {
    const { send, tries, timeoutMs, isHopeless } = this.#options;
    waiting.tries += 1;
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]);
      await Promise.race([send(waiting.value, signal), aborted(signal)]);
      this.#figures.sent += 1;
      this.#problem = undefined;
      this.#waitMs = 0;
      // What came meanwhile under the same key still has to go.
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#figures.failed += 1;
      this.#problem = describe(error);
      const held = this.#waiting.get(key);
      if (held !== waiting) return;
      if (isHopeless?.(error) || (tries !== undefined && waiting.tries >= tries))
        this.#giveUp(key, waiting.value, this.#problem);
    }
  }

  #giveUp(key: string, value: T, why: string): void {
    this.#waiting.delete(key);
    this.#figures.givenUp += 1;
    this.#options.onGivenUp?.(value, why);
  }

  #pause(): Promise<void> {
    const { minWaitMs, maxWaitMs } = this.#options;
    this.#waitMs = Math.min(maxWaitMs, Math.max(minWaitMs, 2 * this.#waitMs));
    return new Promise((resolve) => {
      // Spread out, so that several do not all come back at the same instant.
      const timer = setTimeout(resolve, this.#waitMs * (0.8 + 0.4 * Math.random()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Rejects when the signal is aborted: what is sent may not heed it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer in time")), { once: true });
  });
}

function describe(error: unknown): string {
  const code = codeOf(error, "");
  const message = messageOf(error).split("\n", 1)[0]?.slice(0, 160) ?? "";
  return code === "" || message.includes(code) ? message : `${code}: ${message}`;
}
