import { CodedError, messageOf } from "../host/errors.ts";
import type { Database } from "./database.ts";

/** `unknown`: the records could not be read in time; it goes on being tried. */
export type LoadState = "loading" | "ready" | "unknown";

/** Longest time samples wait for records, ms. */
export const FIRST_LOAD_MS = 10_000;
/** And so many times as long for the database to be opened before that. */
const OPENING_WAITS = 6;
const RETRY_MS = 5_000;
/** Another process may have written a record. */
const RELOAD_MS = 60_000;

/**
 * Records of one site that are asked for with every sample: read once, kept in memory, read again every minute and when
 * the database comes back; what was read stays in force while the database is away.
 */
export abstract class KeptRecords {
  readonly siteId: string;
  readonly #listeners = new Set<() => void>();
  readonly #firstLoadMs: number;
  #database: Promise<Database> | undefined;
  #stopWatching: (() => void) | undefined;
  #state: LoadState = "loading";
  #problem: string | undefined;
  #loading = false;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #closed = false;
  #settle: () => void = () => undefined;
  /** Resolves with the first load, or when it was waited for long enough; never rejects. */
  readonly settled: Promise<void>;

  constructor(siteId: string, firstLoadMs = FIRST_LOAD_MS) {
    this.siteId = siteId;
    this.#firstLoadMs = firstLoadMs;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /**
   * Reads the records; what it gives back puts them in force.
   * @returns a function that is called if they are still wanted; it returns what was wrong with some of them, if anything
   */
  protected abstract load(database: Database): Promise<() => string | undefined>;

  get state(): LoadState {
    return this.#state;
  }

  /** Why the records could not be read, as last seen. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads from this database from now on (a deploy may bring another promise of the same one). */
  use(database: Promise<Database>): void {
    if (this.#database === database) return;
    const previous = this.#database;
    this.#database = database;
    this.#deadline ??= setTimeout(() => this.#giveUp(), OPENING_WAITS * this.#firstLoadMs).unref();
    database.then(
      (opened) => {
        if (this.#closed || this.#database !== database) return;
        clearTimeout(this.#deadline);
        this.#deadline = setTimeout(() => this.#giveUp(), this.#firstLoadMs).unref();
        this.#stopWatching?.();
        this.#stopWatching = opened.onState((state) => {
          if (state === "ready") void this.reload();
        });
        void this.reload();
      },
      (error) => {
        if (this.#database !== database) return;
        // One node without a database must not take it from the others.
        this.#database = previous ?? database;
        this.#problem = messageOf(error);
        this.#giveUp();
      },
    );
  }

  /** Calls back when records or the state of loading changed. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Reads the records again; a failure leaves what is there and is tried again. */
  async reload(): Promise<void> {
    if (this.#loading || this.#closed) return;
    this.#loading = true;
    clearTimeout(this.#timer);
    let next = RELOAD_MS;
    try {
      const database = await this.#database;
      if (database?.state() !== "ready") throw new Error("the database is not ready");
      const apply = await this.load(database);
      if (this.#closed) return;
      this.#problem = apply();
      this.#state = "ready";
      this.#settle();
    } catch (error) {
      this.#problem = messageOf(error);
      if (this.#state !== "ready") next = RETRY_MS;
    } finally {
      this.#loading = false;
      if (!this.#closed) this.#timer = setTimeout(() => void this.reload(), next).unref();
      this.tell();
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching?.();
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#settle();
    this.#listeners.clear();
  }

  /** The database in use. @throws CodedError `no-database` */
  protected async database(): Promise<Database> {
    const database = await this.#database;
    if (!database) throw new CodedError("no-database", "no database is chosen");
    return database;
  }

  protected tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #giveUp(): void {
    if (this.#state !== "loading") return;
    this.#state = "unknown";
    this.#settle();
    this.tell();
  }
}
