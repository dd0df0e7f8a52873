/** Conditions of a query with their parameters: text from outside only ever becomes a parameter. */
export class Conditions {
  readonly values: unknown[];
  readonly #parts: string[] = [];

  constructor(values: readonly unknown[] = []) {
    this.values = [...values];
  }

  /** Adds a condition; each `?` in it stands for the next of `values`. */
  add(condition: string, ...values: unknown[]): this {
    let next = 0;
    this.#parts.push(
      condition.replace(/\?/g, () => {
        this.values.push(values[next++]);
        return `$${this.values.length}`;
      }),
    );
    return this;
  }

  /** Adds a condition where there is something to hold against. */
  addIf(value: unknown, condition: string): this {
    return value === undefined ? this : this.add(condition, value);
  }

  get where(): string {
    return this.#parts.length === 0 ? "" : `WHERE ${this.#parts.join(" AND ")}`;
  }

  get having(): string {
    return this.#parts.length === 0 ? "" : `HAVING ${this.#parts.join(" AND ")}`;
  }
}

/** Text to be found anywhere, as a pattern of LIKE. */
export const likePattern = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;
