/** What is known of the line's health at one moment. Types only: the screens bundle this module. Times are ISO 8601 UTC. */
import type { InboxState, InboxStats } from "../sample/inbox.ts";
import type { Transport } from "../sample/units.ts";

/** Accounts of one transport, one device or all: received = stored + duplicate + quarantined + discarded + waiting. */
export interface Account extends InboxStats {
  /** Received less all that became of it; 0 when it balances. */
  difference: number;
}

/** How the inbox's own store is. */
export interface InboxStoreHealth {
  state: InboxState;
  /** The disk or the inbox's bound is full: nothing is acknowledged meanwhile; that passes by itself. */
  full: boolean;
  /** Entries that could not be read back, since the store was made. */
  damaged: number;
  /** What the last start found damaged and did about it, a sentence each. */
  repairs: string[];
  /** What is wrong, for the engineer; absent while entries are taken. */
  failure?: string;
  /** Its files, bytes, and the time its commits take. Absent for an inbox in memory. */
  fileBytes?: number;
  commitP50Ms?: number;
  commitP99Ms?: number;
}

export interface InboxHealth {
  /** Entries not settled, their bytes, and the age of the oldest, s. */
  entries: number;
  bytes: number;
  ageS: number;
  /** Of those: given to the flows, and held by a writer. */
  emitted: number;
  claimed: number;
  /** All transports together. */
  total: Account;
  byTransport: Record<Transport, Account>;
  /** Per device; `""`: not known yet, `other`: those beyond a bound. */
  byDevice: Record<string, Account>;
  store: InboxStoreHealth;
}

/** Times of a set of measurements, ms. */
export interface Spread {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** The writer's batches in the last minute. */
export interface BatchHealth extends Spread {
  /** Committed batches in the window, and how long the window is, s. */
  batches: number;
  windowS: number;
  /** Rows over all sample tables, and samples, per second. */
  rowsPerS: number;
  samplesPerS: number;
  /** The last batch, whenever it was. */
  last?: { at: string; rows: number; ms: number };
  /** Since the process started. */
  total: { batches: number; rows: number; stored: number; duplicates: number; quarantined: number };
}

export interface EmbeddedHealth {
  state: string;
  recoveries: number;
  lastFailure?: string;
  clients: number;
  walBytes: number;
  lastCheckpointAt?: string;
  checkpoints: number;
  fsyncs: number;
}

export type JobStatus = "ok" | "failed" | "overdue" | "running" | "never";

export interface JobHealth {
  /** Kind and table, e.g. `retention:vl53l8ch_raw`. */
  name: string;
  status: JobStatus;
  /** Who runs it: the database's own workers, or this program. */
  by: "database" | "foieflow";
  lastRunAt?: string;
  nextRunAt?: string;
  runs: number;
  failures: number;
  error?: string;
}

/** What is read out of the database itself, now and then. */
export interface DatabaseFacts {
  /** When it was read. */
  at: string;
  serverVersion: string;
  sizeBytes: number;
  jobs: JobHealth[];
  quarantine: { open: number; bytes: number };
}

export interface DatabaseHealth {
  state: "connecting" | "ready" | "away" | "closed" | "none";
  /** Since when it is in this state. */
  since: string;
  /** The engine inside this process, or a server. */
  mode: "embedded" | "server";
  /** Version of TimescaleDB; absent in the plain mode, and until it was ready. */
  timescaledb?: string;
  /** Whether the database runs its jobs by itself. */
  workers: boolean;
  embedded?: EmbeddedHealth;
  /** As last read; absent until then. */
  facts?: DatabaseFacts;
  /** Why the facts could not be read the last time, if so. */
  factsError?: string;
}

export interface ProcessHealth {
  startedAt: string;
  upS: number;
  rssBytes: number;
  heapUsedBytes: number;
  /** Memory of the machine, bytes. */
  freeMemoryBytes: number;
  totalMemoryBytes: number;
}

/** Delays of the event loop over about the last minute, and the share of time it was busy (0..1). */
export interface EventLoopHealth extends Spread {
  windowS: number;
  utilization: number;
}

export interface DiskHealth {
  freeBytes: number;
  totalBytes: number;
}

export interface Versions {
  foieflow: string;
  node: string;
  nodeRed?: string;
}

/** `bad`: samples are at risk or not taken; `warn`: somebody should look at it today. */
export type TroubleLevel = "bad" | "warn";

/** Something that is wrong, worst first; the screens have the words for each code. */
export interface Trouble {
  code: TroubleCode;
  level: TroubleLevel;
  /** What it is about (a job, a transport), where there are several of a kind. */
  subject?: string;
  /** Figures for the words, each with its unit at the end of its name. */
  values: Record<string, number>;
}

export const TROUBLES = [
  "inbox-failed",
  "inbox-disk-full",
  "inbox-full",
  "database-none",
  "database-away",
  "unbalanced",
  "disk-full",
  "disk-low",
  "backlog-old",
  "inbox-damaged",
  "inbox-repaired",
  "embedded-recovered",
  "job-failed",
  "job-overdue",
  "event-loop-slow",
  "memory-low",
  "refusals",
  "quarantine-open",
] as const;
export type TroubleCode = (typeof TROUBLES)[number];

export interface HealthSnapshot {
  at: string;
  siteId: string;
  versions: Versions;
  process: ProcessHealth;
  eventLoop: EventLoopHealth;
  /** Of the data directory; absent where the system does not tell. */
  disk?: DiskHealth;
  inbox: InboxHealth;
  batches: BatchHealth;
  database: DatabaseHealth;
  troubles: Trouble[];
}
