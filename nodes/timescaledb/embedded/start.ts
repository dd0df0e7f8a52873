import { existsSync, rmSync, writeFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { lockDirectory } from "../../host/directory-lock.ts";
import { CodedError, codeOf, messageOf } from "../../host/errors.ts";
import { Bridge, deathNotice } from "./bridge.ts";
import { Connection } from "./connection.ts";
import { EngineProcess } from "./engine-process.ts";
import { Maintenance } from "./maintenance.ts";
import type { OpenOptions } from "./open.ts";
import { embeddedPaths } from "./paths.ts";
import { type ServeOptions, type Serving, serve } from "./server.ts";

export interface EmbeddedOptions {
  /** The site's data directory; everything of the database is in `database/` below it. */
  dataDir: string;
  /** Load TimescaleDB (default true). Without it the engine is an ordinary PostgreSQL. */
  extension?: boolean;
  /** Commits survive a power cut (default true). Off only for tests. */
  fsync?: boolean;
  /** Progress of what takes long, and troubles. */
  log?: (line: string) => void;
  /** A query that runs longer costs the engine its life, and every client its connection. Default 120 s. */
  watchdogMs?: number;
  /** How long a client may sit in a transaction while others wait. Default 60 s. */
  idleInTransactionMs?: number;
  /** Longest message, group of messages, or COPY of a client. Default 64 MiB. */
  maxMessageBytes?: number;
  checkpointIntervalMs?: number;
  checkpointWalBytes?: number;
  analyzeIntervalMs?: number;
  vacuumIntervalMs?: number;
}

export type EmbeddedState = "open" | "recovering" | "closed";

export interface EmbeddedStats {
  state: EmbeddedState;
  /** Times the engine died and was opened again. */
  recoveries: number;
  /** Why it died last. */
  lastFailure: string | undefined;
  clients: number;
  /** Write-ahead log since the last checkpoint, bytes, as last measured. */
  walBytes: number;
  lastCheckpointAt: Date | undefined;
  checkpoints: number;
  /** fsync calls that reached the operating system since the engine was opened. */
  fsyncs: number;
  /** Of the engine's process; undefined while there is none. */
  enginePid: number | undefined;
}

export interface EmbeddedDatabase {
  /** Version of TimescaleDB, or undefined when it was left out. */
  readonly timescaledb: string | undefined;
  /** A new connection for `pg`: `new pg.Pool({ stream: () => database.stream(), ssl: false })`. */
  stream(): Duplex;
  state(): EmbeddedState;
  /** Calls back at every change of state; the returned function ends that. */
  onState(callback: (state: EmbeddedState) => void): () => void;
  stats(): EmbeddedStats;
  checkpoint(): Promise<void>;
  /** Runs the maintenance that is due now. */
  maintain(): Promise<void>;
  /** For crash tests: ends the engine as a trap would. Resolves when it is open again. */
  terminateEngine(): Promise<void>;
  /** Lets other processes in, over a Unix socket or TCP on this machine. */
  serve(options: ServeOptions): Promise<Serving>;
  close(): Promise<void>;
}

const OPEN_ATTEMPTS = 3;
const REOPEN_DELAYS_MS = [0, 500, 2_000, 5_000, 15_000, 30_000];
/** A query that still runs when the database is closed gets this long; ending it with its engine loses nothing. */
const CLOSE_PATIENCE_MS = 5_000;
/** Maintenance of a whole table may take longer than a query of a person. */
const MAINTENANCE_PATIENCE = 30;

/**
 * Opens the embedded database, which it makes when the directory has none.
 * @throws CodedError `database-in-use`, `embedded-unavailable`, `embedded-extension`, or what the engine said
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const paths = embeddedPaths(options.dataDir);
  const log = options.log ?? (() => {});
  const open: OpenOptions = { paths, extension: options.extension ?? true, fsync: options.fsync ?? true };
  const lock = lockDirectory(paths, "database");
  try {
    const database = new Embedded(options, open, log, () => lock.release());
    await database.open();
    return database;
  } catch (error) {
    lock.release();
    throw error;
  }
}

class Embedded implements EmbeddedDatabase {
  readonly #open: OpenOptions;
  readonly #log: (line: string) => void;
  readonly #unlock: () => void;
  readonly #options: EmbeddedOptions;
  readonly #bridge: Bridge;
  readonly #listeners = new Set<(state: EmbeddedState) => void>();
  readonly #servings = new Set<Serving>();
  readonly #limits: { maxMessageBytes?: number };
  #engine: EngineProcess | undefined;
  #maintenance: Maintenance | undefined;
  #state: EmbeddedState = "closed";
  #recoveries = 0;
  #lastFailure: string | undefined;
  #closing: Promise<void> | undefined;
  #recovery: Promise<void> | undefined;
  #wakeUp: (() => void) | undefined;

  constructor(options: EmbeddedOptions, open: OpenOptions, log: (line: string) => void, unlock: () => void) {
    this.#options = options;
    this.#open = open;
    this.#log = log;
    this.#unlock = unlock;
    this.#limits = options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes };
    this.#bridge = new Bridge({
      watchdogMs: options.watchdogMs ?? 120_000,
      idleInTransactionMs: options.idleInTransactionMs ?? 60_000,
      onSlow: (ms, statement) => log(`a statement kept the database for ${(ms / 1000).toFixed(1)} s: ${statement}`),
    });
  }

  async open(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#openEngine();
        break;
      } catch (error) {
        // An engine that fell over while it opened is tried again, as one that falls over later is.
        if (codeOf(error, "") !== "engine-died" || attempt >= OPEN_ATTEMPTS) throw error;
        this.#log(`the embedded database failed to open (${messageOf(error)}); trying again`);
      }
    }
    this.#maintenance = new Maintenance({
      ...this.#options,
      stream: () => new Connection(this.#bridge, { patience: MAINTENANCE_PATIENCE }),
      file: this.#open.paths.maintenance,
      log: this.#log,
    });
    this.#bridge.onActivity = () => this.#maintenance?.activity(this.#bridge.bytesIn);
  }

  get timescaledb(): string | undefined {
    return this.#engine?.timescaledb;
  }

  stream(): Duplex {
    return new Connection(this.#bridge, this.#limits);
  }

  state(): EmbeddedState {
    return this.#state;
  }

  onState(callback: (state: EmbeddedState) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  stats(): EmbeddedStats {
    return {
      state: this.#state,
      recoveries: this.#recoveries,
      lastFailure: this.#lastFailure,
      clients: this.#bridge.clients,
      walBytes: this.#maintenance?.walBytes ?? 0,
      lastCheckpointAt: this.#maintenance?.lastCheckpointAt,
      checkpoints: this.#maintenance?.checkpoints ?? 0,
      fsyncs: this.#engine?.syncs ?? 0,
      enginePid: this.#engine?.pid,
    };
  }

  checkpoint(): Promise<void> {
    return this.#maintenance?.checkpoint() ?? Promise.reject(closedError());
  }

  maintain(): Promise<void> {
    return this.#maintenance?.run() ?? Promise.reject(closedError());
  }

  async terminateEngine(): Promise<void> {
    if (this.#state === "closed" || !this.#engine) throw closedError();
    const reopened = new Promise<void>((resolve, reject) => {
      const stop = this.onState((state) => {
        if (state === "recovering") return;
        stop();
        if (state === "open") resolve();
        else reject(closedError());
      });
    });
    this.#engine.kill(new CodedError("database-terminated", "the engine was ended on request"));
    await reopened;
  }

  async serve(options: ServeOptions): Promise<Serving> {
    if (this.#closing) throw closedError();
    const serving = await serve(this.#bridge, this.#open.paths, { ...this.#limits, ...options });
    this.#servings.add(serving);
    return {
      ...serving,
      close: async () => {
        this.#servings.delete(serving);
        await serving.close();
      },
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      this.#wakeUp?.();
      this.#maintenance?.rest();
      await Promise.all([...this.#servings].map((serving) => serving.close()));
      const busy = setTimeout(() => this.#engine?.kill(closedError()), CLOSE_PATIENCE_MS);
      if (this.#engine) await this.#maintenance?.checkpoint().catch(() => {});
      clearTimeout(busy);
      this.#bridge.refuse("the database was closed");
      await this.#maintenance?.stop();
      await this.#recovery;
      const engine = this.#engine;
      this.#engine = undefined;
      this.#bridge.detach("57P01", "the database was closed");
      await engine?.close();
      if (engine) rmSync(this.#open.paths.opened, { force: true });
    } finally {
      this.#unlock();
      this.#setState("closed");
    }
  }

  async #openEngine(): Promise<void> {
    const startedAt = performance.now();
    const { paths, extension } = this.#open;
    const what = extension ? "TimescaleDB" : "PostgreSQL";
    if (!existsSync(paths.cluster) || existsSync(paths.creating))
      this.#log(`creating the database (embedded ${what}) in ${paths.root} …`);
    else if (existsSync(paths.opened)) this.#log(`recovering the database in ${paths.root}, which was not closed …`);
    else this.#log(`opening the database in ${paths.root} …`);
    const engine = await EngineProcess.open(this.#open);
    writeFileSync(paths.opened, "");
    if (this.#closing) {
      await engine.close();
      throw closedError();
    }
    this.#engine = engine;
    engine.onDeath((error) => {
      this.#recovery = this.#recover(engine, error);
    });
    this.#bridge.attach(engine);
    const versions = `PostgreSQL ${engine.parameters.server_version}${engine.timescaledb ? `, TimescaleDB ${engine.timescaledb}` : ""}`;
    this.#log(`database open after ${((performance.now() - startedAt) / 1000).toFixed(1)} s (${versions})`);
    this.#setState("open");
  }

  /** The engine died: all sessions are lost, the directory is opened again. */
  async #recover(dead: EngineProcess, error: Error): Promise<void> {
    if (this.#engine !== dead) return;
    this.#engine = undefined;
    this.#lastFailure = messageOf(error);
    this.#setState("recovering");
    this.#log(`the embedded database failed (${this.#lastFailure}); reopening`);
    this.#bridge.detach("57P02", deathNotice(error));
    // Nobody will open it again: who waits for that would hold up the closing.
    if (this.#closing) this.#bridge.refuse("the database was closed");
    for (let attempt = 0; !this.#closing; attempt++) {
      const delayMs = REOPEN_DELAYS_MS[Math.min(attempt, REOPEN_DELAYS_MS.length - 1)] ?? 0;
      if (delayMs > 0) await this.#pause(delayMs);
      if (this.#closing) return;
      try {
        this.#recoveries += 1;
        await this.#openEngine();
        return;
      } catch (reason) {
        if (codeOf(reason, "") === "database-closed") return;
        this.#log(`reopening the database failed: ${messageOf(reason)}`);
        this.#bridge.refuse(`the embedded database cannot be reopened: ${messageOf(reason)}`);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #setState(state: EmbeddedState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

function closedError(): CodedError {
  return new CodedError("database-closed", "the database is closed");
}
