interface Place<T, R> {
  items: readonly T[];
  results: readonly R[] | undefined;
}

/**
 * Lets groups leave in the order they came, each as soon as its results and all before it are there. Every item leaves
 * exactly once: with its result, or given up.
 */
export class InOrder<T, R> {
  readonly #leave: (item: T, result: R | undefined) => void;
  readonly #line: Place<T, R>[] = [];
  readonly #idle: (() => void)[] = [];
  #size = 0;
  #isDraining = false;

  /** @param leave must not throw; the result is undefined where `add` was given too few */
  constructor(leave: (item: T, result: R | undefined) => void) {
    this.#leave = leave;
  }

  /** Items that have not left. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes the next group. A group whose results are there leaves at once if nothing is before it.
   * @param results one per item; a promise must not reject
   */
  add(items: readonly T[], results: readonly R[] | Promise<readonly R[]>): void {
    const place: Place<T, R> = { items, results: undefined };
    this.#line.push(place);
    this.#size += items.length;
    const settle = (known: readonly R[]) => {
      place.results = known;
      this.#drain();
    };
    if (results instanceof Promise) void results.then(settle);
    else settle(results);
  }

  /** Resolves once nothing is left. */
  async empty(): Promise<void> {
    if (this.#size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Takes out everything that has not left; its results no longer count. */
  giveUp(): T[] {
    const items = this.#line.splice(0).flatMap((place) => place.items);
    this.#size -= items.length;
    this.#tellIdle();
    return items;
  }

  #drain(): void {
    // What leaves may bring the next group in before this one is through.
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let place = this.#line[0]; place?.results; place = this.#line[0]) {
        this.#line.shift();
        this.#size -= place.items.length;
        const { results } = place;
        place.items.forEach((item, index) => {
          this.#leave(item, results[index]);
        });
      }
    } finally {
      this.#isDraining = false;
    }
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
