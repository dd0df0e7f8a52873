import type { Transport } from "./units.ts";

/** What a device door hands to the inbox: the bytes as they came, stamped with what only the door knows. */
export interface Envelope {
  transport: Transport;
  /** ISO 8601 UTC; set by the door when the bytes were complete. */
  receivedAt: string;
  /**
   * What another clock says of that moment, where it disagrees: the server's own had it not been set while it runs, or
   * the present of whoever sends the message in again. A time is in the future when it is so for both.
   */
  otherwiseAt?: string;
  /** Site in force for this device: from the topic, else the configuration. */
  siteId: string;
  /** Line in force: from the topic, else the hello's location, else undefined (the message or the configuration says). */
  lineId?: string;
  /** The configuration's line, used where nothing more specific is known. */
  defaultLineId: string;
  /** Identity a credential (or an MQTT topic below a device's own name) proves; overrides what the payload says. */
  provenDeviceId?: string;
  /** Reason code for which the door already knows that this belongs into quarantine, whatever it says (`bad-topic`). */
  problem?: string;
  bytes: Buffer;
}

export interface InboxEntry extends Envelope {
  /** Plain string; contiguous, ascending in arrival order. */
  entryId: string;
  /** How often it was emitted before (0 the first time). */
  attempts: number;
}

/** How an entry ended. The first outcome wins. */
export type Outcome =
  | { kind: "stored" }
  | { kind: "duplicate" }
  | { kind: "quarantined"; reason: string }
  | { kind: "discarded"; reason: string };

export type Settle = (entryId: string, outcome: Outcome) => void;

/** Accounts that balance at any moment: received = stored + duplicate + quarantined + discarded + waiting. */
export interface InboxStats {
  received: number;
  stored: number;
  duplicate: number;
  quarantined: number;
  discarded: number;
  waiting: number;
  waitingBytes: number;
  /** Refused (never acknowledged) by reason. */
  refused: Record<string, number>;
  /** Quarantined by reason. */
  quarantinedBy: Record<string, number>;
  /** Discarded by reason. */
  discardedBy: Record<string, number>;
}

/** What keeps the inbox from taking entries, if anything: `full` and `disk-full` pass by themselves. */
export type InboxState = "open" | "full" | "disk-full" | "failed" | "closed";

export interface InboxHealth {
  state: InboxState;
  /** What is wrong, for the engineer; absent while the inbox takes entries. */
  problem?: string;
  /** Entries that could not be read back, since the store was made. */
  damagedEntries: number;
  /** What the last start found damaged and did about it, a sentence each. */
  repairs: readonly string[];
}

/** The files of the inbox and the time its commits take. */
export interface InboxStoreFigures {
  /** Of the database and of its journal, bytes. */
  bytes: number;
  journalBytes: number;
  /** Free on its file system, bytes. */
  freeBytes: number;
  /** Transactions since the start, and the appends in them. */
  commits: number;
  appends: number;
  /** Duration of the latest transactions, the wait for the disk included; 0 before the first. */
  commitP50Ms: number;
  commitP99Ms: number;
}

export interface InboxReport extends InboxStats {
  byTransport: Record<Transport, InboxStats>;
  /** By device id; `""` holds what nothing has told the device of yet, `other` the devices beyond a bound. */
  byDevice: Record<string, InboxStats>;
  /** Given to the flows and not settled: in the flow, and held by a writer (or a node that waits for more). */
  emitted: number;
  claimed: number;
  /** Entries held and not settled, counted where they lie rather than derived from the accounts: a check on those. */
  held?: number;
  /** Age of the oldest entry not settled, s; 0 when nothing waits. */
  backlogAgeS: number;
  health: InboxHealth;
  /** Absent while the inbox opens. */
  store?: InboxStoreFigures;
}

/**
 * The one place between the doors and the flows. A device is told of what is safe, and then only.
 * An entry is waiting, then emitted, then claimed, then settled. An emitted entry that nobody claims for a while is
 * emitted again, and goes to quarantine after three such times.
 */
export interface Inbox {
  /**
   * Resolves with the entry's id when it is on the disk; the bytes are copied at once. Entries are kept in the order of
   * the calls, and one that may fit later takes all that come behind it with it until its sender can have heard of it.
   * @throws CodedError `oversize` (never fits), `inbox-full`, `disk-full` or `inbox-failed` (may fit later), `inbox-closed`
   */
  append(envelope: Envelope): Promise<string>;
  /**
   * One consumer at a time; entries neither settled nor claimed are emitted again, in order, to a new one.
   * @param toQuarantine given what the inbox itself puts into quarantine (`lost-in-flow`, `crashed-three-times`);
   *   without it such an entry goes to the consumer, with the reason as its `problem`
   */
  attach(
    consumer: (entry: InboxEntry) => void,
    toQuarantine?: (entryId: string, record: QuarantineRecord) => void,
  ): { detach(): void };
  /**
   * `owner` (a node's id) holds the entry: no time-out runs for it.
   * @returns false when there is nothing to do for it any more: it is settled, unknown, or `owner` holds it already
   */
  claim(entryId: string, owner: string): boolean;
  /** The owner passes the entry on to the next node: claimed → emitted, and its time-out begins anew. */
  handOn(entryId: string, owner: string): void;
  /** The owner gives up the entry (it closes): claimed → waiting, and it is emitted again, in order. */
  release(entryId: string, owner: string): void;
  /** Which device an entry is from, for the accounts, where the door could not know. */
  identify(entryId: string, deviceId: string): void;
  settle: Settle;
  /** Whether an entry waits only for its turn in the flows: what is less urgent may let it go first. */
  readonly isEmitting: boolean;
  /** Counts something refused at a door, by transport, reason code and, where known, device. */
  refuse(transport: Transport, reason: string, deviceId?: string): void;
  stats(): InboxReport;
  /** Resolves when nothing is waiting, or with the number still waiting after `timeoutMs`. */
  drain(timeoutMs: number): Promise<number>;
}

/** A record for quarantine, as it travels from where the problem was seen to the writer (`msg.payload`, with `msg.entryId`). */
export interface QuarantineRecord {
  quarantine: true;
  /** Stable code, e.g. `not-json`, `bad-matrix`, `not-finite`, `forbidden-key`, `future-time`. */
  reason: string;
  detail: string;
  transport: Transport;
  receivedAt: string;
  siteId: string;
  /** Line in force, and the identity proven, so that a retry sends the bytes in as they came. */
  lineId?: string;
  provenDeviceId?: string;
  deviceId?: string;
  bytes: Buffer;
}
