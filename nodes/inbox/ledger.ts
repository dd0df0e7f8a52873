import type { InboxStats, Outcome } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import { ReasonCounts } from "./reason-counts.ts";
import type { AccountFigure } from "./store-protocol.ts";

/** Devices with an account of their own; the rest share one. */
export const MOST_DEVICES = 1000;
export const OTHER_DEVICES = "other";
const FIGURES = ["received", "stored", "duplicate", "quarantined", "discarded"] as const;

/** The account of one transport or one device. It balances at any moment, see `InboxStats`. */
export class Account {
  received = 0;
  stored = 0;
  duplicate = 0;
  quarantined = 0;
  discarded = 0;
  waitingBytes = 0;
  readonly refused = new ReasonCounts();
  readonly quarantinedBy = new ReasonCounts();
  readonly discardedBy = new ReasonCounts();

  /** @returns the outcome with the reason it was counted under */
  settle(outcome: Outcome): Outcome {
    this[outcome.kind] += 1;
    if (outcome.kind === "quarantined") return { ...outcome, reason: this.quarantinedBy.add(outcome.reason) };
    if (outcome.kind === "discarded") return { ...outcome, reason: this.discardedBy.add(outcome.reason) };
    return outcome;
  }

  /** Sets a stored figure, see `AccountFigure`; one that is not known is passed over. */
  set(item: string, count: number): void {
    const [name, ...reason] = item.split(":");
    const reasons = { refused: this.refused, quarantined: this.quarantinedBy, discarded: this.discardedBy };
    if (reason.length > 0) {
      const counts: unknown = name && Object.hasOwn(reasons, name) ? Reflect.get(reasons, name) : undefined;
      if (counts instanceof ReasonCounts) counts.add(reason.join(":"), count);
    } else if (isFigure(name)) this[name] = count;
  }

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
      discardedBy: this.discardedBy.toObject(),
    };
  }
}

function isFigure(name: string | undefined): name is (typeof FIGURES)[number] {
  return FIGURES.some((figure) => figure === name);
}

/** Accounts by transport and by device, and their sum. */
export class Ledger {
  readonly #transports: Record<Transport, Account> = {
    websocket: new Account(),
    mqtt: new Account(),
    serial: new Account(),
  };
  readonly #devices = new Map<string, Account>();

  /** The ledger with these figures. What waits is added with `waits`. */
  static of(figures: readonly AccountFigure[]): Ledger {
    const ledger = new Ledger();
    for (const { kind, name, item, count } of figures) {
      const transport = TRANSPORTS.find((one) => one === name);
      if (kind === "device") ledger.device(name).set(item, count);
      else if (transport) ledger.#transports[transport].set(item, count);
    }
    return ledger;
  }

  /** The name of a device's account: its id (`""`: not known yet), or that of the rest when there are too many. */
  deviceKey(deviceId: string): string {
    const known = this.#devices.has(deviceId) || deviceId === "" || this.#devices.size < MOST_DEVICES;
    return known ? deviceId : OTHER_DEVICES;
  }

  /** The account an entry read from the store was received into. */
  storedKey(provenDeviceId: string | undefined): string {
    if (provenDeviceId === undefined) return "";
    return this.#devices.has(provenDeviceId) ? provenDeviceId : OTHER_DEVICES;
  }

  /** An entry that the figures count already waits. */
  waits(transport: Transport, device: string, bytes: number): void {
    for (const account of [this.#transports[transport], this.device(device)]) account.waitingBytes += bytes;
  }

  received(transport: Transport, device: string, bytes: number): void {
    for (const account of [this.#transports[transport], this.device(device)]) {
      account.received += 1;
      account.waitingBytes += bytes;
    }
  }

  /** @returns the outcome with the reason it was counted under */
  settled(transport: Transport, device: string, bytes: number, outcome: Outcome): Outcome {
    const [whole, part] = [this.#transports[transport], this.device(device)];
    whole.waitingBytes -= bytes;
    part.waitingBytes -= bytes;
    const counted = whole.settle(outcome);
    part.settle(counted);
    return counted;
  }

  /** An entry that waits turned out to be another device's. */
  moved(from: string, to: string, bytes: number): void {
    const [before, after] = [this.device(from), this.device(to)];
    before.received -= 1;
    before.waitingBytes -= bytes;
    after.received += 1;
    after.waitingBytes += bytes;
  }

  /**
   * Who is refused may call itself anything: only devices that have an account are told apart.
   * @returns under what it was counted
   */
  refused(transport: Transport, reason: string, deviceId = ""): { reason: string; device: string } {
    const device = this.#devices.has(deviceId) ? deviceId : "";
    this.device(device).refused.add(reason);
    return { reason: this.#transports[transport].refused.add(reason), device };
  }

  transport(transport: Transport): Account {
    return this.#transports[transport];
  }

  /** The account of this name, made where there is none. */
  device(key: string): Account {
    let account = this.#devices.get(key);
    if (!account) {
      account = new Account();
      this.#devices.set(key, account);
    }
    return account;
  }

  stats(): InboxStats & { byTransport: Record<Transport, InboxStats>; byDevice: Record<string, InboxStats> } {
    const byTransport = {
      websocket: this.#transports.websocket.stats(),
      mqtt: this.#transports.mqtt.stats(),
      serial: this.#transports.serial.stats(),
    };
    // Without a prototype, because a device may be called anything.
    const byDevice: Record<string, InboxStats> = Object.create(null);
    for (const [device, account] of this.#devices) byDevice[device] = account.stats();
    return { ...TRANSPORTS.map((transport) => byTransport[transport]).reduce(sum), byTransport, byDevice };
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
    discardedBy: sumCounts(a.discardedBy, b.discardedBy),
  };
}

function sumCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const total = new Map(Object.entries(a));
  for (const [reason, count] of Object.entries(b)) total.set(reason, (total.get(reason) ?? 0) + count);
  return Object.fromEntries(total);
}
