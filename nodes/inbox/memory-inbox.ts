import { CodedError } from "../host/errors.ts";
import type { Envelope, Inbox, InboxEntry, InboxReport, Outcome } from "../sample/inbox.ts";
import type { Transport } from "../sample/units.ts";
import { Ledger } from "./ledger.ts";

export interface InboxLimits {
  /** Most bytes not settled. */
  maxBytes: number;
  /** Most entries not settled. */
  maxEntries: number;
  /** Largest single entry, bytes. */
  maxEntryBytes: number;
  /** Most entries emitted and not settled: the flows' back-pressure. */
  maxInFlight: number;
}

export const DEFAULT_LIMITS: InboxLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxEntries: 20_000,
  maxEntryBytes: 2 * 1024 * 1024,
  maxInFlight: 512,
};

/** Emissions per turn of the event loop; sockets and timers get their turn between. */
const PER_TICK = 100;

interface Held {
  envelope: Envelope;
  receivedMs: number;
  /** Whose account it is in. */
  device: string;
  /** Who holds it. */
  owners: Set<string>;
  /** Emissions so far. */
  emitted: number;
}

/**
 * An inbox in memory: bounded, ordered, one consumer. It outlives a deploy, not the process.
 * Ids are contiguous and ascending; they start from the clock so that a restarted process does not use an id again.
 */
export class MemoryInbox implements Inbox {
  readonly #limits: InboxLimits;
  readonly #ledger = new Ledger();
  readonly #held = new Map<number, Held>();
  readonly #drainers = new Set<() => void>();
  #heldBytes = 0;
  #nextId: number;
  #nextToEmit: number;
  /** Emitted to the present consumer and not settled. */
  readonly #inFlight = new Set<number>();
  #consumer: ((entry: InboxEntry) => void) | undefined;
  #pumping = false;
  #closed = false;

