import type { InboxStats, Outcome } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";

const CODE = /^[a-z0-9-]{1,40}$/;
const MOST_REASONS = 64;

/** Counts by reason code. Bounded: what is not a code, or one too many, counts as `other`. */
export class ReasonCounts {
  readonly #counts = new Map<string, number>();

  add(reason: string): void {
    const known = this.#counts.has(reason) || (CODE.test(reason) && this.#counts.size < MOST_REASONS);
    const key = known ? reason : "other";
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  toObject(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

/**
 * The inbox's accounts for one transport. They balance at any moment:
 * received = stored + duplicate + quarantined + discarded + waiting.
 */
class Account {
  received = 0;
  stored = 0;
  duplicate = 0;
  quarantined = 0;
  discarded = 0;
  waitingBytes = 0;
  readonly refused = new ReasonCounts();
  readonly quarantinedBy = new ReasonCounts();

  stats(): InboxStats {
    const { received, stored, duplicate, quarantined, discarded, waitingBytes } = this;
    return {
      received,
      stored,
      duplicate,
      quarantined,
      discarded,
      waiting: received - stored - duplicate - quarantined - discarded,
      waitingBytes,
      refused: this.refused.toObject(),
      quarantinedBy: this.quarantinedBy.toObject(),
    };
  }
}

/** Accounts by transport, and their sum. */
export class Ledger {
  readonly #accounts: Record<Transport, Account> = {
    websocket: new Account(),
    mqtt: new Account(),
    serial: new Account(),
  };

  received(transport: Transport, bytes: number): void {
    const account = this.#accounts[transport];
    account.received += 1;
    account.waitingBytes += bytes;
  }

  settled(transport: Transport, bytes: number, outcome: Outcome): void {
    const account = this.#accounts[transport];
    account[outcome.kind] += 1;
    account.waitingBytes -= bytes;
    if (outcome.kind === "quarantined") account.quarantinedBy.add(outcome.reason);
  }

  refused(transport: Transport, reason: string): void {
    this.#accounts[transport].refused.add(reason);
  }

  stats(): InboxStats & { byTransport: Record<Transport, InboxStats> } {
    const byTransport = {
      websocket: this.#accounts.websocket.stats(),
      mqtt: this.#accounts.mqtt.stats(),
      serial: this.#accounts.serial.stats(),
    };
    return { ...TRANSPORTS.map((transport) => byTransport[transport]).reduce(sum), byTransport };
  }
}

function sum(a: InboxStats, b: InboxStats): InboxStats {
  return {
    received: a.received + b.received,
    stored: a.stored + b.stored,
    duplicate: a.duplicate + b.duplicate,
    quarantined: a.quarantined + b.quarantined,
    discarded: a.discarded + b.discarded,
    waiting: a.waiting + b.waiting,
    waitingBytes: a.waitingBytes + b.waitingBytes,
    refused: sumCounts(a.refused, b.refused),
    quarantinedBy: sumCounts(a.quarantinedBy, b.quarantinedBy),
  };
}

function sumCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const total = new Map(Object.entries(a));
  for (const [reason, count] of Object.entries(b)) total.set(reason, (total.get(reason) ?? 0) + count);
  return Object.fromEntries(total);
}
