import { randomFillSync } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { CodedError, messageOf } from "../host/errors.ts";
import type { Transport } from "../sample/units.ts";
import type { Waiting } from "./admission.ts";
import { readEnvelope, readMeta, recordOf } from "./entry-record.ts";
import { IdReserve } from "./id-reserve.ts";
import { MOST_DEVICES, OTHER_DEVICES } from "./ledger.ts";
import { keepDamaged, putAside, salvage } from "./salvage.ts";
import { AccountChanges, balance, readAccounts } from "./store-accounts.ts";
import { isDamage, isDiskTrouble } from "./store-errors.ts";
import { type StorePaths, storePaths } from "./store-paths.ts";
import type {
  CloseQuestion,
  CommitAnswer,
  CommitQuestion,
  FileFigures,
  OpenAnswer,
  OpenQuestion,
  ReadAnswer,
  SettledEntry,
  StoredEntry,
} from "./store-protocol.ts";
import { connect, factIn, inTransaction, LONG_JOURNAL_BYTES, prepare, setFact } from "./store-schema.ts";

/** A database that was closed in order and is larger is trusted; looking through it would take seconds. */
const ALWAYS_LOOKED_THROUGH_BYTES = 512 * 1024 * 1024;
const FREE_EVERY_MS = 1000;

/** What one transaction brings to the store. */
interface Batch extends Pick<CommitQuestion, "settled" | "refusals" | "emitTo" | "damaged"> {
  appends: readonly Appended[];
  /** So many of them may be emitted at once. */
  spare: number;
}

/** An entry to be appended; `meta` as JSON. */
export interface Appended {
  meta: string;
  transport: Transport;
  device: string;
  bytes: Uint8Array;
}

