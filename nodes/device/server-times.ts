import { parseTimestamp, type Timestamp } from "./timestamp.ts";

/**
 * The time of arrival given to samples of devices without a clock, by what identifies them, so that a sample sent again
 * is the same row. Bounded: the ones given longest ago are forgotten first.
 */
export class ServerTimes {
  readonly #most: number;
  readonly #times = new Map<string, string>();

  constructor(most = 65_536) {
    this.#most = most;
  }

  /** The time of the sample `key`: what it got before, else `receivedAt`. */
  of(key: string, receivedAt: string): Timestamp | undefined {
    const known = this.#times.get(key);
    if (known !== undefined) return parseTimestamp(known);
    this.#times.set(key, receivedAt);
    const [oldest] = this.#times.keys();
    if (this.#times.size > this.#most && oldest !== undefined) this.#times.delete(oldest);
    return parseTimestamp(receivedAt);
  }
}
