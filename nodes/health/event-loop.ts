import { type IntervalHistogram, monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { EventLoopHealth } from "./snapshot.ts";

const RESOLUTION_MS = 10;
/** Each of two histograms lives this long; the older one is read, so the window is between half of it and all. */
const LIFE_MS = 60_000;
const NS_PER_MS = 1e6;

/** Delays of the event loop over about the last minute. `close` ends the sampling. */
export class EventLoopMonitor {
  readonly #histograms: { histogram: IntervalHistogram; sinceMs: number }[];
  readonly #rotating: NodeJS.Timeout;
  #older = 0;
  #utilization = performance.eventLoopUtilization();

  constructor(lifeMs = LIFE_MS) {
    this.#histograms = [0, 1].map(() => {
      const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      histogram.enable();
      return { histogram, sinceMs: performance.now() };
    });
    this.#rotating = setInterval(() => this.#rotate(), lifeMs / 2);
    this.#rotating.unref();
  }

  read(): EventLoopHealth {
    const { histogram, sinceMs } = this.#at(this.#older);
    // What is sampled is the time between two turns of a timer of the resolution; the delay is what is beyond it.
    const beyond = (ns: number) => (histogram.count === 0 ? 0 : Math.max(0, ns / NS_PER_MS - RESOLUTION_MS));
    return {
      p50Ms: beyond(histogram.percentile(50)),
      p99Ms: beyond(histogram.percentile(99)),
      maxMs: beyond(histogram.max),
      windowS: (performance.now() - sinceMs) / 1000,
      utilization: performance.eventLoopUtilization(this.#utilization).utilization,
    };
  }

  close(): void {
    clearInterval(this.#rotating);
    for (const { histogram } of this.#histograms) histogram.disable();
  }

  #rotate(): void {
    const oldest = this.#at(this.#older);
    oldest.histogram.reset();
    oldest.sinceMs = performance.now();
    this.#older = 1 - this.#older;
    this.#utilization = performance.eventLoopUtilization();
  }

  #at(index: number) {
    const found = this.#histograms[index];
    if (!found) throw new RangeError("there are two histograms");
    return found;
  }
}
