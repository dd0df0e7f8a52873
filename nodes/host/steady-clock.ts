/** Corrections below this are none, ms: clocks are trimmed all the time. */
const TRIM_MS = 2000;
/** A clock that was set and stays so for this long is the right one. */
const ADOPT_MS = 3_600_000;

/**
 * What the wall clock would say had nobody set it while this process runs: it goes on with the monotonic clock, follows
 * small corrections, and takes over a new setting that has lasted an hour.
 */
export class SteadyClock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  /** Wall clock less monotonic clock, as held to be right. */
  #offsetMs: number;
  #setSinceMs: number | undefined;

  /** @param wall ms since 1970, and `monotonic`, ms: the process's clocks unless said otherwise */
  constructor(wall: () => number = Date.now, monotonic: () => number = () => performance.now()) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#offsetMs = wall() - monotonic();
  }

  /** Both clocks now, ms since 1970; they are the same unless the wall clock was set. */
  read(): { wallMs: number; steadyMs: number } {
    const wallMs = this.#wall();
    const monotonicMs = this.#monotonic();
    const offsetMs = wallMs - monotonicMs;
    const isSet = Math.abs(offsetMs - this.#offsetMs) > TRIM_MS;
    if (isSet) this.#setSinceMs ??= monotonicMs;
    else this.#setSinceMs = undefined;
    if (this.#setSinceMs === undefined || monotonicMs - this.#setSinceMs >= ADOPT_MS) {
      this.#offsetMs = offsetMs;
      this.#setSinceMs = undefined;
    }
    return { wallMs, steadyMs: Math.round(monotonicMs + this.#offsetMs) };
  }
}
