import type { Sample } from "../sample/sample.ts";

/** Devices whose newest sample is remembered; those heard of longest ago are forgotten first. */
const MOST_DEVICES = 4096;
/** Stamps of arrival that go back by more than this show that the server's clock was set back, ms. */
const SET_BACK_MS = 2000;

/** What a sample's own stamps do not tell of its coming late. */
export interface Circumstances {
  /** How often it was given to the flow before: after a crash or a deploy it is history. */
  attempts: number;
  /** The clock now, ms since the epoch: it may have waited in the inbox or in quarantine. */
  nowMs: number;
}

/** The newest sample of a device: by its number where it counts, else by its time. */
interface Newest {
  measuredMs: number;
  receivedMs: number;
  bootId: string | undefined;
  seq: number | undefined;
}

/**
 * Tells which samples come too late to describe the present: those given to the flow before, those that waited, and
 * those measured well before a newer one of their device. (What was measured long before it arrived is known from its
 * stamps already.) Clocks may be set, on the device and here: the next number of a device is never behind, whatever its
 * time. Bounded.
 */
export class Lateness {
  readonly #most: number;
  readonly #newest = new Map<string, Newest>();

  constructor(most = MOST_DEVICES) {
    this.#most = most;
  }

  /**
   * Notes a sample and says whether it is historical.
   * @param afterS how much later than the present or the newest counts as late, s
   */
  isLate(sample: Sample, { attempts, nowMs }: Circumstances, afterS: number): boolean {
    const { deviceId, bootId, seq } = sample;
    const measuredMs = Date.parse(sample.measuredAt);
    const receivedMs = Date.parse(sample.receivedAt);
    const newest = this.#newest.get(deviceId);
    const waitedS = (nowMs - receivedMs) / 1000;
    const waited = sample.isHistorical || attempts > 0 || waitedS > afterS;
    const isNext = newest === undefined || follows(sample, newest);
    // It did not wait, and yet it came before the last one: the clock was set back, and the newest's time means nothing.
    const wasSet = newest !== undefined && !waited && newest.receivedMs - receivedMs > SET_BACK_MS;
    const behindS = newest === undefined || isNext || wasSet ? 0 : (newest.measuredMs - measuredMs) / 1000;
    this.#newest.delete(deviceId);
    this.#newest.set(
      deviceId,
      newest === undefined || isNext || wasSet || measuredMs > newest.measuredMs
        ? { measuredMs, receivedMs, bootId, seq }
        : { ...newest, receivedMs: Math.max(newest.receivedMs, receivedMs) },
    );
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > this.#most && oldest !== undefined) this.#newest.delete(oldest);
    return waited || behindS > afterS;
  }
}

/** Whether a sample has a later number of the same start of its device. */
function follows({ bootId, seq }: Sample, newest: Newest): boolean {
  return bootId !== undefined && bootId === newest.bootId && seq !== undefined && seq > (newest.seq ?? seq);
}