/** The inbox's store: one SQLite database, used by one thread. */
export class StoreFile {
  readonly #paths: StorePaths;
  readonly #reserveBytes: number;
  readonly #ids: IdReserve;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #deleteEmitted: StatementSync;
  readonly #select: StatementSync;
  #nextId = 0;
  #emitTo = 0;
  /** Entries that may still be emitted beyond `#emitTo` before the inbox says so. */
  #spare = 0;
  /** Appended by guests, and not known to the inbox when it last asked. */
  #untold: { lastId: number; count: number }[] = [];
  /** Accounts of devices. */
  readonly #devices = new Set<string>();
  #waiting: Waiting = { entries: 0, bytes: 0 };
  #freeBytes = 0;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  private constructor(paths: StorePaths, question: OpenQuestion, database: DatabaseSync, ids: IdReserve) {
    this.#paths = paths;
    this.#reserveBytes = question.reserveBytes;
    this.#database = database;
    this.#ids = ids;
    this.#insert = database.prepare("INSERT INTO entry VALUES (?, ?, ?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM entry WHERE id = ?");
    this.#deleteEmitted = database.prepare("DELETE FROM emitted WHERE id = ?");
    this.#select = database.prepare("SELECT id, meta, meta_crc, crc, bytes FROM entry WHERE id = ?");
  }

  /**
   * Opens the store or makes it; what is damaged is salvaged into a new one and the old one put aside. Entries that were
   * in flight when the process ended without closing are counted so, before anything is emitted.
   */
  static open(question: OpenQuestion): { store: StoreFile; answer: OpenAnswer } {
    const paths = storePaths(question.directory);
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
    const repairs: string[] = [];
    const ids = new IdReserve(paths.ids);
    let { database, isNew } = openOrSalvage(paths, question, repairs);
    let listed: ReturnType<typeof list>;
    try {
      listed = list(database, paths);
    } catch (error) {
      // Damage that looking through does not see.
      if (!isDamage(error)) throw error;
      database.close();
      ({ database, isNew } = afresh(paths, question, error, repairs));
      listed = list(database, paths);
    }
    if (isNew && ids.reservedTo > 0 && repairs.length === 0)
      repairs.push("the store is gone, though there was one: a new one was made");
    if (listed.damaged > 0)
      repairs.push(`${listed.damaged} entries were damaged and are kept in ${paths.damagedEntries}`);
    const store = new StoreFile(paths, question, database, ids);
    const answer = store.#begin(listed.entries, question, repairs, isNew);
    return { store, answer };
  }

  #begin(entries: StoredEntry[], question: OpenQuestion, repairs: string[], isNew: boolean): OpenAnswer {
    const database = this.#database;
    const isClosed = factIn(database, "is_closed") === 1;
    const emittedTo = factIn(database, "emit_to");
    const reserved = this.#ids.reservedTo;
    const last = Math.max(entries.at(-1)?.id ?? 0, factIn(database, "next_id") - 1, reserved);
    // Without any trace of earlier ids the clock keeps new ones apart from those before.
    this.#nextId = last > 0 && !(isNew && reserved === 0) ? last + 1 : Math.max(last + 1, Date.now() * 1000);
    this.#ids.cover(this.#nextId);
    const accounts = readAccounts(database);
    const { changes, sentence } = balance(accounts, entries);
    if (sentence !== undefined) repairs.push(sentence);
    const emitTo = entries[Math.min(question.window, entries.length) - 1]?.id ?? this.#nextId - 1;
    this.#emitTo = emitTo;
    this.#waiting = { entries: entries.length, bytes: entries.reduce((sum, { size }) => sum + size, 0) };
    const crashed = isClosed || question.isResumed ? [] : entries.filter(({ id }) => id <= emittedTo);
    inTransaction(database, () => {
      changes.write(database);
      const count = database.prepare(
        "INSERT INTO emitted VALUES (?, 1, 1) ON CONFLICT DO UPDATE SET attempts = attempts + 1, crashes = crashes + 1",
      );
      for (const entry of crashed) {
        count.run(entry.id);
        entry.attempts += 1;
        entry.crashes += 1;
      }
      setFact(database, "is_closed", 0);
      setFact(database, "emit_to", emitTo);
      setFact(database, "next_id", this.#nextId);
    });
    this.#keepReserve();
    const stored = readAccounts(database);
    for (const { kind, name } of stored) if (kind === "device") this.#devices.add(name);
    return {
      kind: "open",
      lastId: this.#nextId - 1,
      emitTo,
      damagedEntries: factIn(database, "damaged"),
      entries,
      accounts: stored,
      repairs,
      figures: this.#figures(),
    };
  }

  /** What waits to be settled. */
  get waiting(): Waiting {
    return this.#waiting;
  }

  /** The account an entry of this device is received into. */
  accountOf(deviceId: string | undefined): string {
    if (deviceId === undefined) return "";
    return this.#devices.has(deviceId) || this.#devices.size < MOST_DEVICES ? deviceId : OTHER_DEVICES;
  }

  /** One transaction. Settling works even when the disk is full: room is kept for it. */
  commit({ appends, bytes, spare, knownTo, ...rest }: CommitQuestion): CommitAnswer {
    this.#untold = this.#untold.filter(({ lastId }) => lastId > knownTo);
    let at = 0;
    return this.#commit({
      ...rest,
      spare: this.#untold.reduce((left, { count }) => left - count, spare),
      appends: appends.map(({ meta, transport, device, size }) => {
        at += size;
        return { meta, transport, device, bytes: bytes.subarray(at - size, at) };
      }),
    });
  }

  /** One transaction of entries that the inbox has yet to hear of. */
  append(appends: readonly Appended[]): CommitAnswer {
    const nothing = { settled: [], refusals: [], damaged: 0, emitTo: this.#emitTo };
    const answer = this.#commit({ appends, spare: this.#spare, ...nothing });
    this.#untold.push({ lastId: this.#nextId - 1, count: appends.length });
    return answer;
  }

  #commit(batch: Batch): CommitAnswer {
    const startedMs = performance.now();
    const firstId = this.#nextId;
    try {
      this.#write(batch);
    } catch (error) {
      // Whether they are on the disk may be unknown: their ids are never used again.
      this.#nextId += batch.appends.length;
      if (!isDiskTrouble(error) || batch.appends.length > 0 || !existsSync(this.#paths.reserve)) throw error;
      rmSync(this.#paths.reserve, { force: true });
      this.#write(batch);
    }
    const ms = performance.now() - startedMs;
    // Beyond this the reserve would not hold what the database grows by when the journal is moved to it.
    const longest = Math.min(LONG_JOURNAL_BYTES, this.#reserveBytes / 2 || LONG_JOURNAL_BYTES);
    if (sizeOf(this.#paths.journal) > longest) {
      try {
        this.#emptyJournal();
      } catch {
        // What was committed is; a store that fails says so with its next commit.
      }
    }
    return { kind: "commit", firstId, emitTo: this.#emitTo, ms, figures: this.#figures() };
  }

  #write({ appends, spare, settled, refusals, emitTo: wanted, damaged }: Batch): void {
    const database = this.#database;
    const firstId = this.#nextId;
    const nextId = firstId + appends.length;
    const ahead = Math.max(0, Math.min(appends.length, spare));
    const emitTo = Math.max(this.#emitTo, wanted, ahead > 0 ? firstId + ahead - 1 : 0);
    let { entries, bytes: total } = this.#waiting;
    if (appends.length > 0) this.#ids.cover(nextId);
    inTransaction(database, () => {
      const changes = new AccountChanges();
      appends.forEach(({ meta, transport, device, bytes }, index) => {
        const record = recordOf(firstId + index, meta, bytes);
        this.#insert.run(record.id, record.meta, record.metaCrc, record.crc, record.bytes);
        changes.received(transport, device);
        total += bytes.length;
      });
      entries += appends.length;
      for (const entry of settled) {
        if (!this.#settle(entry, changes)) continue;
        entries -= 1;
        total -= entry.size;
      }
      for (const refused of refusals) changes.refused(refused);
      changes.write(database);
      setFact(database, "next_id", nextId);
      setFact(database, "emit_to", emitTo);
      if (damaged > 0) setFact(database, "damaged", factIn(database, "damaged") + damaged);
    });
    for (const { device } of appends) this.#devices.add(device);
    for (const { device } of settled) this.#devices.add(device);
    this.#nextId = nextId;
    this.#emitTo = emitTo;
    this.#spare = spare - ahead;
    this.#waiting = { entries, bytes: total };
  }

  /** @returns false for an entry that is gone already: it was settled in a transaction whose answer was lost */
  #settle(entry: SettledEntry, changes: AccountChanges): boolean {
    if (this.#delete.run(entry.id).changes === 0) return false;
    this.#deleteEmitted.run(entry.id);
    changes.settled(entry);
    return true;
  }

  /** Reads entries back, as far as they are what was written. */
  read(ids: readonly number[]): ReadAnswer {
    const answer: ReadAnswer = { kind: "read", entries: [], damaged: [] };
    for (const id of ids) {
      const row = this.#select.get(id);
      const envelope = row && readEnvelope(row);
      if (envelope) {
        const { bytes, ...meta } = envelope;
        answer.entries.push({ id, meta, bytes });
      } else {
        if (row) keepDamaged(this.#paths, row);
        answer.damaged.push(id);
      }
    }
    return answer;
  }

  /** Closes in order: the next start takes nothing for crashed. */
  close({ emissions }: Pick<CloseQuestion, "emissions">): void {
    const database = this.#database;
    try {
      inTransaction(database, () => {
        const emitted = database.prepare(
          "INSERT INTO emitted VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET attempts = max(attempts, excluded.attempts)",
        );
        for (const { id, times } of emissions) emitted.run(id, times);
        setFact(database, "is_closed", 1);
        setFact(database, "emit_to", 0);
      });
      database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#ids.close(this.#nextId - 1);
    } finally {
      database.close();
    }
  }

  #figures(): FileFigures {
    const nowMs = performance.now();
    if (nowMs - this.#freeAtMs >= FREE_EVERY_MS) {
      this.#freeAtMs = nowMs;
      this.#freeBytes = freeBytesOf(this.#paths.root);
    }
    return {
      bytes: sizeOf(this.#paths.database),
      journalBytes: sizeOf(this.#paths.journal),
      freeBytes: this.#freeBytes,
    };
  }

  /** What there is when the disk was full: the journal gives its room back, and the reserve is made again where it fits. */
  look(): FileFigures {
    if (!this.#emptyJournal()) {
      // The database had to grow for what the journal holds.
      rmSync(this.#paths.reserve, { force: true });
      this.#emptyJournal();
    }
    this.#freeAtMs = Number.NEGATIVE_INFINITY;
    this.#keepReserve();
    return this.#figures();
  }

  #emptyJournal(): boolean {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      return true;
    } catch (error) {
      if (isDiskTrouble(error)) return false;
      throw error;
    }
  }

  #keepReserve(): void {
    const free = freeBytesOf(this.#paths.root);
    if (this.#reserveBytes === 0 || sizeOf(this.#paths.reserve) >= this.#reserveBytes) return;
    if (free < 4 * this.#reserveBytes) return;
    try {
      // Random, so that no file system makes it smaller than it is.
      writeFileSync(this.#paths.reserve, randomFillSync(Buffer.alloc(this.#reserveBytes)), {
        mode: 0o600,
        flush: true,
      });
    } catch {
      rmSync(this.#paths.reserve, { force: true });
    }
  }
}

function openOrSalvage(paths: StorePaths, question: OpenQuestion, repairs: string[]) {
  let database: DatabaseSync | undefined;
  try {
    database = connect(paths.database, question.maxPages);
    const size = sizeOf(paths.database);
    const isNew = prepare(database, (isClosed) => !isClosed || size <= ALWAYS_LOOKED_THROUGH_BYTES);
    return { database, isNew };
  } catch (error) {
    database?.close();
    if (!isDamage(error)) throw error;
    return afresh(paths, question, error, repairs);
  }
}

/** A new store with what can be read of the damaged one. */
function afresh(paths: StorePaths, question: OpenQuestion, error: unknown, repairs: string[]) {
  const place = putAside(paths);
  const database = connect(paths.database, question.maxPages);
  try {
    prepare(database, () => false);
    const salvaged = salvage(place, database, paths);
    if (salvaged.damaged > 0) setFact(database, "damaged", factIn(database, "damaged") + salvaged.damaged);
    repairs.push(`the inbox was damaged (${messageOf(error)}): ${salvaged.sentence}`);
    return { database, isNew: salvaged.entries === 0 };
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** Every entry, without its bytes. One whose description is damaged is put aside. */
function list(database: DatabaseSync, paths: StorePaths): { entries: StoredEntry[]; damaged: number } {
  const entries: StoredEntry[] = [];
  const damaged: number[] = [];
  const rows = database
    .prepare(`SELECT id, meta, meta_crc, length(bytes) AS size, attempts, crashes
      FROM entry LEFT JOIN emitted USING (id) ORDER BY id`)
    .iterate();
  for (const { id, meta, meta_crc, size, attempts, crashes } of rows) {
    if (typeof id !== "number") throw new CodedError("store-damaged", "an entry without an id");
    const known = readMeta(id, meta, meta_crc);
    if (known && typeof size === "number")
      entries.push({ id, meta: known, size, attempts: Number(attempts ?? 0), crashes: Number(crashes ?? 0) });
    else damaged.push(id);
  }
  if (damaged.length === 0) return { entries, damaged: 0 };
  const select = database.prepare("SELECT id, meta, meta_crc, crc, bytes FROM entry WHERE id = ?");
  const remove = database.prepare("DELETE FROM entry WHERE id = ?");
  inTransaction(database, () => {
    for (const id of damaged) {
      keepDamaged(paths, select.get(id) ?? { id });
      remove.run(id);
    }
    setFact(database, "damaged", factIn(database, "damaged") + damaged.length);
  });
  return { entries, damaged: damaged.length };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
