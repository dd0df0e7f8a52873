import type { Sample } from "../sample/sample.ts";

/** Devices whose newest sample is remembered; those heard of longest ago are forgotten first. */
const MOST_DEVICES = 4096;

/** What a sample's own stamps do not tell of its coming late. */
export interface Circumstances {
  /** How often it was given to the flow before: after a crash or a deploy it is history. */
  attempts: number;
  /** The clock now, ms since the epoch: it may have waited in the inbox or in quarantine. */
  nowMs: number;
}

/**
 * Tells which samples come too late to describe the present: those given to the flow before, those that waited, and
 * those measured well before a newer one of their device. (What was measured long before it arrived is known from its
 * stamps already.) Bounded.
 */
export class Lateness {
  readonly #most: number;
  readonly #newestMs = new Map<string, number>();

  constructor(most = MOST_DEVICES) {
    this.#most = most;
  }

  /**
   * Notes a sample and says whether it is historical.
   * @param afterS how much later than the present or the newest counts as late, s
   */
  isLate(sample: Sample, { attempts, nowMs }: Circumstances, afterS: number): boolean {
    const { deviceId } = sample;
    const measuredMs = Date.parse(sample.measuredAt);
    const newestMs = this.#newestMs.get(deviceId) ?? measuredMs;
    this.#newestMs.delete(deviceId);
    this.#newestMs.set(deviceId, Math.max(newestMs, measuredMs));
    const [oldest] = this.#newestMs.keys();
    if (this.#newestMs.size > this.#most && oldest !== undefined) this.#newestMs.delete(oldest);
    const waitedS = (nowMs - Date.parse(sample.receivedAt)) / 1000;
    const behindS = (newestMs - measuredMs) / 1000;
    return sample.isHistorical || attempts > 0 || waitedS > afterS || behindS > afterS;
  }
}
