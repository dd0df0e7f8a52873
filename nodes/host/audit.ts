/**
 * The seam of the audit log: whoever does something on a person's behalf says so with `audit`. The distribution sets where
 * the records go; until it has, a bounded number of them waits here.
 */
import { asPerson, type Person } from "../sample/roles.ts";

/** One thing that was done, or tried. Never put a password or token into it. */
export interface AuditRecord {
  /** Who; undefined when nobody was signed in. */
  who?: Person | undefined;
  /** What, as in the table ACTIONS of `sample/roles.ts`, or a name of the same form such as `person.sign-in`. */
  action: string;
  /** What it was done to: a device, a lot, an account, a file. */
  target?: string | undefined;
  /** `refused`: the person may not; `failed`: tried and did not succeed. */
  result: "done" | "refused" | "failed";
  /** The address it came from. */
  from?: string | undefined;
  /** When, ISO 8601; now if left out. */
  at?: string | undefined;
  /** The state before and after, or what was asked for; cut when long. */
  before?: unknown;
  after?: unknown;
}

type Sink = (record: AuditRecord & { at: string }) => void;

const MAX_WAITING = 1000;
// On globalThis: the application's copy of this module and the nodes' copy share one log.
const KEY = Symbol.for("foieflow.audit");
const globals = globalThis as typeof globalThis & {
  [KEY]?: { sink: Sink | undefined; waiting: (AuditRecord & { at: string })[] };
};
globals[KEY] ??= { sink: undefined, waiting: [] };
const state = globals[KEY];

/** Notes what somebody did. Never throws and never waits: the log is written behind. */
export function audit(record: AuditRecord): void {
  // Of the person, the name and role alone: what else a caller's object holds is not for the log.
  const whole = { ...record, who: asPerson(record.who), at: record.at ?? new Date().toISOString() };
  if (state.sink) state.sink(whole);
  else if (state.waiting.length < MAX_WAITING) state.waiting.push(whole);
}

/** Says where records go from now on (undefined: nowhere yet), and hands over those that waited. */
export function setAuditSink(sink: Sink | undefined): void {
  state.sink = sink;
  if (sink) for (const record of state.waiting.splice(0)) sink(record);
}
