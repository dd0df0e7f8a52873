import { setTimeout as sleep } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { type DirectoryLock, lockDirectory } from "../host/directory-lock.ts";
import { CodedError, messageOf } from "../host/errors.ts";
import type { Envelope, Inbox, InboxEntry, InboxReport, Outcome, QuarantineRecord } from "../sample/inbox.ts";
import { keptBytes } from "../sample/raw-bytes.ts";
import type { Transport } from "../sample/units.ts";
import { Admission, type Obstacle, type Waiting } from "./admission.ts";
import { metaOf } from "./entry-record.ts";
import { EntryTable, type Held, newHeld } from "./entry-table.ts";
import type { Host } from "./guest.ts";
import { Ledger } from "./ledger.ts";
import { DEFAULT_LIMITS, type InboxLimits } from "./limits.ts";
import { Pace } from "./pace.ts";
import { storePaths } from "./store-paths.ts";
import type { GateEntry, OpenAnswer, StoreNotice } from "./store-protocol.ts";
import { StoreThread } from "./store-thread.ts";
import { StoreWriter } from "./store-writer.ts";

export interface InboxOptions {
  /** Where its files are; made where it is not there. */
  directory: string;
  limits?: Partial<InboxLimits>;
  /** Told in a sentence each: what was repaired, that the inbox takes nothing, that it takes entries again. */
  onNews?: (news: InboxNews) => void;
  /** Largest database, pages of 4 KiB; 0 (the default): only the disk and `maxBytes` bound it. */
  maxPages?: number;
  /** Room kept for settling when the disk is full, bytes (default 16 MiB, twice the journal's usual length). */
  reserveBytes?: number;
}

export interface InboxNews {
  level: "info" | "warn" | "error";
  text: string;
}

/** Bytes kept in memory for entries not emitted yet; the rest is read back when its turn comes. */
const MOST_CACHED_BYTES = 16 * 1024 * 1024;
const MOST_READ = 64;
const MOST_READ_BYTES = 4 * 1024 * 1024;
/** Emissions without a claim, or crashes in flight, after which an entry goes to quarantine. */
const MOST_TRIES = 3;
/** An inbox that was full is called so until it is filled no more than this. */
const ROOM_AGAIN = 0.9;
const MOST_UNTOLD = 50;
const REOPEN_FROM_MS = 100;
const REOPEN_TO_MS = 10_000;

const REASONS = {
  "lost-in-flow": `emitted ${MOST_TRIES} times, and no node took it on`,
  "crashed-three-times": `in the flow when the process crashed, ${MOST_TRIES} times`,
};

interface Consumer {
  take(entry: InboxEntry): void;
  quarantine: ((entryId: string, record: QuarantineRecord) => void) | undefined;
}

/**
 * The durable inbox: an append resolves when the entry is on the disk, and it is given to the flows, in order, until it
 * is settled, through deploys and crashes. Bounded; when it or the disk is full it takes nothing, says so, and goes on
 * by itself.
 */
export class DurableInbox implements Inbox, Host {
  readonly #options: InboxOptions;
  readonly #limits: InboxLimits;
  readonly #thread: StoreThread;
  readonly #writer: StoreWriter;
  readonly #table = new EntryTable();
  readonly #pace = new Pace();
  readonly #admission = new Admission((problem) => this.#noteFull(problem));
  #ledger = new Ledger();
  #lock: DirectoryLock | undefined;
  #emitTo = 0;
  #consumer: Consumer | undefined;
  #overdueTimer: NodeJS.Timeout | undefined;
  #isPumping = false;
  #isHeld = false;
  #isReading = false;
  #isFull = false;
  #diskProblem: string | undefined;
  #failure: string | undefined;
  #damagedEntries = 0;
  #repairs: string[] = [];
  #closing: Promise<void> | undefined;
  readonly #drainers = new Set<() => void>();
  readonly #untold: InboxNews[] = [];
  readonly #listeners = new Set<(news: InboxNews) => void>();

