import type { EntryMeta } from "./entry-record.ts";

/** An entry that is not settled. */
export interface Held {
  readonly id: number;
  readonly meta: EntryMeta;
  readonly size: number;
  /** When it was received, on the monotonic clock. */
  readonly receivedMs: number;
  /** The account that received it, and the one it is in now. */
  readonly receivedBy: string;
  device: string;
  /** Emissions so far, those of earlier runs included. */
  emissions: number;
  /** Whether this run emitted it. */
  isKnown: boolean;
  /** Emissions that nobody claimed in time. */
  timeouts: number;
  emittedMs: number;
  /** Nodes that hold it. */
  owners: string[];
  /** Why it goes to quarantine instead of into the flow. */
  reason?: string;
  /** Kept for its emission, where there is room. */
  bytes?: Buffer;
}

export function newHeld(
  about: Pick<Held, "id" | "meta" | "size" | "receivedMs" | "receivedBy"> & { emissions?: number; bytes?: Buffer },
): Held {
  return {
    emissions: 0,
    ...about,
    device: about.receivedBy,
    isKnown: false,
    timeouts: 0,
    emittedMs: 0,
    owners: [],
  };
}

/**
 * The entries that are not settled and their states: waiting → emitted → claimed. Entries leave in the order of their
 * ids; those to be emitted again come before those never emitted.
 */
export class EntryTable {
  /** Ascending by id. */
  readonly #held = new Map<number, Held>();
  /** Waiting, never emitted in this run, ascending; from `#first` on. */
  #fresh: number[] = [];
  #first = 0;
  /** Waiting to be emitted again, ascending. */
  #again: number[] = [];
  /** Emitted or claimed. */
  readonly #inFlight = new Set<number>();
  #bytes = 0;
  #cachedBytes = 0;

  get size(): number {
    return this.#held.size;
  }
  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Bytes kept in memory. */
  get cachedBytes(): number {
    return this.#cachedBytes;
  }
  get inFlight(): number {
    return this.#inFlight.size;
  }
  /** Entries waiting that this run never emitted (some may be gone). */
  get fresh(): number {
    return this.#fresh.length - this.#first;
  }
  get oldest(): Held | undefined {
    return this.#held.values().next().value;
  }
  get claimed(): number {
    let count = 0;
    for (const held of this.flying()) if (held.owners.length > 0) count += 1;
    return count;
  }

  get(entryId: string): Held | undefined {
    const held = this.#held.get(Number(entryId));
    return held && String(held.id) === entryId ? held : undefined;
  }

  all(): IterableIterator<Held> {
    return this.#held.values();
  }

  *flying(): Generator<Held> {
    for (const id of this.#inFlight) {
      const held = this.#held.get(id);
      if (held) yield held;
    }
  }

  /** Takes an entry; its id is above all others. */
  add(held: Held): void {
    this.#held.set(held.id, held);
    this.#fresh.push(held.id);
    this.#bytes += held.size;
    this.#cachedBytes += held.bytes ? held.size : 0;
  }

  remove(held: Held): void {
    if (!this.#held.delete(held.id)) return;
    this.forgetBytes(held);
    this.#inFlight.delete(held.id);
    this.#bytes -= held.size;
  }

  /** The next entries to be emitted, at most `count`. */
  upcoming(count: number): Held[] {
    const next: Held[] = [];
    for (const id of this.#again) {
      const held = next.length < count && this.#held.get(id);
      if (held) next.push(held);
    }
    for (let at = this.#first; at < this.#fresh.length && next.length < count; at += 1) {
      const held = this.#held.get(this.#fresh[at] ?? -1);
      if (held) next.push(held);
    }
    return next;
  }

  /** The id up to which entries may be emitted when `count` leave before the next commit; undefined: none is waiting. */
  horizon(count: number): number | undefined {
    const at = Math.min(this.#first + count, this.#fresh.length) - 1;
    return at >= this.#first ? this.#fresh[at] : undefined;
  }

  /** The next entry to be emitted, if any. */
  next(): Held | undefined {
    for (let id = this.#again[0]; id !== undefined; id = this.#again[0]) {
      const held = this.#held.get(id);
      if (held) return held;
      this.#again.shift();
    }
    for (; this.#first < this.#fresh.length; this.#first += 1) {
      const held = this.#held.get(this.#fresh[this.#first] ?? -1);
      if (held) return held;
    }
    return undefined;
  }

  /** The entry of `next` is emitted now. */
  emit(held: Held, nowMs: number): void {
    if (this.#again[0] === held.id) this.#again.shift();
    else this.#first += 1;
    if (this.#first > 1024 && this.#first * 2 > this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#first);
      this.#first = 0;
    }
    held.emittedMs = nowMs;
    held.emissions += 1;
    held.isKnown = true;
    this.#inFlight.add(held.id);
    this.forgetBytes(held);
  }

  claim(held: Held, owner: string): boolean {
    if (!held.isKnown || held.owners.includes(owner)) return false;
    held.owners.push(owner);
    if (!this.#inFlight.has(held.id)) {
      // It was to be emitted again, and an earlier emission has arrived after all.
      this.#again = this.#again.filter((id) => id !== held.id);
      this.#inFlight.add(held.id);
      this.forgetBytes(held);
    }
    return true;
  }

  /** @returns whether `owner` held it */
  handOn(held: Held, owner: string, nowMs: number): boolean {
    if (!held.owners.includes(owner)) return false;
    held.owners = held.owners.filter((one) => one !== owner);
    held.emittedMs = nowMs;
    return true;
  }

  /** Back to waiting, to be emitted again. */
  recall(held: Held): void {
    if (!this.#inFlight.delete(held.id)) return;
    const at = this.#again.findIndex((id) => id > held.id);
    if (at < 0) this.#again.push(held.id);
    else this.#again.splice(at, 0, held.id);
  }

  /** A new consumer: everything emitted and not claimed is to be emitted again. */
  recallAll(): void {
    const unclaimed = [...this.flying()].filter(({ owners }) => owners.length === 0).map(({ id }) => id);
    for (const id of unclaimed) this.#inFlight.delete(id);
    this.#again = [...this.#again, ...unclaimed].sort((a, b) => a - b);
  }

  /** Entries emitted before `beforeMs` that nobody claimed, in order. */
  overdue(beforeMs: number): Held[] {
    const late = [...this.flying()].filter((held) => held.owners.length === 0 && held.emittedMs <= beforeMs);
    return late.sort((a, b) => a.id - b.id);
  }

  keepBytes(held: Held, bytes: Buffer): void {
    if (!held.bytes) this.#cachedBytes += held.size;
    held.bytes = bytes;
  }

  forgetBytes(held: Held): void {
    if (!held.bytes) return;
    this.#cachedBytes -= held.size;
    delete held.bytes;
  }
}
