import { CodedError } from "../host/errors.ts";
import type { InboxLimits } from "./limits.ts";

/** The bounds an entry is measured against. */
export type Bounds = Pick<InboxLimits, "maxEntries" | "maxBytes" | "maxEntryBytes">;

/** What keeps an inbox from taking anything at all. */
export interface Obstacle {
  code: "inbox-closed" | "inbox-failed" | "disk-full";
  text: string;
}

/** What waits to be settled. */
export interface Waiting {
  entries: number;
  bytes: number;
}

/** Whether an entry is taken. Once one is refused that may fit later, so are all behind it: they keep their order. */
export class Admission {
  readonly #onFull: (problem: string) => void;
  #refusal: CodedError | undefined;

  /** @param onFull told in words when an entry finds no room */
  constructor(onFull: (problem: string) => void) {
    this.#onFull = onFull;
  }

  /**
   * @param size of the entry, bytes
   * @throws CodedError see `Inbox.append`
   */
  admit(size: number, bounds: Bounds, waiting: Waiting, obstacle: Obstacle | undefined): void {
    if (obstacle?.code === "inbox-closed") throw new CodedError(obstacle.code, obstacle.text);
    const most = Math.min(bounds.maxEntryBytes, bounds.maxBytes);
    if (size > most) throw new CodedError("oversize", `an entry of ${size} bytes is larger than ${most}`);
    if (this.#refusal) throw this.#refusal;
    if (obstacle) throw this.#refuseForNow(obstacle.code, obstacle.text);
    const { entries, bytes } = waiting;
    if (entries < bounds.maxEntries && bytes + size <= bounds.maxBytes) return;
    const problem = `${entries} entries (${bytes} bytes) are waiting`;
    this.#onFull(problem);
    throw this.#refuseForNow("inbox-full", problem);
  }

  /** A smaller one, or one for which there is room by then, must not overtake those refused in this turn of the event loop. */
  #refuseForNow(code: string, problem: string): CodedError {
    const refusal = new CodedError(code, problem);
    this.#refusal = refusal;
    setImmediate(() => {
      this.#refusal = undefined;
    });
    return refusal;
  }
}
