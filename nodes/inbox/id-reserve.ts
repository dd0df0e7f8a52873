import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";

/** Ids reserved at a time. */
const BLOCK = 1_000_000;

/**
 * Remembers, apart from the store, how far ids may have been given out, so that none is used twice even when the store
 * is lost or its last part is: the database of samples knows entries by their ids.
 */
export class IdReserve {
  readonly #file: string;
  #reservedTo: number;

  constructor(file: string) {
    this.#file = file;
    this.#reservedTo = read(file);
  }

  /** Ids up to this one may have been given out; 0 when none was. */
  get reservedTo(): number {
    return this.#reservedTo;
  }

  /** Before ids up to `id` are given out. */
  cover(id: number): void {
    if (id <= this.#reservedTo) return;
    const reservedTo = id + BLOCK;
    write(this.#file, `${JSON.stringify({ reservedTo })}\n`);
    this.#reservedTo = reservedTo;
  }

  /** After a clean stop exactly these have been given out. */
  close(lastId: number): void {
    write(this.#file, `${JSON.stringify({ reservedTo: lastId })}\n`);
    this.#reservedTo = lastId;
  }
}

function read(file: string): number {
  try {
    const found: unknown = JSON.parse(readFileSync(file, "utf8"));
    const reservedTo: unknown = typeof found === "object" && found !== null && Reflect.get(found, "reservedTo");
    return typeof reservedTo === "number" && Number.isSafeInteger(reservedTo) ? reservedTo : 0;
  } catch {
    return 0; // not there yet, or damaged: the store and the clock say where to go on
  }
}

/** Writes the file whole or not at all, and waits for the disk. */
function write(file: string, text: string): void {
  const fresh = `${file}.new`;
  const handle = openSync(fresh, "w", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
  const directory = openSync(path.dirname(file), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
