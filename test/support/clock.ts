import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** The wall clock of the processes that are started with `env`. */
export class TestClock {
  readonly env: NodeJS.ProcessEnv;
  readonly #file: string;

  /** @param file where it is kept */
  constructor(file: string) {
    this.#file = file;
    const preload = pathToFileURL(path.join(import.meta.dirname, "jumping-clock.ts")).href;
    this.env = { NODE_OPTIONS: `--import=${preload}`, FOIEFLOW_TEST_CLOCK: file };
    this.set(0);
  }

  /** Sets it to the true time and so many hours. */
  set(hours: number): void {
    writeFileSync(`${this.#file}.new`, String(hours * 3_600_000));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
