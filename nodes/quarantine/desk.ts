import type { Pool } from "pg";
import { CodedError, codeOf } from "../host/errors.ts";
import { mayDo, type Person } from "../sample/roles.ts";
import type { Database } from "../timescaledb/database.ts";
import { isConnectionLoss } from "../timescaledb/failures.ts";
import { QUARANTINE_LIMITS, type QuarantineLimits } from "../timescaledb/quarantine.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { parseAction } from "./action.ts";
import type { AnswerView, DetailView, ListView, ProgressView, QuarantineAction, QuarantineSection } from "./page.ts";
import { closeRecords, listRecords, lookAt, summarise } from "./records.ts";
import { type RetryInbox, retryAll, retryOne } from "./retry.ts";

export interface DeskOptions {
  siteId: string;
  timeZone: string;
  /** Line for records that do not know theirs. */
  defaultLineId: string;
  inbox: RetryInbox;
  limits?: QuarantineLimits;
  /** Told when the page should be sent again. */
  onChange: () => void;
}

/** What was done, for whoever keeps a journal. */
export interface QuarantineEvent {
  event: "quarantine-retried" | "quarantine-closed";
  at: string;
  by: string;
  reason?: string;
  id?: string;
  count: number;
  note?: string;
}

const KEPT_LISTS = 4;
const KEPT_DETAILS = 3;
const KEPT_ANSWERS = 20;
const READ_MS = 20_000;

/**
 * What people see of the quarantine and do with it. Looking is open to whoever may see the page; to change something a
 * person must be known and allowed to. One long job (retry of a whole reason) runs at a time.
 */
