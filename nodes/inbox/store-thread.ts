import { MessageChannel, type MessagePort } from "node:worker_threads";
import { CodedError } from "../host/errors.ts";
import { WorkerThread } from "../host/worker-thread.ts";
import type { CheckpointRequest, CheckpointResult } from "./checkpoint-worker.ts";
import { storePaths } from "./store-paths.ts";
import type {
  CloseQuestion,
  CommitAnswer,
  CommitQuestion,
  FileFigures,
  GateQuestion,
  OpenAnswer,
  OpenQuestion,
  ReadAnswer,
  StoreAnswer,
  StoreNotice,
  StoreQuestion,
} from "./store-protocol.ts";

const worker = (name: string) =>
  // From source this file is TypeScript and so is the worker beside it; compiled, both are JavaScript.
  new URL(`./${name}.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

const WATCHDOG_MS = 120_000;
const HEAP_MIB = 256;
/** New bytes in the journal after which it is moved to the database, or after this time if there are any. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
const CHECKPOINT_MS = 10_000;
const PAGE_BYTES = 4096;

/** The inbox's store in its two threads: one commits, one moves the journal to the database meanwhile. */
export class StoreThread {
  readonly #store: WorkerThread<StoreQuestion, StoreAnswer, StoreNotice>;
  readonly #checkpoints = new WorkerThread<CheckpointRequest, CheckpointResult>(worker("checkpoint-worker"), {
    name: "foieflow-inbox-checkpoint",
    failureCode: "inbox-failed",
    watchdogMs: WATCHDOG_MS,
    heapMiB: 32,
  });
  readonly #file: string;
  #sinceCheckpoint = 0;
  #isMoving = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param onNotice told what guests of the thread do in the store
   * @param onDeath told when the commits' thread died, though nothing was asked of it: its guests have gone with it
   */
  constructor(directory: string, onNotice: (notice: StoreNotice) => void, onDeath: (error: Error) => void) {
    this.#file = storePaths(directory).database;
    this.#store = new WorkerThread(worker("store-worker"), {
      name: "foieflow-inbox",
      failureCode: "inbox-failed",
      watchdogMs: WATCHDOG_MS,
      heapMiB: HEAP_MIB,
      onDeath,
      onNotice: (notice) => {
        if (notice.kind === "committed")
          this.#grew(
            notice.appends.reduce((sum, { size }) => sum + size, 0),
            0,
          );
        onNotice(notice);
      },
    });
  }

  async open(question: Omit<OpenQuestion, "kind">): Promise<OpenAnswer> {
    const answer = await this.#store.ask({ kind: "open", ...question });
    this.#timer ??= setInterval(() => {
      if (this.#sinceCheckpoint > 0) void this.#move();
    }, CHECKPOINT_MS).unref();
    return only(answer, "open");
  }

  /** One transaction. The memory of `bytes` goes over to the thread. */
  async commit(question: Omit<CommitQuestion, "kind">): Promise<CommitAnswer> {
    const { length } = question.bytes;
    const answer = only(await this.#store.ask({ kind: "commit", ...question }, [question.bytes.buffer]), "commit");
    this.#grew(length, question.settled.length);
    return answer;
  }

  /** Says what guests are measured against from now on. */
  async gate(question: Omit<GateQuestion, "kind">): Promise<void> {
    await this.#store.ask({ kind: "gate", ...question });
  }

  /** @see Host.host */
  async host(module: URL): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    try {
      await this.#store.ask({ kind: "host", module: module.href, port: port2 }, [port2]);
    } catch (error) {
      port1.close();
      throw error;
    }
    return port1;
  }

  async read(ids: number[]): Promise<ReadAnswer> {
    return only(await this.#store.ask({ kind: "read", ids }), "read");
  }

  async look(): Promise<FileFigures> {
    return only(await this.#store.ask({ kind: "look" }), "look").figures;
  }

  /** Ends the commits' thread without closing the store, as its death would; `open` starts another. */
  kill(why: string): void {
    this.#store.kill(why);
  }

  /** Closes the store in order, where it is open, and ends both threads. */
  async close(question: Omit<CloseQuestion, "kind">): Promise<void> {
    clearInterval(this.#timer);
    await this.#checkpoints.close();
    try {
      await this.#store.ask({ kind: "close", ...question });
    } finally {
      await this.#store.close();
    }
  }

  /** Ends both threads at once; the store is as a crash leaves it. */
  async abandon(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#checkpoints.close(), this.#store.close()]);
  }

  #grew(bytes: number, settled: number): void {
    this.#sinceCheckpoint += bytes + PAGE_BYTES * (4 + settled / 8);
    if (this.#sinceCheckpoint >= CHECKPOINT_BYTES) void this.#move();
  }

  async #move(): Promise<void> {
    if (this.#isMoving) return;
    this.#isMoving = true;
    this.#sinceCheckpoint = 0;
    try {
      await this.#checkpoints.ask({ file: this.#file });
    } catch {
      // The commits' thread moves a journal that grows long; a store that fails says so with its next commit.
    } finally {
      this.#isMoving = false;
    }
  }
}

function only<K extends StoreAnswer["kind"]>(answer: StoreAnswer, kind: K): Extract<StoreAnswer, { kind: K }> {
  if (answer.kind !== kind) throw new CodedError("inbox-failed", `the store answered ${answer.kind} to ${kind}`);
  return answer as Extract<StoreAnswer, { kind: K }>;
}
