import type { MessagePort } from "node:worker_threads";
import type { Outcome } from "../sample/inbox.ts";
import type { Transport } from "../sample/units.ts";
import type { Bounds, Obstacle } from "./admission.ts";
import type { EntryMeta } from "./entry-record.ts";

/** What the inbox asks the thread that keeps its store; one question at a time. */
export type StoreQuestion =
  | OpenQuestion
  | CommitQuestion
  | ReadQuestion
  | LookQuestion
  | GateQuestion
  | HostQuestion
  | CloseQuestion;

export interface OpenQuestion {
  kind: "open";
  directory: string;
  /** Most entries given to the flows at once: as many as may be emitted before the first commit. */
  window: number;
  /** The process goes on (its thread had died): what was in flight was in no crash. */
  isResumed: boolean;
  /** Largest database, pages of 4 KiB; 0: no bound but the disk. */
  maxPages: number;
  /** Kept as a file, so that settling works when the disk is full, bytes. */
  reserveBytes: number;
}

/** An entry that became settled; device names are those of the ledger's accounts. */
export interface SettledEntry {
  id: number;
  transport: Transport;
  /** The account that received it, and that it turned out to belong to. */
  receivedBy: string;
  device: string;
  size: number;
  outcome: Outcome;
}

export interface Refusals {
  transport: Transport;
  reason: string;
  device: string;
  count: number;
}

/** One transaction. */
export interface CommitQuestion {
  kind: "commit";
  appends: { meta: string; transport: Transport; device: string; size: number }[];
  /** The bytes of all appends, one after the other. */
  bytes: Uint8Array<ArrayBuffer>;
  settled: SettledEntry[];
  refusals: Refusals[];
  /** Entries up to this id may be emitted from now on; at the next start they count as in flight. */
  emitTo: number;
  /** So many more may be, of those appended now and of those that come through the gate before the next commit. */
  spare: number;
  /** The last entry the inbox had heard of then. */
  knownTo: number;
  /** Entries among the settled that could not be read back. */
  damaged: number;
}

export interface ReadQuestion {
  kind: "read";
  ids: number[];
}

/** How much room there is now. */
export interface LookQuestion {
  kind: "look";
}

/** What those who append in the store's own thread are measured against. */
export interface GateQuestion {
  kind: "gate";
  bounds: Bounds;
  obstacle: Obstacle | undefined;
}

/** Starts a guest of the thread, see `StartGuest`. */
export interface HostQuestion {
  kind: "host";
  /** Address of the module that exports it. */
  module: string;
  /** Its way to who asked for it. */
  port: MessagePort;
}

export interface CloseQuestion {
  kind: "close";
  /** How often each entry still unsettled was emitted. */
  emissions: { id: number; times: number }[];
}

export type StoreAnswer = OpenAnswer | CommitAnswer | ReadAnswer | LookAnswer | { kind: "done" };

export interface StoredEntry {
  id: number;
  meta: EntryMeta;
  size: number;
  /** How often it was emitted in earlier runs, and in how many of those that ended in a crash. */
  attempts: number;
  crashes: number;
}

/** One figure of the accounts: `item` is `received`, an outcome's kind, or `refused:`, `quarantined:`, `discarded:` and a reason. */
export interface AccountFigure {
  kind: "transport" | "device";
  name: string;
  item: string;
  count: number;
}

export interface OpenAnswer {
  kind: "open";
  /** The last id given out. */
  lastId: number;
  emitTo: number;
  damagedEntries: number;
  entries: StoredEntry[];
  accounts: AccountFigure[];
  /** What was found wrong and what was done about it. */
  repairs: string[];
  figures: FileFigures;
}

export interface FileFigures {
  bytes: number;
  journalBytes: number;
  freeBytes: number;
}

export interface LookAnswer {
  kind: "look";
  figures: FileFigures;
}

export interface CommitAnswer {
  kind: "commit";
  /** Id of the first append; the others follow. */
  firstId: number;
  /** How far entries may be emitted now. */
  emitTo: number;
  ms: number;
  figures: FileFigures;
}

/** What the thread tells unasked. */
export type StoreNotice =
  | GateCommit
  | { kind: "full"; problem: string }
  | { kind: "failed"; code: string; problem: string };

/** Entries of guests are on the disk. */
export interface GateCommit extends Omit<CommitAnswer, "kind"> {
  kind: "committed";
  appends: GateEntry[];
}

export interface GateEntry {
  meta: EntryMeta;
  /** The account it is received into. */
  device: string;
  size: number;
  /** Absent when the inbox has much to take already: it reads them back. */
  bytes?: Uint8Array;
}

export interface ReadAnswer {
  kind: "read";
  entries: { id: number; meta: EntryMeta; bytes: Uint8Array }[];
  /** Entries that are not what was written, or not there; their rows were put aside. */
  damaged: number[];
}
