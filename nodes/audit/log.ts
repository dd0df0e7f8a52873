import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setAuditSink } from "../host/audit.ts";
import { messageOf } from "../host/errors.ts";
import type { Database } from "../timescaledb/database.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { Segments } from "./segments.ts";
import { append, type Head, NO_ROWS } from "./store.ts";

/** How soon after a record the database gets it, and how often what waits is looked for, ms. */
const SOON_MS = 300;
const EVERY_MS = 3000;

/**
 * The audit log of this process: records go to the disk at once, and from there into the database, in order, each exactly
 * once. While the database is away they wait.
 */
export class AuditLog {
  readonly #segments: Segments;
  readonly #headFile: string;
  readonly #log: (text: string) => void;
  #database: Database | undefined;
  #soon: NodeJS.Timeout | undefined;
  readonly #ticking: NodeJS.Timeout;
  #moving: Promise<void> | undefined;
  #failing = "";
  #closed = false;

  /** @param directory where records wait; the end of the chain is noted there too */
  constructor(directory: string, log: (text: string) => void) {
    this.#segments = new Segments(directory, log);
    this.#headFile = path.join(directory, "head.json");
    this.#log = log;
    this.#segments.adopt();
    setAuditSink((record) => {
      this.#segments.add(record);
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        void this.move();
      }, SOON_MS);
    });
    this.#ticking = setInterval(() => void this.move(), EVERY_MS);
    this.#ticking.unref();
  }

  /** The database that the records go into. */
  attach(database: Database): void {
    this.#database = database;
    void this.move();
  }

  /** Moves what waits into the database, as far as that is there. Never rejects. */
  move(): Promise<void> {
    this.#moving ??= this.#move().finally(() => {
      this.#moving = undefined;
    });
    return this.#moving;
  }

  /** Writes and moves what it can, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticking);
    clearTimeout(this.#soon);
    await this.#moving;
    await this.move();
    setAuditSink(undefined);
    await this.#segments.close();
  }

  async #move(): Promise<void> {
    const database = this.#database;
    if (database?.state() !== "ready") return this.#segments.flushed();
    try {
      await this.#segments.close();
      for (const segment of this.#segments.closed()) {
        if (segment.broken > 0) this.#log(`audit log: ${segment.broken} broken lines in ${segment.file}`);
        const head = await inTransaction(database.pool, (client) => append(client, segment.records)).catch((error) => {
          database.reportFailure(error);
          throw error;
        });
        this.#note(head);
        this.#segments.remove(segment);
      }
      this.#failing = "";
    } catch (error) {
      const message = messageOf(error);
      if (message !== this.#failing) this.#log(`audit log: records wait on the disk: ${message}`);
      this.#failing = message;
    }
  }

  /** Notes the end of the chain beside the database, so that rows cut off its end are missed. */
  #note(head: Head): void {
    if (head.seq <= readHead(this.#headFile).seq) return;
    writeFileSync(`${this.#headFile}.new`, JSON.stringify(head), { mode: 0o600 });
    renameSync(`${this.#headFile}.new`, this.#headFile);
  }
}

/** The end of the chain as this machine noted it last. */
export function notedHead(directory: string): Head {
  return readHead(path.join(directory, "head.json"));
}

function readHead(file: string): Head {
  if (!existsSync(file)) return NO_ROWS;
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value === "object" && value !== null && "seq" in value && "hash" in value)
      return { seq: Number(value.seq), hash: String(value.hash) };
  } catch {
    // half-written by a power cut: what it knew is lost, the next record notes it again
  }
  return NO_ROWS;
}
