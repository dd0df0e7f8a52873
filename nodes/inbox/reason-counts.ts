const CODE = /^[a-z0-9-]{1,40}$/;
const MOST_REASONS = 64;

/** Counts by reason code. Bounded: what is not a code, or one too many, counts as `other`. */
export class ReasonCounts {
  readonly #counts = new Map<string, number>();

  /** @returns the reason it was counted under */
  add(reason: string, count = 1): string {
    const known = this.#counts.has(reason) || (CODE.test(reason) && this.#counts.size < MOST_REASONS);
    const key = known ? reason : "other";
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
    return key;
  }

  toObject(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}
