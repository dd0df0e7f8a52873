import type { AlarmRecord } from "./page.ts";

export interface DigestOptions {
  /** What comes within this time after the first goes together, ms. */
  gatherMs: number;
  /** The least time between two, ms. */
  everyMs: number;
  /** Most changes in one; older ones are counted. */
  most: number;
  /** Whether the one before has gone: a way that is closed gets one more, not many. */
  isFree(): boolean;
  send(records: AlarmRecord[], left: number): void;
}

/** Gathers changes so that a flood of alarms is a few mails and not a flood of them. */
export class MailDigest {
  readonly #options: DigestOptions;
  #records: AlarmRecord[] = [];
  #left = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: DigestOptions) {
    this.#options = options;
  }

  /** Changes that wait for the next mail. */
  get waiting(): number {
    return this.#records.length + this.#left;
  }

  add(record: AlarmRecord): void {
    this.#records.push(record);
    if (this.#records.length > this.#options.most) {
      this.#records.shift();
      this.#left += 1;
    }
    const { gatherMs, everyMs } = this.#options;
    this.#arm(Math.max(gatherMs, this.#lastMs + everyMs - performance.now()));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(inMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const { isFree, gatherMs, send } = this.#options;
      if (!isFree()) {
        this.#arm(Math.max(1000, gatherMs));
        return;
      }
      const [records, left] = [this.#records, this.#left];
      [this.#records, this.#left] = [[], 0];
      this.#lastMs = performance.now();
      send(records, left);
    }, inMs);
  }
}