  constructor(limits: Partial<InboxLimits> = {}, firstId = Date.now() * 1000) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#nextId = firstId;
    this.#nextToEmit = firstId;
  }

  /** Changes the bounds; what is already held stays. */
  configure(limits: Partial<InboxLimits>): void {
    Object.assign(this.#limits, limits);
    this.#pump();
  }

  /**
   * Takes an entry (the bytes are copied) and resolves with its id.
   * @throws CodedError `oversize` (never fits), `inbox-full` (fits later) or `inbox-closed`
   */
  async append(envelope: Envelope): Promise<string> {
    const size = envelope.bytes.length;
    const { maxEntries, maxBytes, maxEntryBytes } = this.#limits;
    if (this.#closed) throw new CodedError("inbox-closed", "the inbox is closed");
    if (size > Math.min(maxEntryBytes, maxBytes)) {
      throw new CodedError("oversize", `an entry of ${size} bytes is larger than ${Math.min(maxEntryBytes, maxBytes)}`);
    }
    if (this.#held.size >= maxEntries || this.#heldBytes + size > maxBytes) {
      throw new CodedError("inbox-full", `${this.#held.size} entries (${this.#heldBytes} bytes) are waiting`);
    }
    const id = this.#nextId++;
    // A copy, because a transport's buffer is often a slice of a larger chunk or will be used again.
    const kept = { ...envelope, bytes: Buffer.from(envelope.bytes) };
    const device = this.#ledger.deviceKey(envelope.provenDeviceId ?? "");
    this.#held.set(id, { envelope: kept, receivedMs: performance.now(), device, owners: new Set(), emitted: 0 });
    this.#heldBytes += size;
    this.#ledger.received(envelope.transport, device, size);
    this.#pump();
    return String(id);
  }

  /** @throws CodedError `inbox-busy` while another consumer is attached */
  attach(consumer: (entry: InboxEntry) => void): { detach(): void } {
    if (this.#consumer) throw new CodedError("inbox-busy", "the inbox already has a consumer");
    this.#consumer = consumer;
    for (const id of this.#inFlight) if (!this.#held.get(id)?.owners.size) this.#inFlight.delete(id);
    this.#nextToEmit = this.#held.keys().next().value ?? this.#nextId;
    this.#pump();
    return {
      detach: () => {
        if (this.#consumer === consumer) this.#consumer = undefined;
      },
    };
  }

  claim(entryId: string, owner: string): boolean {
    const held = this.#held.get(Number(entryId));
    if (!held || held.emitted === 0 || held.owners.has(owner)) return false;
    held.owners.add(owner);
    this.#inFlight.add(Number(entryId));
    return true;
  }

  handOn(entryId: string, owner: string): void {
    this.#held.get(Number(entryId))?.owners.delete(owner);
  }

  release(entryId: string, owner: string): void {
    const id = Number(entryId);
    const held = this.#held.get(id);
    if (!held?.owners.delete(owner) || held.owners.size > 0) return;
    this.#inFlight.delete(id);
    this.#nextToEmit = Math.min(this.#nextToEmit, id);
    this.#pump();
  }

  identify(entryId: string, deviceId: string): void {
    const held = this.#held.get(Number(entryId));
    const device = this.#ledger.deviceKey(deviceId);
    if (!held || held.device === device) return;
    this.#ledger.moved(held.device, device, held.envelope.bytes.length);
    held.device = device;
  }

  settle = (entryId: string, outcome: Outcome): void => {
    const id = Number(entryId);
    const held = this.#held.get(id);
    // Nobody can know of an entry that was never emitted, so such a call is a mistake and must lose nothing.
    if (!held || held.emitted === 0 || String(id) !== entryId) return;
    this.#held.delete(id);
    this.#inFlight.delete(id);
    this.#heldBytes -= held.envelope.bytes.length;
    this.#ledger.settled(held.envelope.transport, held.device, held.envelope.bytes.length, outcome);
    if (this.#held.size === 0) for (const wake of this.#drainers) wake();
    this.#pump();
  };

  refuse(transport: Transport, reason: string, deviceId = ""): void {
    this.#ledger.refused(transport, reason, deviceId);
  }

  stats(): InboxReport {
    let claimed = 0;
    for (const id of this.#inFlight) if (this.#held.get(id)?.owners.size) claimed += 1;
    const oldest = this.#held.values().next().value;
    return {
      ...this.#ledger.stats(),
      emitted: this.#inFlight.size - claimed,
      claimed,
      held: this.#held.size,
      backlogAgeS: oldest ? (performance.now() - oldest.receivedMs) / 1000 : 0,
      health: { state: this.#closed ? "closed" : "open", damagedEntries: 0, repairs: [] },
    };
  }

  drain(timeoutMs: number): Promise<number> {
    if (this.#held.size === 0) return Promise.resolve(0);
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#drainers.delete(finish);
        resolve(this.#held.size);
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#drainers.add(finish);
    });
  }

  /** Takes nothing more and emits nothing more. */
  close(): void {
    this.#closed = true;
    this.#consumer = undefined;
    for (const wake of this.#drainers) wake();
  }

  #pump(): void {
    if (this.#pumping || !this.#canEmit()) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      for (let emitted = 0; emitted < PER_TICK && this.#canEmit(); ) {
        if (this.#emitNext()) emitted += 1;
      }
      this.#pump();
    });
  }

  #canEmit(): boolean {
    return (
      this.#consumer !== undefined && this.#nextToEmit < this.#nextId && this.#inFlight.size < this.#limits.maxInFlight
    );
  }

  #emitNext(): boolean {
    const id = this.#nextToEmit++;
    const held = this.#held.get(id);
    // Settled late, by the consumer before this one, or claimed or emitted already.
    if (!held || this.#inFlight.has(id)) return false;
    const attempts = held.emitted;
    held.emitted += 1;
    this.#inFlight.add(id);
    try {
      this.#consumer?.({ ...held.envelope, entryId: String(id), attempts });
    } catch {
      // The consumer's failure is its own to report; the entry stays held and goes to the next consumer.
    }
    return true;
  }
}
