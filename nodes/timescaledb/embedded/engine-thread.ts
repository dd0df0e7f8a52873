import { Worker } from "node:worker_threads";
import { CodedError } from "../../host/errors.ts";
import type { OpenOptions } from "./open.ts";
import type { Report, Request } from "./worker.ts";

// From source this file is TypeScript and so is the worker beside it; compiled, both are JavaScript.
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);
const CLOSE_WITHIN_MS = 60_000;

interface Call {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The worker thread that runs the engine, seen from the main thread. Dies once; a new one takes its place. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #exited: Promise<unknown>;
  #nextId = 1;
  #death: Error | undefined;
  #onDeath: ((error: Error) => void) | undefined;
  parameters: Record<string, string> = {};
  timescaledb: string | undefined;
  /** fsync calls that reached the operating system. */
  syncs = 0;

  private constructor(options: OpenOptions) {
    // Options of the main thread such as --input-type or --eval would keep the worker from starting.
    this.#worker = new Worker(WORKER, { workerData: options, name: "foieflow-database", execArgv: [] });
    this.#exited = new Promise((resolve) => this.#worker.once("exit", resolve));
  }

  /** Starts a thread and opens the database in it. */
  static async open(options: OpenOptions): Promise<EngineThread> {
    const thread = new EngineThread(options);
    await new Promise<void>((resolve, reject) => {
      thread.#onDeath = reject;
      thread.#worker.on("error", (error) => thread.kill(error));
      thread.#worker.on("exit", () => thread.kill(new CodedError("embedded-failed", "the database's thread ended")));
      thread.#worker.on("message", (report: Report) => {
        if (report.kind === "open") {
          thread.parameters = report.parameters;
          thread.timescaledb = report.timescaledb;
          resolve();
        } else {
          thread.#receive(report);
        }
      });
    }).catch(async (error: unknown) => {
      await thread.#exited;
      throw error;
    });
    thread.#onDeath = undefined;
    return thread;
  }

  /** Called once when the thread has died: not before it is gone, so that the directory may be opened again. */
  onDeath(callback: (error: Error) => void): void {
    if (this.#death) callback(this.#death);
    else this.#onDeath = callback;
  }

  /**
   * Runs protocol messages in the engine. There is no way to interrupt it but to end the thread.
   * @param watchdogMs the thread is ended when the answer takes longer
   */
  exec(bytes: Uint8Array, watchdogMs: number): Promise<Buffer> {
    return this.#call((id) => ({ kind: "exec", id, bytes }), watchdogMs);
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    try {
      await this.#call((id) => ({ kind: "close", id }), CLOSE_WITHIN_MS);
    } finally {
      this.#onDeath = undefined;
      this.kill(new CodedError("database-closed", "the database was closed"));
      await this.#exited;
    }
  }

  /** Ends the thread at once, as a trap in the engine does. What was acknowledged is in the write-ahead log. */
  kill(error: Error): void {
    if (this.#death) return;
    this.#death = error;
    for (const call of this.#calls.values()) {
      clearTimeout(call.timer);
      call.reject(error);
    }
    this.#calls.clear();
    void this.#worker.terminate().then(() => this.#onDeath?.(error));
  }

  #call(request: (id: number) => Request, watchdogMs: number): Promise<Buffer> {
    if (this.#death) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = setTimeout(
        () =>
          this.kill(
            new CodedError(
              "database-watchdog",
              `a query ran for more than ${watchdogMs} ms and was ended with its engine`,
            ),
          ),
        watchdogMs,
      );
      this.#calls.set(id, { resolve, reject, timer });
      this.#worker.postMessage(request(id));
    });
  }

  #receive(report: Exclude<Report, { kind: "open" }>): void {
    if (report.kind === "failed") {
      this.kill(new CodedError(report.code, report.message));
      return;
    }
    const call = this.#calls.get(report.id);
    if (!call) return;
    this.#calls.delete(report.id);
    clearTimeout(call.timer);
    if (report.kind === "done") this.syncs = report.syncs;
    call.resolve(report.kind === "done" ? Buffer.from(report.bytes.buffer) : Buffer.alloc(0));
  }
}
