import { codeOf, messageOf } from "../host/errors.ts";
import { leisure, rests } from "../host/rests.ts";
import type { Outcome, QuarantineRecord, Settle } from "../sample/inbox.ts";
import { isQuarantineRecord } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import { type Insertion, insertSamples, type Verdict } from "./batch.ts";
import type { Database } from "./database.ts";
import { type DeviceSighting, Sightings, sightingOf, storeSightings } from "./devices.ts";
import { backoffMs, failureKind, mayBlameContent } from "./failures.ts";
import { type Quarantined, type QuarantineLimits, refusedSample, storeQuarantined } from "./quarantine.ts";
import { rowsOf, type SampleRows } from "./rows.ts";
import { BucketMemo, requestRefresh } from "./stats-queue.ts";
import { inTransaction } from "./transaction.ts";

/** What the writer is given; `context` comes back with the outcome. */
export interface WriterItem<C> {
  entryId: string;
  payload: Sample | QuarantineRecord;
  context: C;
}

/** What one committed transaction did. */
export interface BatchReport {
  /** Rows inserted over the sample tables. */
  rows: number;
  stored: number;
  duplicates: number;
  quarantined: number;
  /** From the start of the transaction to its commit. */
  ms: number;
}

export interface WriterOptions<C> {
  database: Promise<Database>;
  settle: Settle;
  /** After the commit, item by item in the order given, over some turns of the event loop. Must not throw. */
  onSettled?: (item: WriterItem<C>, outcome: Outcome) => void;
  /** Of items whose transaction was under way when the writer was closed: it failed, and they are given up after all. */
  onGivenUp?: (item: WriterItem<C>) => void;
  onBatch?: (report: BatchReport) => void;
  /** Told of a failed try (it is repeated), and with undefined when writing works again. */
  onTrouble?: (error: unknown) => void;
  /** Most samples per transaction (default 500), and bytes of them (default 4 MiB). */
  maxRows?: number;
  maxBytes?: number;
  /** Longest wait for a batch to fill, ms (default 250: a transaction has its price whatever it holds, and nobody waits for it). */
  maxAgeMs?: number;
  /** Most items held, and bytes of them (defaults 20 000, 512 MiB: more than an inbox of 128 MiB has in flight). */
  maxPending?: number;
  maxPendingBytes?: number;
  quarantine?: QuarantineLimits;
  /** First delay between tries, as a factor of the usual one (tests). */
  backoffFactor?: number;
}

interface Pending<C> {
  item: WriterItem<C>;
  /** Made one by one while the batch fills: those of a whole batch at once would hold up everybody. */
  rows: SampleRows | undefined;
  hasRows: boolean;
  bytes: number;
  arrivedMs: number;
}

/** So long an item's rows may wait for leisure. */
const ROWS_WAIT_MS = 500;
/** Settled items that are told of before the next wait for leisure, and how long that may last for all of them. */
const TOLD_AT_ONCE = 4;
const TELL_WAIT_MS = 250;
/** Tries of the same rows after which a failure that may lie in them is taken for a refusal. */
const TRIES_BEFORE_BLAME = 5;

/**
 * Writes samples and quarantine records in batches, one transaction at a time over all tables, and settles each entry
 * after its commit. While the database is away nothing is lost: what is held waits, and what does not fit is not taken.
 * Content the database refuses is found by halving the batch and goes to quarantine; the rest is stored.
 */
