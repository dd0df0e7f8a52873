import { CodedError } from "../host/errors.ts";
import { acquire, type Lease } from "../host/service.ts";
import type { Sample } from "../sample/sample.ts";
import type { Database } from "../timescaledb/database.ts";
import { KeptRecords } from "../timescaledb/kept-records.ts";
import { bucketsOf, requestRefresh } from "../timescaledb/stats-queue.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import type { Assignment, LotLine, LotSection } from "./page.ts";
import { type AssignmentDraft, MAX_BACK_MS } from "./record.ts";
import { insertAssignment, loadAssignments, reattribute, type Stretch } from "./store.ts";
import { LotTimeline, withAssignment } from "./timeline.ts";

const MAX_LINES = 64;
const LISTED = 12;
const HOUR_MS = 3_600_000;
/** Samples that were on their way when a record was written are stored by then, ms. */
const AGAIN_MS = 20_000;

/** The process's records of lot and breeder of one site: loaded once, kept up to date, asked per sample without waiting. */
export class LineAssignments extends KeptRecords {
  readonly #timeline = new LotTimeline();
  /** Written while a load was under way, which may not have seen them. */
  #added: Assignment[] = [];
  readonly #lines = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #looked = false;
  #closed = false;

  protected async load(database: Database): Promise<() => string | undefined> {
    this.#added = [];
    const records = await loadAssignments(database.pool, this.siteId);
    return () => {
      this.#timeline.replace(records);
      for (const record of this.#added) this.#timeline.add(record);
      if (!this.#looked) this.#lookAgain(records);
      return undefined;
    };
  }

  /** The sample with its line's lot and breeder, where it does not say so itself; notes the line. */
  apply(sample: Sample): Sample {
    if (this.#lines.size < MAX_LINES) this.#lines.add(sample.lineId);
    return withAssignment(sample, this.#timeline.at(sample.lineId, Date.parse(sample.measuredAt)));
  }

  at(line: string, atMs: number): Assignment | undefined {
    return this.#timeline.at(line, atMs);
  }

  /**
   * Writes a record; it is in force here when this resolves, and results stored already follow it.
   * @throws CodedError `no-such-assignment`, `already-superseded`, `no-database`, or what the database answered
   */
  async set(draft: AssignmentDraft): Promise<Assignment> {
    const database = await this.database();
    try {
      const corrected = draft.supersedes === undefined ? undefined : this.#find(draft.line, draft.supersedes);
      const stored = await inTransaction(database.pool, (client) => insertAssignment(client, this.siteId, draft), {
        deadlineMs: 15_000,
      });
      this.#timeline.add(stored);
      this.#added.push(stored);
      this.tell();
      const sinceMs = Math.min(
        Date.parse(stored.from),
        corrected ? Date.parse(corrected.from) : Number.POSITIVE_INFINITY,
      );
      this.#later(stored.line, sinceMs);
      await this.#follow(database, stored.line, sinceMs).catch((error) => database.reportFailure(error));
      return stored;
    } catch (error) {
      if (!(error instanceof CodedError)) database.reportFailure(error);
      throw error;
    }
  }

  /** What pages show. */
  section(nowMs: number): Omit<LotSection, "timeZone"> {
    const lines = new Set([...this.#timeline.lines(), ...this.#lines]);
    const listed = [...lines].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, MAX_LINES);
    const views = listed.map((line): LotLine => {
      const current = this.#timeline.at(line, nowMs);
      const next = this.#timeline.after(line, nowMs);
      return { line, ...(current && { current }), ...(next && { next }), recent: this.#timeline.records(line, LISTED) };
    });
    const breeders = new Map<string, string | null>();
    const newest = views.flatMap(({ recent }) => recent).sort((a, b) => Number(b.id) - Number(a.id));
    for (const { breeder, provenance } of newest)
      if (breeder !== null && !breeders.has(breeder) && breeders.size < LISTED) breeders.set(breeder, provenance);
    return {
      section: "lots",
      view: this.siteId,
      serverMs: nowMs,
      records: this.state,
      lines: views,
      breeders: [...breeders].map(([breeder, provenance]) => ({ breeder, provenance })),
    };
  }

  override close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    super.close();
  }

  #find(line: string, id: string): Assignment | undefined {
    return this.#timeline.records(line, Number.POSITIVE_INFINITY).find((record) => record.id === id);
  }

  /** Results of a line since a time follow the records in force, stretch by stretch. */
  async #follow(database: Database, line: string, sinceMs: number): Promise<void> {
    const nowMs = Date.now();
    let fromMs = Math.max(sinceMs, nowMs - 2 * MAX_BACK_MS);
    while (fromMs < nowMs) {
      const next = this.#timeline.after(line, fromMs);
      const untilMs = Math.min(next ? Date.parse(next.from) : nowMs, nowMs);
      const stretch: Stretch = { fromMs, untilMs, record: this.#timeline.at(line, fromMs) };
      await inTransaction(database.pool, async (client) => {
        const hours = await reattribute(client, this.siteId, line, stretch);
        const buckets = new Map(hours.flatMap(bucketsOf).map((one) => [`${one.view} ${one.startMs}`, one]));
        await requestRefresh(client, [...buckets.values()]);
      });
      fromMs = untilMs;
    }
  }

  #later(line: string, sinceMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.database()
        .then((database) => this.#follow(database, line, sinceMs))
        .catch(() => this.#closed || this.#later(line, sinceMs));
    }, AGAIN_MS).unref();
    this.#timers.add(timer);
  }

  /** After a start: the last process may have ended before its results followed its last records. */
  #lookAgain(records: readonly Assignment[]): void {
    this.#looked = true;
    for (const { line, from, createdAt } of records)
      if (Date.parse(createdAt) > Date.now() - HOUR_MS) this.#later(line, Date.parse(from));
  }
}

/** Takes a share in the process's records of lot and breeder of a site. */
export function assignmentsOf(siteId: string): Lease<LineAssignments> {
  return acquire(
    `assignments:${siteId}`,
    () => new LineAssignments(siteId),
    (assignments) => assignments.close(),
  );
}