  private constructor(options: InboxOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    if (options.onNews) this.#listeners.add(options.onNews);
    this.#thread = new StoreThread(
      options.directory,
      (notice) => this.#noticed(notice),
      (error) => this.#storeFailed(error),
    );
    this.#writer = new StoreWriter(this.#thread, {
      committed: (firstId, entries) => this.#appended(firstId, entries),
      window: () => this.#window(),
      mayEmit: (emitTo) => {
        this.#emitTo = Math.max(this.#emitTo, emitTo);
        this.#pump();
      },
      disk: (problem) => this.#diskChanged(problem),
      failed: (error) => void this.#reopen(error),
    });
  }

  /**
   * Opens the inbox of a directory, which this process then has to itself. A damaged one is opened as far as it can be
   * read; `stats().health.repairs` and `onNews` tell what was done.
   * @throws CodedError `inbox-in-use`; `store-version`; `disk-full` or `inbox-failed` when the disk does not let it
   */
  static async open(options: InboxOptions): Promise<DurableInbox> {
    const inbox = new DurableInbox(options);
    const lock = lockDirectory(storePaths(options.directory), "inbox");
    try {
      inbox.#adopt(await inbox.#openStore(false));
    } catch (error) {
      await inbox.#thread.abandon();
      lock.release();
      throw error;
    }
    inbox.#lock = lock;
    return inbox;
  }

  /** Hears of what happens, until the returned function is called; the first one also of what nobody has heard yet. */
  onNews(listener: (news: InboxNews) => void): () => void {
    this.#listeners.add(listener);
    for (const news of this.#untold.splice(0)) listener(news);
    return () => this.#listeners.delete(listener);
  }

  /** Changes the bounds; what is already held stays. */
  configure(limits: Partial<InboxLimits>): void {
    Object.assign(this.#limits, limits);
    this.#writer.minFreeBytes = this.#limits.minFreeBytes;
    void this.#setGate();
    if (this.#consumer) this.#watchOverdue();
    this.#pump();
  }

  async append(envelope: Envelope): Promise<string> {
    this.#admission.admit(envelope.bytes.length, this.#limits, this.#waiting(), this.#obstacle());
    const id = await new Promise<number>((resolve, reject) => {
      this.#writer.append({
        meta: metaOf(envelope),
        device: this.#ledger.deviceKey(envelope.provenDeviceId ?? ""),
        bytes: keptBytes(envelope.bytes),
        resolve,
        reject,
      });
    });
    return String(id);
  }

  async host(module: URL): Promise<MessagePort> {
    if (this.#closing) throw new CodedError("inbox-closed", "the inbox is closed");
    if (this.#failure !== undefined) throw new CodedError("inbox-failed", this.#failure);
    return this.#thread.host(module);
  }

  #obstacle(): Obstacle | undefined {
    if (this.#closing) return { code: "inbox-closed", text: "the inbox is closed" };
    if (this.#failure !== undefined) return { code: "inbox-failed", text: this.#failure };
    return this.#diskProblem === undefined ? undefined : { code: "disk-full", text: this.#diskProblem };
  }

  /** What holds here holds for the guests of the store's thread. */
  async #setGate(): Promise<void> {
    try {
      await this.#thread.gate({ bounds: this.#limits, obstacle: this.#obstacle() });
    } catch {
      // The thread is gone, or has no store: what it is told when that opens again counts.
    }
  }

  #noticed(notice: StoreNotice): void {
    if (notice.kind === "committed") this.#writer.appended(notice);
    else if (notice.kind === "full") this.#noteFull(notice.problem);
    else this.#writer.refused(new CodedError(notice.code, notice.problem));
  }

  /** @throws CodedError `inbox-busy` while another consumer is attached */
  attach(
    consumer: (entry: InboxEntry) => void,
    toQuarantine?: (entryId: string, record: QuarantineRecord) => void,
  ): { detach(): void } {
    if (this.#consumer) throw new CodedError("inbox-busy", "the inbox already has a consumer");
    const attached: Consumer = { take: consumer, quarantine: toQuarantine };
    this.#consumer = attached;
    this.#table.recallAll();
    this.#watchOverdue();
    this.#pump();
    return {
      detach: () => {
        if (this.#consumer !== attached) return;
        this.#consumer = undefined;
        clearInterval(this.#overdueTimer);
      },
    };
  }

  /** Takes entries and gives none to the flows until the returned function is called. */
  hold(): () => void {
    this.#isHeld = true;
    return () => {
      this.#isHeld = false;
      this.#pump();
    };
  }

  claim(entryId: string, owner: string): boolean {
    const held = this.#table.get(entryId);
    return held !== undefined && this.#table.claim(held, owner);
  }

  handOn(entryId: string, owner: string): void {
    const held = this.#table.get(entryId);
    if (held) this.#table.handOn(held, owner, performance.now());
  }

  release(entryId: string, owner: string): void {
    const held = this.#table.get(entryId);
    if (!held || !this.#table.handOn(held, owner, performance.now()) || held.owners.length > 0) return;
    this.#table.recall(held);
    this.#pump();
  }

  identify(entryId: string, deviceId: string): void {
    const held = this.#table.get(entryId);
    const device = this.#ledger.deviceKey(deviceId);
    if (!held || held.device === device) return;
    this.#ledger.moved(held.device, device, held.size);
    held.device = device;
  }

  settle = (entryId: string, outcome: Outcome): void => {
    const held = this.#table.get(entryId);
    // Nobody can know of an entry that was never emitted, so such a call is a mistake and must lose nothing.
    if (held?.isKnown) this.#settle(held, outcome);
  };

  get isEmitting(): boolean {
    return this.#isPumping;
  }

  refuse(transport: Transport, reason: string, deviceId = ""): void {
    const counted = this.#ledger.refused(transport, reason, deviceId);
    this.#writer.refuse(transport, counted.reason, counted.device);
  }

  stats(): InboxReport {
    const { claimed, inFlight, oldest } = this.#table;
    return {
      ...this.#ledger.stats(),
      emitted: inFlight - claimed,
      claimed,
      held: this.#table.size,
      backlogAgeS: oldest ? Math.max(0, performance.now() - oldest.receivedMs) / 1000 : 0,
      health: this.#health(),
      store: this.#writer.figures,
    };
  }

  drain(timeoutMs: number): Promise<number> {
    if (this.#waiting().entries === 0) return Promise.resolve(0);
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#drainers.delete(finish);
        resolve(this.#waiting().entries);
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#drainers.add(finish);
    });
  }

  /** Takes and emits nothing more, brings what was settled to the disk, and closes the store in order. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends as a crash would, for tests: nothing more reaches the disk. */
  async abandon(): Promise<void> {
    this.#closing ??= Promise.resolve();
    this.#stopEmitting();
    this.#writer.rest(new CodedError("inbox-closed", "the inbox is closed"));
    await this.#thread.abandon();
    this.#lock?.release();
  }

  /** Ends the store's thread as its failure would, for tests; the inbox opens the store again by itself. */
  breakStore(): void {
    this.#thread.kill("was broken");
  }

  async #close(): Promise<void> {
    this.#stopEmitting();
    try {
      await this.#setGate();
      await this.#writer.flush();
      this.#writer.rest(new CodedError("inbox-closed", "the inbox is closed"));
      const emissions = [...this.#table.all()].filter(({ isKnown }) => isKnown);
      await this.#thread.close({ emissions: emissions.map((held) => ({ id: held.id, times: held.emissions })) });
    } catch (error) {
      this.#tell("warn", `the inbox could not be closed in order: ${messageOf(error)}`);
      await this.#thread.abandon();
    } finally {
      this.#lock?.release();
    }
  }

  #stopEmitting(): void {
    this.#consumer = undefined;
    clearInterval(this.#overdueTimer);
    for (const wake of this.#drainers) wake();
  }

  #waiting(): Waiting {
    const { entries, bytes } = this.#writer.pending;
    return { entries: this.#table.size + entries, bytes: this.#table.bytes + bytes };
  }

  #openStore(isResumed: boolean): Promise<OpenAnswer> {
    const { directory, maxPages = 0, reserveBytes = 16 * 1024 * 1024 } = this.#options;
    return this.#thread.open({ directory, window: 2 * this.#limits.maxInFlight, isResumed, maxPages, reserveBytes });
  }

  /** Takes over what the store has; what is known of its entries already stays. */
  #adopt(opened: OpenAnswer): void {
    const now = { monotonicMs: performance.now(), wallMs: Date.now() };
    this.#ledger = Ledger.of(opened.accounts);
    const stored = new Set(opened.entries.map(({ id }) => id));
    for (const held of [...this.#table.all()]) if (!stored.has(held.id)) this.#table.remove(held);
    this.#writer.forgetSettled(({ id }) => !stored.has(id));
    const settled = new Map(this.#writer.settled.map((entry) => [entry.id, entry]));
    for (const { id, meta, size, attempts, crashes } of opened.entries) {
      const receivedBy = this.#ledger.storedKey(meta.provenDeviceId);
      this.#ledger.waits(meta.transport, receivedBy, size);
      const known = this.#table.get(String(id));
      const done = settled.get(id);
      const device = done?.device ?? known?.device ?? receivedBy;
      if (device !== receivedBy) this.#ledger.moved(receivedBy, device, size);
      if (done) this.#ledger.settled(meta.transport, device, size, done.outcome);
      if (done || known) continue;
      const ageMs = Math.max(0, now.wallMs - Date.parse(meta.receivedAt)) || 0;
      const held = newHeld({
        id,
        meta,
        size,
        receivedMs: now.monotonicMs - ageMs,
        receivedBy,
        emissions: attempts,
      });
      if (crashes >= MOST_TRIES) held.reason = "crashed-three-times";
      this.#table.add(held);
    }
    this.#damagedEntries = opened.damagedEntries;
    this.#repairs = [...this.#repairs, ...opened.repairs].slice(-20);
    for (const text of opened.repairs) this.#tell("warn", text);
    const doomed = [...this.#table.all()].filter(({ reason }) => reason === "crashed-three-times").length;
    if (doomed > 0) this.#tell("warn", `${doomed} entries were in the flow in three crashes: they go to quarantine`);
    this.#writer.minFreeBytes = this.#limits.minFreeBytes;
    this.#emitTo = opened.emitTo;
    void this.#setGate();
    this.#writer.resume(opened.lastId, opened.emitTo, opened.figures);
  }

  #storeFailed(error: unknown): void {
    if (this.#failure !== undefined || this.#closing || !this.#lock) return;
    this.#writer.rest(new CodedError("inbox-failed", messageOf(error)));
    void this.#reopen(error);
  }

  /** The store's thread died, or found damage: opens it again, as often as it takes. */
  async #reopen(error: unknown): Promise<void> {
    if (this.#failure !== undefined || this.#closing) return;
    this.#failure = messageOf(error);
    this.#tell("error", `the inbox takes nothing, its store failed: ${this.#failure}`);
    for (let waitMs = REOPEN_FROM_MS; !this.#closing; waitMs = Math.min(REOPEN_TO_MS, waitMs * 2)) {
      try {
        this.#thread.kill("starts again");
        const opened = await this.#openStore(true);
        this.#failure = undefined;
        this.#adopt(opened);
        this.#tell("info", "the inbox takes entries again");
        return;
      } catch (again) {
        this.#failure = messageOf(again);
        await sleep(waitMs, undefined, { ref: false });
      }
    }
  }

  #appended(firstId: number, entries: readonly GateEntry[]): void {
    const receivedMs = performance.now();
    entries.forEach(({ meta, device, size, bytes }, index) => {
      const fits = this.#table.cachedBytes + size <= MOST_CACHED_BYTES;
      this.#table.add(
        newHeld({
          id: firstId + index,
          meta,
          size,
          receivedMs,
          receivedBy: device,
          ...(fits && bytes && { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, size) }),
        }),
      );
      this.#ledger.received(meta.transport, device, size);
    });
    this.#pump();
  }

  #window(): { emitTo: number; spare: number } {
    const window = 2 * this.#limits.maxInFlight;
    const spare = Math.max(0, window - this.#table.fresh);
    return { emitTo: this.#table.horizon(window) ?? this.#emitTo, spare };
  }

  #settle(held: Held, outcome: Outcome, isDamaged = false): void {
    const { id, meta, receivedBy, device, size } = held;
    this.#table.remove(held);
    const counted = this.#ledger.settled(meta.transport, device, size, outcome);
    this.#writer.settle({ id, transport: meta.transport, receivedBy, device, size, outcome: counted }, isDamaged);
    this.#noteRoom();
    if (this.#waiting().entries === 0) for (const wake of this.#drainers) wake();
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping || this.#isReading || !this.#canEmit()) return;
    this.#isPumping = true;
    this.#pace.wish();
    setImmediate(() => {
      this.#isPumping = false;
      this.#pace.begin();
      if (this.#emitSome()) this.#pump();
      this.#pace.end();
    });
  }

  #canEmit(): boolean {
    return (
      this.#consumer !== undefined &&
      !this.#isHeld &&
      this.#table.inFlight < this.#limits.maxInFlight &&
      this.#table.next() !== undefined
    );
  }

  /** @returns whether to go on at the next turn */
  #emitSome(): boolean {
    while (this.#pace.mayEmit && this.#canEmit()) {
      const held = this.#table.next();
      if (!held) return false;
      if (held.id > this.#emitTo) {
        this.#writer.takeTurn();
        return false;
      }
      if (!held.bytes) {
        void this.#readAhead();
        return false;
      }
      this.#pace.emitted();
      this.#emit(held, held.bytes);
    }
    return true;
  }

  #emit(held: Held, bytes: Buffer): void {
    const { meta, reason } = held;
    const entryId = String(held.id);
    const attempts = held.emissions;
    this.#table.emit(held, performance.now());
    try {
      if (reason !== undefined && this.#consumer?.quarantine) {
        const { transport, receivedAt, siteId, lineId, provenDeviceId } = meta;
        const deviceId = provenDeviceId ?? (held.device === held.receivedBy ? undefined : held.device);
        this.#consumer.quarantine(entryId, {
          quarantine: true,
          reason,
          detail: Reflect.get(REASONS, reason) ?? "",
          transport,
          receivedAt,
          siteId,
          ...(lineId !== undefined && { lineId }),
          ...(provenDeviceId !== undefined && { provenDeviceId }),
          ...(deviceId !== undefined && { deviceId }),
          bytes,
        });
      } else {
        const problem = meta.problem ?? reason;
        this.#consumer?.take({ ...meta, ...(problem !== undefined && { problem }), bytes, entryId, attempts });
      }
    } catch {
      // The consumer's failure is its own to report; unclaimed, the entry is emitted again.
    }
  }

  async #readAhead(): Promise<void> {
    this.#isReading = true;
    let total = 0;
    const wanted = this.#table.upcoming(MOST_READ).filter((held) => {
      total += held.size;
      return !held.bytes && (total <= MOST_READ_BYTES || total === held.size);
    });
    try {
      const { entries, damaged } = await this.#thread.read(wanted.map(({ id }) => id));
      for (const { id, bytes } of entries) {
        const held = this.#table.get(String(id));
        if (held) this.#table.keepBytes(held, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      }
      for (const id of damaged) this.#lose(this.#table.get(String(id)));
    } catch (error) {
      this.#storeFailed(error);
      return;
    } finally {
      this.#isReading = false;
    }
    this.#pump();
  }

  /** An entry that could not be read back: it is counted, and never made up. */
  #lose(held: Held | undefined): void {
    if (!held) return;
    this.#damagedEntries += 1;
    this.#tell(
      "error",
      `entry ${held.id} (${held.meta.transport}, ${held.meta.receivedAt}) is damaged and cannot be read`,
    );
    this.#settle(held, { kind: "discarded", reason: "damaged-entry" }, true);
  }

  #watchOverdue(): void {
    clearInterval(this.#overdueTimer);
    const { claimWithinMs } = this.#limits;
    this.#overdueTimer = setInterval(() => this.#recallOverdue(), Math.min(1000, Math.max(5, claimWithinMs / 4)));
    this.#overdueTimer.unref();
  }

  #recallOverdue(): void {
    const overdue = this.#table.overdue(performance.now() - this.#limits.claimWithinMs);
    for (const held of overdue) {
      held.timeouts += 1;
      if (held.timeouts >= MOST_TRIES && held.reason === undefined) {
        held.reason = "lost-in-flow";
        this.#tell("warn", `entry ${held.id} was lost in the flow ${MOST_TRIES} times: it goes to quarantine`);
      }
      this.#table.recall(held);
    }
    if (overdue.length > 0) this.#pump();
  }

  #noteFull(problem: string): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#tell("error", `the inbox is full and takes nothing: ${problem}`);
  }

  #noteRoom(): void {
    if (!this.#isFull) return;
    const { entries, bytes } = this.#waiting();
    const { maxEntries, maxBytes } = this.#limits;
    if (entries > maxEntries * ROOM_AGAIN || bytes > maxBytes * ROOM_AGAIN) return;
    this.#isFull = false;
    this.#tell("info", "the inbox takes entries again");
  }

  #diskChanged(problem: string | undefined): void {
    this.#diskProblem = problem;
    void this.#setGate();
    if (problem === undefined) this.#tell("info", "the inbox takes entries again: the disk has room");
    else this.#tell("error", `the inbox takes nothing: ${problem}`);
  }

  #health(): InboxReport["health"] {
    const health = { damagedEntries: this.#damagedEntries, repairs: this.#repairs };
    if (this.#closing) return { ...health, state: "closed" };
    if (this.#failure !== undefined) return { ...health, state: "failed", problem: this.#failure };
    if (this.#diskProblem !== undefined) return { ...health, state: "disk-full", problem: this.#diskProblem };
    if (!this.#isFull) return { ...health, state: "open" };
    const { entries, bytes } = this.#waiting();
    return { ...health, state: "full", problem: `${entries} entries (${bytes} bytes) are waiting` };
  }

  #tell(level: InboxNews["level"], text: string): void {
    if (this.#listeners.size === 0 && this.#untold.length < MOST_UNTOLD) this.#untold.push({ level, text });
    for (const listener of this.#listeners) listener({ level, text });
  }
}
