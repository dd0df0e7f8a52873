/** When a value counts as an alarm. */
export interface GateSpec {
  limit: number;
  /** `above`: an alarm over the limit; `below`: an alarm under it. */
  side: "above" | "below";
  /** How far back over the limit the value must come before the alarm is over, in the value's unit. */
  deadband: number;
  /** How long the condition must hold before it is raised, and be over before it is cleared, ms. */
  onDelayMs: number;
  offDelayMs: number;
}

/** Keeps a value that hovers around its limit from chattering. Time is monotonic, ms. */
export class Gate {
  active = false;
  #pendingSinceMs: number | undefined;

  /** The value says otherwise, and a delay runs. */
  get pending(): boolean {
    return this.#pendingSinceMs !== undefined;
  }

  /** @returns whether the alarm changed between raised and cleared */
  update(value: number, { limit, side, deadband, onDelayMs, offDelayMs }: GateSpec, monoMs: number): boolean {
    const beyond = side === "above" ? value - limit : limit - value;
    // Between the limit and the end of the deadband it stays as it is.
    const wanted = this.active ? beyond > -deadband : beyond > 0;
    if (wanted === this.active) {
      this.#pendingSinceMs = undefined;
      return false;
    }
    this.#pendingSinceMs ??= monoMs;
    if (monoMs - this.#pendingSinceMs < (wanted ? onDelayMs : offDelayMs)) return false;
    this.#pendingSinceMs = undefined;
    this.active = wanted;
    return true;
  }
}
