import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { CodedError, messageOf } from "../../host/errors.ts";
import type { Report, Request } from "./engine-entry.ts";
import type { FromLink, LinkData, ToLink } from "./engine-link.ts";
import type { OpenOptions } from "./open.ts";

// From source this file is TypeScript and so are those beside it; compiled, all are JavaScript.
const beside = (name: string) =>
  new URL(`./${name}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
const CLOSE_WITHIN_MS = 60_000;
/**
 * V8 optimises a WebAssembly function that has run for about so many bytes of its code; by default a tenth of this. A start
 * runs much of the engine's code a little: optimising that took a third of the engine's time until it was open, while the
 * queries of a running line reach the mark within seconds.
 */
const OPTIMISE_AFTER = 130_000_000;

interface Call {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The process that runs the engine, seen from Node-RED's. Dies once; a new one takes its place. */
export class EngineProcess {
  readonly #link: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #exited: Promise<void>;
  #nextId = 1;
  #death: Error | undefined;
  #onDeath: ((error: Error) => void) | undefined;
  #onOpen: ((report: Extract<Report, { kind: "open" }>) => void) | undefined;
  #pid: number | undefined;
  parameters: Record<string, string> = {};
  timescaledb: string | undefined;
  /** fsync calls that reached the operating system. */
  syncs = 0;

  private constructor() {
    const entry = fileURLToPath(beside("engine-entry"));
    const workerData: LinkData = { entry, execArgv: [`--wasm-tiering-budget=${OPTIMISE_AFTER}`] };
    this.#link = new Worker(beside("engine-link"), { workerData, name: "engine-link", execArgv: [] });
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        resolve();
        this.kill(new CodedError("engine-died", `the database's process ended (${how})`));
      };
      this.#link.on("message", (message: FromLink) => {
        if (message.kind === "started") this.#pid = message.pid;
        else if (message.kind === "ended") end(message.how);
        else if (message.kind === "open") this.#onOpen?.(message);
        else this.#receive(message);
      });
      // With the thread its channel goes, and with that the engine's process.
      this.#link.on("error", (error) => end(messageOf(error)));
      this.#link.on("exit", () => end("its thread ended"));
    });
  }

  /**
   * Starts a process and opens the database in it.
   * @throws CodedError `engine-died` when the process ended before it was open, else what the engine said
   */
  static async open(options: OpenOptions): Promise<EngineProcess> {
    const engine = new EngineProcess();
    await new Promise<void>((resolve, reject) => {
      engine.#onDeath = reject;
      engine.#onOpen = ({ parameters, timescaledb }) => {
        engine.parameters = parameters;
        engine.timescaledb = timescaledb;
        resolve();
      };
      engine.#post({ kind: "open", options });
    }).catch(async (error: unknown) => {
      await engine.#exited;
      throw error;
    });
    engine.#onDeath = undefined;
    return engine;
  }

  /** Of the operating system, for those who watch it. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Called once when the process has died: not before it is gone, so that the directory may be opened again. */
  onDeath(callback: (error: Error) => void): void {
    if (this.#death) callback(this.#death);
    else this.#onDeath = callback;
  }

  /**
   * Runs protocol messages in the engine. There is no way to interrupt it but to end the process.
   * @param bytes the caller's no more: where they are all of their memory, that goes to the other thread without a copy
   * @param watchdogMs the process is ended when the answer takes longer
   */
  exec(bytes: Uint8Array, watchdogMs: number): Promise<Buffer> {
    const { buffer } = bytes;
    const isAll = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
    const own = isAll ? new Uint8Array(buffer) : new Uint8Array(bytes);
    return this.#call((id) => ({ kind: "exec", id, bytes: own }), watchdogMs, [own.buffer]);
  }

  /** Closes the database and ends the process. */
  async close(): Promise<void> {
    try {
      await this.#call((id) => ({ kind: "close", id }), CLOSE_WITHIN_MS);
    } finally {
      this.#onDeath = undefined;
      this.kill(new CodedError("database-closed", "the database was closed"));
      await this.#exited;
    }
  }

  /** Ends the process at once, as a trap in the engine does. What was acknowledged is in the write-ahead log. */
  kill(error: Error): void {
    if (this.#death) return;
    this.#death = error;
    for (const call of this.#calls.values()) {
      clearTimeout(call.timer);
      call.reject(error);
    }
    this.#calls.clear();
    this.#post({ kind: "kill" });
    void this.#exited.then(() => this.#onDeath?.(error));
  }

  #call(request: (id: number) => Request, watchdogMs: number, transfer: ArrayBuffer[] = []): Promise<Buffer> {
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
      this.#post(request(id), transfer);
    });
  }

  #post(message: ToLink, transfer: ArrayBuffer[] = []): void {
    this.#link.postMessage(message, transfer);
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
    if (report.kind === "closed") call.resolve(Buffer.alloc(0));
    else call.resolve(Buffer.from(report.bytes.buffer, report.bytes.byteOffset, report.bytes.byteLength));
  }
}
