import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import type { Transport } from "../sample/units.ts";
import type { Waiting } from "./admission.ts";
import { AppendQueue } from "./append-queue.ts";
import type { EntryMeta } from "./entry-record.ts";
import type { CommitAnswer, FileFigures, GateCommit, GateEntry, Refusals, SettledEntry } from "./store-protocol.ts";
import type { StoreThread } from "./store-thread.ts";

/** An entry on its way to the disk. */
export interface Append {
  meta: EntryMeta;
  /** The account it is received into. */
  device: string;
  bytes: Buffer;
  resolve(id: number): void;
  reject(error: Error): void;
}

export interface WriterHooks {
  /** The appends of a batch are on the disk under ascending ids; told before their promises resolve. */
  committed(firstId: number, entries: readonly GateEntry[]): void;
  /** How far entries may be emitted, and how many beyond that. */
  window(): { emitTo: number; spare: number };
  /** That far they may be emitted now. */
  mayEmit(emitTo: number): void;
  /** The disk is full (or free space below the floor), or takes entries again. */
  disk(problem: string | undefined): void;
  /** The store fails: the writer rests until `resume`. */
  failed(error: unknown): void;
}

const MOST_SETTLED = 4000;
/** Settling waits so long for others, refusals longer: they only count. */
const SETTLE_MS = 20;
const REFUSAL_MS = 1000;
/** While the disk is full it is looked at so often. */
const LOOK_MS = 1000;
const LATENCIES = 512;

/**
 * Brings appends, settlements and refusals to the store, one transaction at a time: whatever comes while one is under
 * way goes into the next. Nothing settled is forgotten when a transaction fails; its appends are rejected.
 */
export class StoreWriter {
  readonly #thread: StoreThread;
  readonly #hooks: WriterHooks;
  readonly #appends = new AppendQueue<Append>();
  #settled: SettledEntry[] = [];
  #refusals = new Map<string, Refusals>();
  #damaged = 0;
  #wantsTurn = false;
  #knownTo = 0;
  #minFreeBytes = 0;
  #isResting = true;
  #isFlushing = false;
  #commit: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #diskProblem: string | undefined;
  #looker: NodeJS.Timeout | undefined;
  #figures: FileFigures = { bytes: 0, journalBytes: 0, freeBytes: 0 };
  readonly #latenciesMs: number[] = [];
  #commits = 0;
  #appended = 0;

  constructor(thread: StoreThread, hooks: WriterHooks) {
    this.#thread = thread;
    this.#hooks = hooks;
  }

  /** Appends not on the disk yet. */
  get pending(): Waiting {
    return this.#appends.waiting;
  }

  get settled(): readonly SettledEntry[] {
    return this.#settled;
  }

  get figures() {
    const sorted = [...this.#latenciesMs].sort((a, b) => a - b);
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      ...this.#figures,
      commits: this.#commits,
      appends: this.#appended,
      commitP50Ms: quantile(0.5),
      commitP99Ms: quantile(0.99),
    };
  }

  set minFreeBytes(bytes: number) {
    this.#minFreeBytes = bytes;
    this.#watchSpace(this.#figures);
  }

  /** The store is open: after `lastId` ids go on. */
  resume(lastId: number, emitTo: number, figures: FileFigures): void {
    this.#knownTo = lastId;
    this.#isResting = false;
    this.#hooks.mayEmit(emitTo);
    this.#watchSpace(figures);
    this.#schedule(0);
  }

  /** Settlements that the store knows already (the answer to their transaction was lost) are done. */
  forgetSettled(isDone: (entry: SettledEntry) => boolean): void {
    this.#settled = this.#settled.filter((entry) => !isDone(entry));
  }

  /** A transaction that fails fails what waits for the next one too, so that order is kept. */
  append(append: Append): void {
    this.#appends.push(append);
    this.#schedule(0);
  }

  /** Guests of the store's thread have appended. */
  appended({ firstId, appends, ...answer }: GateCommit): void {
    this.#committed(firstId, appends, answer);
  }

  /** A guest's transaction failed. */
  refused(error: CodedError): void {
    if (error.code === "disk-full") this.#full(error.message);
    else this.#failed(error, error);
  }

  settle(entry: SettledEntry, isDamaged = false): void {
    this.#settled.push(entry);
    if (isDamaged) this.#damaged += 1;
    this.#schedule(SETTLE_MS);
  }

  refuse(transport: Transport, reason: string, device: string): void {
    this.#count({ transport, reason, device, count: 1 });
    this.#schedule(REFUSAL_MS);
  }

  /** Has a transaction soon, so that entries further on may be emitted. */
  takeTurn(): void {
    this.#wantsTurn = true;
    this.#schedule(0);
  }

