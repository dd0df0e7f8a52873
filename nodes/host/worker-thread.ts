import { type Transferable, Worker } from "node:worker_threads";
import type { Reply, Request } from "./answer-requests.ts";
import { CodedError } from "./errors.ts";

export interface ThreadOptions<Notice = never> {
  /** Shown by debuggers and profilers. */
  name: string;
  /** Code of the error a request ends with when the thread dies over it. */
  failureCode: string;
  /** A request that runs longer costs the thread its life. */
  watchdogMs: number;
  /** Largest heap of the thread, MiB. */
  heapMiB: number;
  /** Told what the thread says unasked. */
  onNotice?: (notice: Notice) => void;
  /** Told when it died, busy or not. */
  onDeath?: (error: Error) => void;
}

interface Call<Question, Answer> {
  question: Question;
  transfer: Transferable[];
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/**
 * Work too long for Node-RED's event loop, done by one worker thread: requests one at a time, in the order they were made.
 * The thread starts with the first request and anew after it died; a death costs the request that was running, no other.
 * Callers bound how many requests they make.
 */
export class WorkerThread<Question, Answer, Notice = never> {
  readonly #entry: URL;
  readonly #options: ThreadOptions<Notice>;
  readonly #waiting: Call<Question, Answer>[] = [];
  #worker: Worker | undefined;
  #running: Call<Question, Answer> | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param entry module that calls `answerRequests` */
  constructor(entry: URL, options: ThreadOptions<Notice>) {
    this.#entry = entry;
    this.#options = options;
  }

  /** Whether a request is running or waits. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Requests that run or wait. */
  get load(): number {
    return this.#waiting.length + (this.#running ? 1 : 0);
  }

  /**
   * Asks the thread; question and answer are copied (structured clone), but for what is transferred.
   * @throws what the answering function threw, with its code; CodedError `failureCode` when the thread died or is closed
   */
  ask(question: Question, transfer: Transferable[] = []): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(this.#failure("is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, transfer, resolve, reject });
      this.#next();
    });
  }

  /** Ends the thread at once; the running request fails, those behind it get a new thread. */
  kill(why: string): void {
    const worker = this.#worker;
    if (worker) this.#died(worker, this.#failure(why));
  }

  /** Ends the thread for good; every request still there fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    for (const call of this.#waiting.splice(0)) call.reject(this.#failure("was closed"));
    this.kill("was closed");
    await worker?.terminate();
  }

  #next(): void {
    if (this.#running) return;
    const call = this.#waiting.shift();
    if (!call) return;
    this.#running = call;
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      const request: Request<Question> = { question: call.question };
      this.#worker.postMessage(request, call.transfer);
    } catch (error) {
      this.#finish((running) => running.reject(this.#failure("could not be asked", error)));
      return;
    }
    const { watchdogMs } = this.#options;
    this.#watchdog = setTimeout(() => this.kill(`took more than ${watchdogMs} ms`), watchdogMs);
  }

  #start(): Worker {
    // Options of the main thread such as --input-type or --eval would keep the worker from starting.
    const worker = new Worker(this.#entry, {
      name: this.#options.name,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMiB },
    });
    worker.on("message", (reply: Reply<Answer, Notice>) => {
      if (worker !== this.#worker) return;
      if (reply.kind === "notice") {
        this.#options.onNotice?.(reply.notice);
        return;
      }
      this.#finish((call) => {
        if (reply.kind === "answer") call.resolve(reply.answer);
        else
          call.reject(reply.code === undefined ? new Error(reply.message) : new CodedError(reply.code, reply.message));
      });
    });
    worker.on("error", (error) => this.#died(worker, this.#failure("failed", error)));
    worker.on("exit", () => this.#died(worker, this.#failure("ended")));
    return worker;
  }

  #died(worker: Worker, error: Error): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    void worker.terminate();
    this.#options.onDeath?.(error);
    this.#finish((call) => call.reject(error));
  }

  #finish(settle: (call: Call<Question, Answer>) => void): void {
    clearTimeout(this.#watchdog);
    const call = this.#running;
    this.#running = undefined;
    // At rest it keeps no process alive.
    this.#worker?.unref();
    if (call) settle(call);
    this.#next();
  }

  #failure(what: string, cause?: unknown): CodedError {
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    return new CodedError(this.#options.failureCode, `the thread ${this.#options.name} ${what}${why}`);
  }
}
