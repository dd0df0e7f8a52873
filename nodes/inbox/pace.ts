/** Most emissions in a turn of the event loop. */
const MOST_PER_TURN = 16;
const LEAST_PER_TURN = 1 / 8;
/** A turn with all that the flows do in it should take no longer: sockets and timers, and so the acknowledgements, wait for its end. */
const TURN_MS = 2;
const SLOWER = 0.5;
const FASTER = 1.1;

/** How fast the inbox emits: half as fast after each turn of the event loop that was too long, a little faster after others. */
export class Pace {
  #perTurn = MOST_PER_TURN;
  #due = 0;
  #wishedMs = 0;
  /** While a turn emits: when it began. */
  #begunMs: number | undefined;

  /** A turn is asked for; out of the one before, that one's work counts as well. */
  wish(): void {
    this.#wishedMs = this.#begunMs ?? performance.now();
  }

  begin(): void {
    const nowMs = performance.now();
    const perTurn = this.#perTurn * (nowMs - this.#wishedMs > TURN_MS ? SLOWER : FASTER);
    this.#perTurn = Math.min(MOST_PER_TURN, Math.max(LEAST_PER_TURN, perTurn));
    this.#due = Math.min(MOST_PER_TURN, this.#due + this.#perTurn);
    this.#begunMs = nowMs;
  }

  /** Whether one more may be emitted in this turn. */
  get mayEmit(): boolean {
    return this.#due >= 1;
  }

  emitted(): void {
    this.#due -= 1;
  }

  end(): void {
    this.#begunMs = undefined;
  }
}
