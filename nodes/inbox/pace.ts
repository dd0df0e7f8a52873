/** Most emissions in a turn of the event loop. */
const MOST_PER_TURN = 16;
/** However long its turns are, the line goes on: with less, a busy one would fall behind what it has processors for. */
const LEAST_PER_TURN = 1 / 2;
/**
 * A turn with all that the flows do in it should take no longer: sockets and timers, and so the acknowledgements, wait for
 * its end. In time of the processor: what others take of it meanwhile would not become less if the flows did less.
 */
const TURN_MS = 3;
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
    this.#wishedMs = this.#begunMs ?? workedMs();
  }

  begin(): void {
    const nowMs = workedMs();
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

/** How long this thread has worked since it began. */
function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
