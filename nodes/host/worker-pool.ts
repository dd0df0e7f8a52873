import type { WorkerThread } from "./worker-thread.ts";

/** Threads that do the same work: each request goes to the one with the least to do, in which order the answers come is open. */
export class WorkerPool<Question, Answer> {
  readonly #threads: readonly WorkerThread<Question, Answer>[];

  /** @param threads at least one; they belong to the pool and start with their first request */
  constructor(threads: readonly WorkerThread<Question, Answer>[]) {
    if (threads.length === 0) throw new RangeError("a pool has at least one thread");
    this.#threads = threads;
  }

  /** Whether a request is running or waits. */
  get isBusy(): boolean {
    return this.#threads.some(({ isBusy }) => isBusy);
  }

  /** As `WorkerThread.ask`. */
  ask(question: Question): Promise<Answer> {
    const [first, ...others] = this.#threads;
    if (!first) return Promise.reject(new RangeError("no thread"));
    return others.reduce((least, thread) => (thread.load < least.load ? thread : least), first).ask(question);
  }

  /** Ends one thread that is busy, at once: its running request fails, no other. */
  kill(why: string): void {
    this.#threads.find(({ isBusy }) => isBusy)?.kill(why);
  }

  /** Ends all threads for good; every request still there fails. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