  /** Brings everything to the disk that is still to go there; gives up at the first failure. */
  async flush(): Promise<void> {
    this.#isFlushing = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looker);
    await this.#commit;
    while (this.#hasWork()) if (!(await this.#write())) return;
  }

  #hasWork(): boolean {
    if (this.#isResting) return false;
    return !this.#appends.isEmpty || this.#settled.length > 0 || this.#refusals.size > 0;
  }

  /** Nothing goes to the store any more until `resume`; what waits to be appended is rejected. */
  rest(error: Error): void {
    this.#isResting = true;
    clearTimeout(this.#timer);
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#appends.rejectAll(error);
  }

  #schedule(delayMs: number): void {
    if (this.#isResting || this.#isFlushing || this.#commit) return;
    const atMs = performance.now() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const start = () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      if (this.#isResting || this.#isFlushing || this.#commit) return;
      this.#commit = this.#write().then(() => {
        this.#commit = undefined;
        if (!this.#appends.isEmpty || this.#wantsTurn) start();
        else if (this.#settled.length > 0) this.#schedule(this.#diskProblem === undefined ? SETTLE_MS : LOOK_MS);
        else if (this.#refusals.size > 0) this.#schedule(REFUSAL_MS);
      });
    };
    if (delayMs === 0) setImmediate(start);
    else this.#timer = setTimeout(start, delayMs);
  }

  /** One transaction. @returns whether it succeeded */
  async #write(): Promise<boolean> {
    const appends = this.#appends.take();
    const settled = this.#settled.splice(0, MOST_SETTLED);
    const refusals = [...this.#refusals.values()];
    const damaged = this.#damaged;
    this.#refusals = new Map();
    this.#damaged = 0;
    this.#wantsTurn = false;
    let answer: CommitAnswer;
    try {
      answer = await this.#thread.commit({
        appends: appends.map(({ meta, device, bytes }) => ({
          meta: JSON.stringify(meta),
          transport: meta.transport,
          device,
          size: bytes.length,
        })),
        bytes: joined(appends),
        settled,
        refusals,
        ...this.#hooks.window(),
        knownTo: this.#knownTo,
        damaged,
      });
    } catch (error) {
      this.#appends.done();
      this.#settled = [...settled, ...this.#settled];
      this.#damaged += damaged;
      for (const refused of refusals) this.#count(refused);
      const isFull = codeOf(error, "") === "disk-full";
      const reason = new CodedError(isFull ? "disk-full" : "inbox-failed", messageOf(error), { cause: error });
      for (const { reject } of appends) reject(reason);
      if (isFull) this.#full(messageOf(error));
      else this.#failed(reason, error);
      return false;
    }
    // From here on the inbox counts them.
    this.#appends.done();
    const { firstId } = answer;
    this.#committed(
      firstId,
      appends.map(({ meta, device, bytes }) => ({ meta, device, size: bytes.length, bytes })),
      answer,
    );
    for (const [index, { resolve }] of appends.entries()) resolve(firstId + index);
    return true;
  }

  #committed(firstId: number, entries: readonly GateEntry[], answer: Omit<CommitAnswer, "kind" | "firstId">): void {
    if (entries.length > 0) this.#knownTo = firstId + entries.length - 1;
    this.#commits += 1;
    this.#appended += entries.length;
    this.#latenciesMs.push(answer.ms);
    if (this.#latenciesMs.length > LATENCIES) this.#latenciesMs.shift();
    this.#hooks.committed(firstId, entries);
    this.#hooks.mayEmit(answer.emitTo);
    this.#watchSpace(answer.figures);
  }

  #failed(reason: Error, cause: unknown): void {
    this.rest(reason);
    this.#hooks.failed(cause);
  }

  #count(refused: Refusals): void {
    const key = `${refused.transport} ${refused.reason} ${refused.device}`;
    const known = this.#refusals.get(key);
    if (known) known.count += refused.count;
    else this.#refusals.set(key, { ...refused });
  }

  #watchSpace(figures: FileFigures): void {
    this.#figures = figures;
    const { freeBytes } = figures;
    if (this.#isResting || freeBytes >= this.#minFreeBytes) return;
    const mib = (bytes: number) => Math.floor(bytes / 1024 / 1024);
    this.#full(`${mib(freeBytes)} MiB are free on the disk of the inbox; ${mib(this.#minFreeBytes)} MiB stay free`);
  }

  /** Takes no entries until there is room again. */
  #full(problem: string): void {
    this.#appends.rejectAll(new CodedError("disk-full", problem));
    if (this.#diskProblem === undefined) this.#hooks.disk(problem);
    this.#diskProblem = problem;
    this.#looker ??= setInterval(() => void this.#look(), LOOK_MS);
    this.#looker.unref();
  }

  async #look(): Promise<void> {
    if (this.#isResting) return;
    let figures: FileFigures;
    try {
      figures = await this.#thread.look();
    } catch {
      return; // looked at again soon
    }
    this.#figures = figures;
    if (figures.freeBytes < this.#minFreeBytes || this.#diskProblem === undefined) return;
    clearInterval(this.#looker);
    this.#looker = undefined;
    this.#diskProblem = undefined;
    this.#hooks.disk(undefined);
    this.#schedule(0);
  }
}

/** Own memory, because it goes over to the thread. */
function joined(appends: readonly Append[]): Uint8Array<ArrayBuffer> {
  const total = appends.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const all = new Uint8Array(total);
  let at = 0;
  for (const { bytes } of appends) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
