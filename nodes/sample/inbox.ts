import type { Transport } from "./units.ts";

/** What a device door hands to the inbox: the bytes as they came, stamped with what only the door knows. */
export interface Envelope {
  transport: Transport;
  /** ISO 8601 UTC; set by the door when the bytes were complete. */
  receivedAt: string;
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
}

/** The one place between the doors and the flows. `append` resolves when the entry is safe; only then is a device told. */
export interface Inbox {
  append(envelope: Envelope): Promise<string>;
  /** One consumer at a time; entries not settled are emitted again, in order, to a new one. */
  attach(consumer: (entry: InboxEntry) => void): { detach(): void };
  settle: Settle;
  /** Counts something refused at a door, by transport and reason code. */
  refuse(transport: Transport, reason: string): void;
  stats(): InboxStats & { byTransport: Record<Transport, InboxStats> };
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
  deviceId?: string;
  bytes: Buffer;
}
