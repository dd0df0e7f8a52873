import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { FromLoad, Plan, Progress, ToLoad } from "./plan.ts";

export type Finished = Extract<FromLoad, { type: "finished" }>;

/** A load in a process of its own, so that it neither slows nor outlives what it is directed at. */
export class LoadProcess {
  progress: Progress = { made: 0, acknowledged: 0, resent: 0, byTransport: {} };
  /** Resolves with the end's figures once everything made was acknowledged; rejects when the process ends before. */
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.finished = new Promise((resolve, reject) => {
      child.on("message", (message: FromLoad) => {
        if (message.type === "progress") this.progress = message;
        if (message.type === "finished") {
          this.progress = message;
          resolve(message);
        }
      });
      child.once("exit", (code, signal) => reject(new Error(`the load ended (${code ?? signal})`)));
    });
    this.finished.catch(() => undefined);
  }

  /** Starts the process, with more in its environment where given; devices connect when it is told to `start`. */
  static async prepare(plan: Plan, env: NodeJS.ProcessEnv = {}): Promise<LoadProcess> {
    const child = fork(path.join(import.meta.dirname, "main.ts"), [JSON.stringify(plan)], {
      env: { ...process.env, ...env },
    });
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`the load did not start (${code})`)));
    });
    return new LoadProcess(child);
  }

  start(): void {
    this.#order("start");
  }

  /** No new samples; see `finished`. */
  stop(): void {
    this.#order("stop");
  }

  /** Counts latencies under this name from now on. */
  mark(name: string): void {
    this.#order({ mark: name });
  }

  /** Has each device that has a rate send so many more at once. */
  burst(count: number): void {
    this.#order({ burst: count });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #order(order: ToLoad): void {
    this.#child.send(order);
  }
}
