import type { Waiting } from "./admission.ts";

/** An entry on its way to the disk. */
interface Queued {
  bytes: Uint8Array;
  reject(error: Error): void;
}

/** Most entries and bytes in one transaction. */
const MOST_APPENDS = 512;
const MOST_BYTES = 4 * 1024 * 1024;

/** What waits for a transaction, in order; and what is in the one under way, until it is done. */
export class AppendQueue<T extends Queued> {
  #queued: T[] = [];
  #bytes = 0;
  #taken: Waiting = { entries: 0, bytes: 0 };

  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  /** All that is not on the disk yet. */
  get waiting(): Waiting {
    return { entries: this.#taken.entries + this.#queued.length, bytes: this.#taken.bytes + this.#bytes };
  }

  push(append: T): void {
    this.#queued.push(append);
    this.#bytes += append.bytes.length;
  }

  /** The appends of the next transaction. */
  take(): T[] {
    let bytes = 0;
    let entries = 0;
    for (const append of this.#queued) {
      if (entries >= MOST_APPENDS || (entries > 0 && bytes + append.bytes.length > MOST_BYTES)) break;
      bytes += append.bytes.length;
      entries += 1;
    }
    this.#bytes -= bytes;
    this.#taken = { entries, bytes };
    return this.#queued.splice(0, entries);
  }

  /** The transaction is over: whoever counts what is on the disk counts its appends now. */
  done(): void {
    this.#taken = { entries: 0, bytes: 0 };
  }

  rejectAll(reason: Error): void {
    const queued = this.#queued;
    this.#queued = [];
    this.#bytes = 0;
    for (const { reject } of queued) reject(reason);
  }
}