export class Desk {
  readonly #options: DeskOptions;
  readonly #limits: QuarantineLimits;
  #database: Database | undefined;
  #state: QuarantineSection["records"] = "loading";
  #readMs = 0;
  #summary: Awaited<ReturnType<typeof summarise>> = { reasons: [], open: 0, records: 0, bytes: 0 };
  #lists: ListView[] = [];
  #details: DetailView[] = [];
  #answers: AnswerView[] = [];
  #progress: ProgressView | undefined;
  #job: Promise<unknown> | undefined;
  #stopping = false;
  readonly #retrying = new Set<string>();
  #refreshing: Promise<void> | undefined;
  /** The read that follows the one under way, for those who must see what has just been changed. */
  #refreshingAgain: Promise<void> | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#limits = options.limits ?? QUARANTINE_LIMITS;
  }

  use(database: Database): void {
    this.#database = database;
    void this.refresh();
  }

  /** Open records as last counted. */
  get open(): number {
    return this.#summary.open;
  }

  get state(): QuarantineSection["records"] {
    return this.#state;
  }

  section(nowMs: number): QuarantineSection {
    const { siteId, timeZone } = this.#options;
    const { reasons, open, records, bytes } = this.#summary;
    const { maxRows, maxBytes } = this.#limits;
    return {
      section: "quarantine",
      view: siteId,
      serverMs: nowMs,
      timeZone,
      records: this.#state,
      readMs: this.#readMs,
      reasons,
      totals: { open, records, bytes, maxRecords: maxRows, maxBytes },
      lists: this.#lists,
      details: this.#details,
      ...(this.#progress && { progress: this.#progress }),
      answers: this.#answers,
    };
  }

  /** Reads the figures and the lists somebody looks at again. A call while it reads waits for that read. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
      this.#options.onChange();
    });
    return this.#refreshing;
  }

  /** As `refresh`, by a read that begins after this call: what was changed before is in it. */
  #refreshAfterChange(): Promise<void> {
    if (!this.#refreshing) return this.refresh();
    this.#refreshingAgain ??= this.#refreshing.then(() => {
      this.#refreshingAgain = undefined;
      return this.refresh();
    });
    return this.#refreshingAgain;
  }

  /**
   * Does what a person asked for on the page; what became of it is in the next section's answers, and what it changed is
   * in that section's lists, so that nobody can take hold of what is no longer open.
   * @returns the event of what was done, if something was
   * @throws CodedError `quarantine-bad-action` for what no page of ours sends
   */
  async act(payload: unknown, person: Person | undefined): Promise<QuarantineEvent | undefined> {
    let action: QuarantineAction;
    try {
      action = parseAction(payload);
    } catch (error) {
      const request: unknown = typeof payload === "object" && payload !== null ? Reflect.get(payload, "request") : "";
      const isAnswerable = codeOf(error, "") === "quarantine-no-note" && typeof request === "string";
      if (!isAnswerable) throw error;
      this.#answer({ request, ok: false, error: codeOf(error, "") });
      return undefined;
    }
    const { request } = action;
    try {
      this.#permit(action, person);
      const { count, event } = await this.#do(action, this.#ready(), person?.name ?? "");
      this.#answer({ request, ok: true, ...(count !== undefined && { count }) });
      return event;
    } catch (error) {
      this.#reportFailure(error);
      this.#answer({ request, ok: false, error: failureCode(error) });
      return undefined;
    }
  }

  /** The pool for an export, for a person who may. @throws CodedError `not-signed-in`, `not-allowed`, `database-away` */
  exportPool(person: Person | undefined): Pool {
    check("quarantine.export", person);
    return this.#ready().pool;
  }

  /** Ends a long job after the step it is at. */
  async close(): Promise<void> {
    this.#stopping = true;
    await this.#job;
  }

  #permit({ action }: QuarantineAction, person: Person | undefined): void {
    // Who may see the page was settled where the page was served.
    if ((action === "quarantine.list" || action === "quarantine.look") && person === undefined) return;
    check(action, person);
  }

  #ready(): Database {
    if (this.#database?.state() === "ready") return this.#database;
    throw new CodedError("database-away", "the database cannot be asked now");
  }

  async #do(
    action: QuarantineAction,
    { pool }: Database,
    by: string,
  ): Promise<{ count?: number; event?: QuarantineEvent }> {
    const at = new Date().toISOString();
    switch (action.action) {
      case "quarantine.list": {
        const list = await reading(pool, (client) => listRecords(client, action));
        this.#lists = [list, ...this.#lists.filter((one) => !isSameList(one, list))].slice(0, KEPT_LISTS);
        return { count: list.records.length };
      }
      case "quarantine.look": {
        const detail = await reading(pool, (client) => lookAt(client, action.id));
        this.#details = [detail, ...this.#details.filter(({ id }) => id !== detail.id)].slice(0, KEPT_DETAILS);
        return {};
      }
      case "quarantine.retry": {
        const { id } = action;
        this.#refuseWhileBusy();
        if (this.#retrying.has(id)) throw new CodedError("quarantine-busy", "this record is being sent in already");
        this.#retrying.add(id);
        try {
          await retryOne({ pool, by, ...this.#retryContext() }, id);
        } finally {
          this.#retrying.delete(id);
        }
        await this.#refreshAfterChange();
        return { count: 1, event: { event: "quarantine-retried", at, by, id, count: 1 } };
      }
      case "quarantine.retry-all": {
        this.#refuseWhileBusy();
        const { reason } = action;
        return { event: { event: "quarantine-retried", at, by, reason, count: this.#startRetry(pool, reason, by) } };
      }
      case "quarantine.stop":
        this.#stopping = true;
        return {};
      case "quarantine.discard":
      case "quarantine.discard-all": {
        this.#refuseWhileBusy();
        const { note } = action;
        const which = action.action === "quarantine.discard" ? { id: action.id } : { reason: action.reason };
        const count = await closeRecords(pool, which, { name: by, note });
        await this.#refreshAfterChange();
        return { count, event: { event: "quarantine-closed", at, by, ...which, count, note } };
      }
    }
  }

  #retryContext(): { inbox: RetryInbox; defaultLineId: string } {
    return { inbox: this.#options.inbox, defaultLineId: this.#options.defaultLineId };
  }

  #refuseWhileBusy(): void {
    if (this.#job) throw new CodedError("quarantine-busy", "a retry is running");
  }

  /** Starts the long job. @returns how many records it will be about, as last counted */
  #startRetry(pool: Pool, reason: string, by: string): number {
    const open = this.#summary.reasons.find((one) => one.reason === reason)?.open ?? 0;
    const startedAt = new Date().toISOString();
    this.#stopping = false;
    this.#progress = { kind: "retry", reason, by, startedAt, done: 0, total: open, state: "running" };
    this.#job = retryAll(
      { pool, by, ...this.#retryContext() },
      reason,
      (progress) => {
        this.#progress = { kind: "retry", reason, by, startedAt, ...progress };
        this.#options.onChange();
      },
      () => this.#stopping,
    ).then(() => {
      this.#job = undefined;
      void this.#refreshAfterChange();
    });
    return open;
  }

  /** Errors with a code of ours tell nothing of the database; a deadline that passed does. */
  #reportFailure(error: unknown): void {
    const isOurs = error instanceof CodedError && error.code !== "database-timeout";
    if (!isOurs) this.#database?.reportFailure(error);
  }

  #answer(answer: AnswerView): void {
    this.#answers = [...this.#answers, answer].slice(-KEPT_ANSWERS);
    this.#options.onChange();
  }

  async #read(): Promise<void> {
    const database = this.#database;
    if (!database) return;
    try {
      if (database.state() !== "ready") throw new CodedError("database-away", "the database cannot be asked now");
      // What somebody asks for while this reads is newer than what it finds.
      const [lists, details] = [this.#lists, this.#details];
      const read = await reading(database.pool, async (client) => ({
        summary: await summarise(client),
        lists: await inTurn(lists, (list) => listRecords(client, list)),
        details: await inTurn(details, ({ id }) => lookAt(client, id).catch(orGone)),
      }));
      this.#summary = read.summary;
      this.#lists = renewed(this.#lists, lists, read.lists);
      this.#details = renewed(this.#details, details, read.details);
      this.#readMs = Date.now();
      this.#state = "ready";
    } catch (error) {
      this.#reportFailure(error);
      this.#state = "away";
    }
  }
}

function check(permission: string, person: Person | undefined): void {
  if (!person) throw new CodedError("not-signed-in", "nobody is signed in here");
  if (!mayDo(person, permission)) throw new CodedError("not-allowed", `${person.role} may not do ${permission}`);
}

function isSameList(a: ListView, b: ListView): boolean {
  return a.reason === b.reason && a.done === b.done && a.from === b.from;
}

function reading<T>(pool: Pool, work: Parameters<typeof inTransaction<T>>[1]): Promise<T> {
  return inTransaction(pool, work, { begin: "BEGIN READ ONLY", deadlineMs: READ_MS });
}

/** What is kept now, with those that were kept before a read as it found them; what it did not find is gone. */
function renewed<T>(now: readonly T[], before: readonly T[], found: readonly (T | undefined)[]): T[] {
  return now.flatMap((one) => {
    const index = before.indexOf(one);
    const read = index === -1 ? one : found[index];
    return read === undefined ? [] : [read];
  });
}

/** One after the other: they share a connection. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

function orGone(error: unknown): undefined {
  if (codeOf(error, "") !== "quarantine-gone") throw error;
  return undefined;
}

/** The code a page has words for. */
function failureCode(error: unknown): string {
  if (error instanceof CodedError) return error.code;
  return isConnectionLoss(error) ? "database-away" : "quarantine-failed";
}
