/** What passes between the quarantine and its page. Types only: the screens bundle this module. Times are ISO 8601 UTC. */

export const RECORD_STATES = ["open", "retried", "closed"] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** One reason with what is open for it. */
export interface ReasonView {
  /** Stable code; the screens have the words. */
  reason: string;
  open: number;
  bytes: number;
  firstAt?: string;
  lastAt?: string;
  /** Devices concerned, as far as they are known. */
  devices: number;
  /** Dealt with and still kept: sent in again, closed with a note. */
  retried: number;
  closed: number;
  /** What the bounds pushed out for good: records, and those of them nobody had dealt with. */
  pushedOut: number;
  pushedOutOpen: number;
}

/** A record as a row of the list. */
export interface RecordView {
  id: string;
  reason: string;
  detail: string;
  transport: string;
  device?: string;
  line?: string;
  receivedAt: string;
  quarantinedAt: string;
  byteLength: number;
  state: RecordState;
  /** What was done with it, by whom and when. */
  changedAt?: string;
  changedBy?: string;
  note?: string;
}

/** The beginning of a record's bytes, made readable. */
export interface BytesView {
  form: "json" | "cbor" | "text" | "hex" | "empty";
  text: string;
  /** Bytes shown, of `byteLength`; all of them when it is not cut. */
  shownBytes: number;
  cut: boolean;
}

/** A record with its bytes. */
export interface DetailView extends RecordView {
  bytes: BytesView;
}

/** A page of one reason's records, newest first. */
export interface ListView {
  reason: string;
  /** Those dealt with (retried, closed) rather than the open ones. */
  done: boolean;
  /** Id it was asked from; absent: the newest. */
  from?: string;
  records: RecordView[];
  /** Id to ask further from, where there are more. */
  next?: string;
}

/** How a retry or discarding of many goes. */
export interface ProgressView {
  kind: "retry" | "discard";
  reason: string;
  by: string;
  startedAt: string;
  done: number;
  total: number;
  /** `waiting`: the inbox is full, it goes on by itself. */
  state: "running" | "waiting" | "finished" | "stopped" | "failed";
  /** Stable code of what ended it. */
  error?: string;
}

/** What became of a person's request, by the number the page gave it. */
export interface AnswerView {
  request: string;
  ok: boolean;
  /** Stable code where it was refused or failed: `not-signed-in`, `not-allowed`, `database-away`, … */
  error?: string;
  /** Records concerned. */
  count?: number;
}

export interface QuarantineSection {
  section: "quarantine";
  /** The site. */
  view: string;
  serverMs: number;
  timeZone: string;
  /** Whether the figures could be read; while `away` they are those of `readMs`. */
  records: "loading" | "ready" | "away";
  /** When they were read, ms since the epoch; 0: never. */
  readMs: number;
  reasons: ReasonView[];
  totals: { open: number; records: number; bytes: number; maxRecords: number; maxBytes: number };
  /** What somebody asked to see lately. */
  lists: ListView[];
  details: DetailView[];
  progress?: ProgressView;
  answers: AnswerView[];
}

/** What a person asks for on the page; `request` comes back with the answer. */
export type QuarantineAction =
  | { action: "quarantine.list"; request: string; reason: string; done: boolean; from?: string }
  | { action: "quarantine.look"; request: string; id: string }
  | { action: "quarantine.retry"; request: string; id: string }
  | { action: "quarantine.retry-all"; request: string; reason: string }
  | { action: "quarantine.discard"; request: string; id: string; note: string }
  | { action: "quarantine.discard-all"; request: string; reason: string; note: string }
  | { action: "quarantine.stop"; request: string };