export class Writer<C = undefined> {
  readonly #options: WriterOptions<C>;
  readonly #limits: {
    maxRows: number;
    maxBytes: number;
    maxAgeMs: number;
    maxPending: number;
    maxPendingBytes: number;
  };
  readonly #pending: Pending<C>[] = [];
  /** Those whose rows are still to be made, and whether somebody is at it. */
  #withoutRows: Pending<C>[] = [];
  #makesRows = false;
  readonly #entries = new Set<string>();
  readonly #sightings = new Sightings();
  readonly #memo = new BucketMemo();
  /** In the transaction now under way. */
  #underWay: readonly Pending<C>[] = [];
  #pendingBytes = 0;
  #loop: Promise<void> | undefined;
  /** Ends when everything settled so far was told of. */
  #telling: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  /** Waiting for the batch to fill, so that a full one may start at once. */
  #filling = false;
  /** There will be no database; what is held waits to be given up. */
  #hopeless = false;
  #closing = false;
  #abandoned = false;

  constructor(options: WriterOptions<C>) {
    this.#options = options;
    options.database.catch(() => undefined); // met again, and reported, where it is awaited
    this.#limits = {
      maxRows: options.maxRows ?? 500,
      maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
      maxAgeMs: options.maxAgeMs ?? 250,
      maxPending: options.maxPending ?? 20_000,
      maxPendingBytes: options.maxPendingBytes ?? 512 * 1024 * 1024,
    };
  }

  /** Items held, the one being written included. */
  get held(): number {
    return this.#entries.size;
  }

  /**
   * Takes an item. `full`: it does not fit or the writer is closing (it stays unsettled, the inbox will give it again);
   * `held`: the same entry is already being written.
   */
  add(item: WriterItem<C>): "taken" | "held" | "full" {
    if (this.#entries.has(item.entryId)) return "held";
    const bytes = sizeOf(item.payload);
    const full = this.#entries.size >= this.#limits.maxPending;
    const heavy = this.#entries.size > 0 && this.#pendingBytes + bytes > this.#limits.maxPendingBytes;
    if (this.#closing || full || heavy) return "full";
    this.#entries.add(item.entryId);
    const pending = { item, rows: undefined, hasRows: false, bytes, arrivedMs: performance.now() };
    this.#pending.push(pending);
    this.#withoutRows.push(pending);
    this.#pendingBytes += bytes;
    if (!this.#makesRows) void this.#makeRows();
    this.#start();
    return "taken";
  }

  /** Notes what is known of a device; written with the next batch. A time that is none is passed over. */
  see(sighting: DeviceSighting): void {
    if (this.#closing || Number.isNaN(Date.parse(sighting.seenAt))) return;
    this.#sightings.add(sighting);
    this.#start();
  }

  /**
   * Takes nothing more, writes what it can within `timeoutMs` and gives up the rest, unsettled. What is in a transaction
   * then may be committed yet: it is settled, or given up by `onGivenUp`, when that is known. Were it given up before, the
   * flows that come could make something else of an entry whose rows are then in the database.
   * @returns the items given up
   */
  async close(timeoutMs: number): Promise<WriterItem<C>[]> {
    this.#closing = true;
    this.#wake?.();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#loop, patience]);
    clearTimeout(timer);
    await this.#telling;
    this.#abandoned = true;
    this.#wake?.();
    const isUnderWay = new Set(this.#underWay);
    const left = this.#pending.splice(0).filter((pending) => !isUnderWay.has(pending));
    this.#pendingBytes = 0;
    return left.map(({ item }) => item);
  }

  #start(): void {
    if (this.#loop) {
      if (this.#filling && this.#isFull()) this.#wake?.();
      return;
    }
    this.#loop = this.#run().finally(() => {
      this.#loop = undefined;
      if (this.#hasWork()) this.#start();
    });
  }

  async #makeRows(): Promise<void> {
    this.#makesRows = true;
    while (this.#withoutRows.length > 0 && !this.#abandoned) await this.#rowsFor(this.#withoutRows.splice(0));
    this.#makesRows = false;
  }

  /** Makes the rows of these at leisure, unless they wait for that too long. */
  async #rowsFor(batch: readonly Pending<C>[]): Promise<void> {
    const rest = rests();
    for (const pending of batch) {
      if (this.#abandoned) return;
      if (pending.hasRows) continue;
      const untilMs = pending.arrivedMs + ROWS_WAIT_MS;
      await (performance.now() < untilMs ? leisure(untilMs) : rest());
      if (pending.hasRows) continue; // by the batch that needed them
      pending.rows = rowsOfItem(pending.item);
      pending.hasRows = true;
    }
  }

  #hasWork(): boolean {
    if (this.#abandoned || (this.#hopeless && this.#closing)) return false;
    return this.#pending.length > 0 || this.#sightings.size > 0;
  }

  #isFull(): boolean {
    return this.#pending.length >= this.#limits.maxRows || this.#pendingBytes >= this.#limits.maxBytes;
  }

  async #run(): Promise<void> {
    let database: Database;
    try {
      database = await this.#options.database;
    } catch (error) {
      this.#options.onTrouble?.(error);
      this.#hopeless = true;
      if (!this.#closing) await this.#pause(Number.POSITIVE_INFINITY); // until closed: what is held is given up then
      return;
    }
    while (this.#hasWork()) {
      const ageMs = performance.now() - (this.#pending[0]?.arrivedMs ?? performance.now());
      if (!this.#closing && !this.#isFull() && ageMs < this.#limits.maxAgeMs) {
        this.#filling = true;
        await this.#pause(this.#limits.maxAgeMs - ageMs);
        this.#filling = false;
      }
      const batch = this.#peek();
      await this.#writeAll(database, batch);
    }
  }

  /** The next batch; it stays pending until it is settled, so that closing can give it up. */
  #peek(): Pending<C>[] {
    const batch: Pending<C>[] = [];
    let bytes = 0;
    for (const pending of this.#pending) {
      if (batch.length >= this.#limits.maxRows || (batch.length > 0 && bytes + pending.bytes > this.#limits.maxBytes))
        break;
      batch.push(pending);
      bytes += pending.bytes;
    }
    return batch;
  }

  /** Writes these rows whatever it takes, unless the writer is abandoned: tries again, halves, quarantines. */
  async #writeAll(database: Database, batch: readonly Pending<C>[], refusal?: unknown): Promise<void> {
    for (let tries = 1; !this.#abandoned; tries++) {
      try {
        if (database.state() === "ready") {
          await this.#rowsFor(batch);
          // Given up meanwhile: the inbox gives them to the flows that come.
          if (this.#abandoned) return;
          await this.#write(database, batch, refusal);
          if (tries > 1) this.#options.onTrouble?.(undefined);
          return;
        }
      } catch (error) {
        const blamed = failureKind(error) === "refused" || (mayBlameContent(error) && tries >= TRIES_BEFORE_BLAME);
        if (blamed && batch.length > 1) {
          const half = Math.ceil(batch.length / 2);
          await this.#writeAll(database, batch.slice(0, half));
          await this.#writeAll(database, batch.slice(half));
          return;
        }
        if (blamed && batch.length === 1 && refusal === undefined) return this.#writeAll(database, batch, error);
        database.reportFailure(error);
        this.#options.onTrouble?.(error);
      }
      await this.#pause(backoffMs(tries - 1) * (this.#options.backoffFactor ?? 1));
    }
  }

  /** One transaction. With a `refusal` its samples go to quarantine for that. */
  async #write(database: Database, batch: readonly Pending<C>[], refusal: unknown): Promise<void> {
    const startedMs = performance.now();
    const arrivals: Insertion[] = [];
    const quarantined: Quarantined[] = [];
    const sightings = new Sightings();
    const events = this.#sightings.take();
    for (const sighting of events) sightings.add(sighting);
    for (const { item, rows } of batch) {
      const { entryId, payload } = item;
      if (isQuarantineRecord(payload)) quarantined.push({ entryId, record: payload });
      else if (refusal !== undefined) {
        const reason = codeOf(refusal, "") === "unmappable" ? "unmappable" : "refused-by-database";
        quarantined.push({ entryId, record: refusedSample(payload, reason, messageOf(refusal)) });
      } else if (!payload.vl53l8ch && !payload.as7341) {
        quarantined.push({ entryId, record: refusedSample(payload, "no-sensor-data", "neither frame nor reading") });
      } else {
        arrivals.push({ entryId, sample: payload, rows });
        sightings.add(sightingOf(payload));
      }
    }
    const seen = sightings.take();
    let result: Awaited<ReturnType<typeof insertSamples>>;
    let buckets: ReturnType<BucketMemo["toRequest"]> = [];
    this.#underWay = batch;
    try {
      result = await inTransaction(database.pool, async (client) => {
        const inserted = await insertSamples(client, arrivals);
        if (database.capabilities.cagg) {
          buckets = this.#memo.toRequest(inserted.resultTimesMs, Date.now());
          await requestRefresh(client, buckets);
        }
        await storeSightings(client, seen);
        await storeQuarantined(client, quarantined, this.#options.quarantine);
        return inserted;
      });
    } catch (error) {
      for (const sighting of events) this.#sightings.add(sighting);
      if (this.#abandoned) for (const { item } of batch) this.#options.onGivenUp?.(item);
      throw error;
    } finally {
      this.#underWay = [];
    }
    this.#memo.committed(buckets);
    const reasons = new Map(quarantined.map(({ entryId, record }) => [entryId, record.reason]));
    this.#settle(batch, result.verdicts, reasons, { rows: result.rows, ms: performance.now() - startedMs });
  }

  #settle(
    batch: readonly Pending<C>[],
    verdicts: ReadonlyMap<string, Verdict>,
    reasons: ReadonlyMap<string, string>,
    done: { rows: number; ms: number },
  ): void {
    const report: BatchReport = { ...done, stored: 0, duplicates: 0, quarantined: 0 };
    const isIn = new Set(batch);
    if (!this.#abandoned) {
      for (const { bytes } of batch) this.#pendingBytes -= bytes;
      this.#pending.splice(0, this.#pending.length, ...this.#pending.filter((pending) => !isIn.has(pending)));
    }
    const settled: [WriterItem<C>, Outcome][] = [];
    for (const pending of batch) {
      // They may be told of much later, and rows weigh as much as the sample.
      pending.rows = undefined;
      const { item } = pending;
      const { entryId } = item;
      const reason = reasons.get(entryId);
      const outcome: Outcome =
        reason !== undefined ? { kind: "quarantined", reason } : { kind: verdicts.get(entryId) ?? "stored" };
      if (outcome.kind === "stored") report.stored += 1;
      else if (outcome.kind === "duplicate") report.duplicates += 1;
      else report.quarantined += 1;
      this.#entries.delete(entryId);
      this.#options.settle(entryId, outcome);
      settled.push([item, outcome]);
    }
    if (batch.length === 0 || this.#abandoned) return;
    this.#telling = this.#telling.then(() => this.#tell(settled)).then(() => this.#options.onBatch?.(report));
  }

  /** Tells of what was settled, some at a time: whoever listens has work with each, and the doors wait meanwhile. */
  async #tell(settled: readonly [WriterItem<C>, Outcome][]): Promise<void> {
    const untilMs = performance.now() + TELL_WAIT_MS;
    for (const [index, [item, outcome]] of settled.entries()) {
      if (index > 0 && index % TOLD_AT_ONCE === 0) await leisure(untilMs);
      this.#options.onSettled?.(item, outcome);
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#abandoned) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Undefined where there are none, and where they cannot be made, which is a matter of the batch. */
function rowsOfItem({ entryId, payload }: WriterItem<unknown>): SampleRows | undefined {
  if (isQuarantineRecord(payload)) return undefined;
  try {
    return rowsOf({ entryId, sample: payload });
  } catch {
    return undefined;
  }
}

/** Roughly what an item weighs: its raw bytes, as much again as matrices, and the rest. */
function sizeOf(payload: Sample | QuarantineRecord): number {
  if (isQuarantineRecord(payload)) return payload.bytes.length + 500;
  const raw = payload.vl53l8ch?.raw ?? payload.as7341?.raw;
  return 2 * (raw?.bytes.length ?? 0) + 4000;
}
