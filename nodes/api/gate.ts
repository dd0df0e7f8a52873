import { Problem } from "./problem.ts";

/**
 * Lets a bounded number of pieces of work run at once and a bounded number wait for a bounded time; the writer of samples
 * shares the database's few connections and goes first.
 */
export class Gate {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #patienceMs: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ most = 2, mostWaiting = 32, patienceMs = 10_000 } = {}) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#patienceMs = patienceMs;
  }

  /** @throws Problem 503 `busy` when there is no room, or none in time */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await this.#wait();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The place passes on: it is not given back between.
      if (next) next();
      else this.#running -= 1;
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(busy());
      }, this.#patienceMs);
      this.#waiting.push(enter);
    });
  }
}

const busy = () => new Problem(503, "busy", "too many requests are under way; try again", { retryAfterS: 1 });
