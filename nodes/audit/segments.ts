import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../host/errors.ts";
import { entryOf, textOf } from "./chain.ts";

/** Records that wait in memory for the disk, and bytes that wait on the disk for the database. */
const MAX_PENDING = 5000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Lines of a file, each the text of a record. */
export interface Segment {
  file: string;
  records: { id: string; text: string }[];
  /** Lines that no record could be read from: the end of a write that a power cut broke off. */
  broken: number;
}

/**
 * Where records wait until they are in the database: files of one line each, in a directory of mode 0700, written and fsynced
 * in the order of the calls. A file being written ends in `.open`; once closed it is `.ndjson` and changes no more. Several
 * processes may write, each its own files.
 */
export class Segments {
  readonly #directory: string;
  readonly #warn: (text: string) => void;
  readonly #prefix = `${Date.now().toString().padStart(15, "0")}-${randomUUID().slice(0, 8)}`;
  #number = 0;
  #pending: string[] = [];
  #dropped = 0;
  #waitingBytes = 0;
  #handle: FileHandle | undefined;
  #file = "";
  #working: Promise<void> = Promise.resolve();

  constructor(directory: string, warn: (text: string) => void) {
    this.#directory = directory;
    this.#warn = warn;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Takes a record. It is on the disk when `flushed` resolves. */
  add(record: object): void {
    if (this.#pending.length >= MAX_PENDING || this.#waitingBytes >= MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const lost = { action: "audit.overflow", result: "failed", after: { records: this.#dropped } };
      this.#dropped = 0;
      this.#pending.push(textOf(randomUUID(), lost));
    }
    this.#pending.push(textOf(randomUUID(), { ...record }));
    this.#working = this.#working.then(() => this.#write()).catch((error) => this.#fail(error));
  }

  /** Resolves when everything added before is on the disk. */
  flushed(): Promise<void> {
    return this.#working;
  }

  /** Closes the file being written, so that it can be read; the next record begins another. */
  async close(): Promise<void> {
    this.#working = this.#working.then(() => this.#closeFile()).catch((error) => this.#fail(error));
    await this.#working;
  }

  /** Takes over what an ended process left open. To be called at the start, before others write. */
  adopt(): void {
    for (const name of this.#names(".open"))
      renameSync(path.join(this.#directory, name), path.join(this.#directory, name.replace(/\.open$/, ".ndjson")));
  }

  /** Closed files, oldest first. */
  *closed(): Generator<Segment> {
    for (const name of this.#names(".ndjson")) {
      const file = path.join(this.#directory, name);
      const records: Segment["records"] = [];
      let broken = 0;
      for (const text of readFileSync(file, "utf8").split("\n")) {
        if (text === "") continue;
        try {
          records.push({ id: entryOf(text).id, text });
        } catch {
          broken += 1;
        }
      }
      yield { file, records, broken };
    }
  }

  /** Forgets a file whose records are in the database. */
  remove({ file, records }: Segment): void {
    rmSync(file, { force: true });
    this.#waitingBytes = Math.max(0, this.#waitingBytes - records.reduce((sum, { text }) => sum + text.length + 1, 0));
  }

  #names(ending: string): string[] {
    return readdirSync(this.#directory)
      .filter((name) => name.endsWith(ending))
      .sort();
  }

  async #write(): Promise<void> {
    const lines = this.#pending;
    if (lines.length === 0) return; // an earlier call wrote them along with its own
    this.#pending = [];
    if (!this.#handle) {
      this.#number += 1;
      this.#file = path.join(this.#directory, `${this.#prefix}-${String(this.#number).padStart(8, "0")}.open`);
      this.#handle = await open(this.#file, "ax", 0o600);
    }
    const text = `${lines.join("\n")}\n`;
    this.#waitingBytes += text.length;
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }

  async #closeFile(): Promise<void> {
    if (!this.#handle) return;
    await this.#handle.close();
    this.#handle = undefined;
    await rename(this.#file, this.#file.replace(/\.open$/, ".ndjson"));
  }

  #fail(error: unknown): void {
    this.#warn(`the audit log's records could not be written to ${this.#directory}: ${messageOf(error)}`);
  }
}
