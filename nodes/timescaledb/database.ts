import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { CodedError, messageOf } from "../host/errors.ts";
import { type Capabilities, findCapabilities, NO_CAPABILITIES } from "./capabilities.ts";
import { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from "./embedded/start.ts";
import { backoffMs, isConnectionLoss, isHopeless } from "./failures.ts";
import { type JobReport, JobRunner } from "./jobs.ts";
import { createExtension, LOCK_SCHEMA, migrate } from "./migrate.ts";
import { applyPolicies, type Policy } from "./policies.ts";
import { DEFAULT_RETENTION, type Retention } from "./retention.ts";
import { inTransaction } from "./transaction.ts";
import { VALUE_TYPES } from "./value-types.ts";

export interface DatabaseOptions {
  /** Connection string of a PostgreSQL or TimescaleDB server; unset: the embedded database in `dataDir`. */
  url?: string | undefined;
  /** The site's data directory, for the embedded database. */
  dataDir?: string | undefined;
  /**
   * Have TimescaleDB created in the database where the server has it (default true). Without the extension: ordinary
   * tables and views of the same names; a database begun so stays so.
   */
  extension?: boolean | undefined;
  retention?: Retention | undefined;
  /** Most connections at once (1…4, default 4). */
  connections?: number | undefined;
  /** How often due jobs are looked for, ms (default 30 s; 0: only when `runJobs` is called). */
  jobsEveryMs?: number | undefined;
  log?: ((text: string) => void) | undefined;
  /** Further settings of the embedded database. */
  embedded?: Omit<EmbeddedOptions, "dataDir" | "extension" | "log"> | undefined;
}

/** `away`: not reachable or not usable now; it is tried again until it is. */
export type DatabaseState = "connecting" | "ready" | "away" | "closed";

/** The database of the process: one pool, one schema, one job runner. */
export interface Database {
  readonly pool: pg.Pool;
  /** What it can do; all false until it was ready for the first time. */
  readonly capabilities: Capabilities;
  /** The engine inside this process, when that is the one in use. */
  readonly embedded?: EmbeddedDatabase | undefined;
  state(): DatabaseState;
  /** Calls back at every change of state; the returned function ends that. */
  onState(callback: (state: DatabaseState) => void): () => void;
  /** Resolves when the database is ready; rejects with `database-closed` when it is closed before. */
  ready(): Promise<void>;
  /** To be told of a failed query, so that a lost server is noticed by whoever meets it first. */
  reportFailure(error: unknown): void;
  /** Puts other retention settings in force. */
  configure(retention: Retention): Promise<void>;
  /** Runs due jobs (or all) now. */
  runJobs(options?: { all?: boolean }): Promise<JobReport>;
  close(): Promise<void>;
}

const JOBS_EVERY_MS = 30_000;
/** Longest wait for queries that run when the database is closed. */
const CLOSE_MS = 5000;
const closedError = () => new CodedError("database-closed", "the database is closed");

/**
 * Opens the database and brings its schema and policies up to date. A server that does not answer is no error: the
 * database is then `away` and becomes `ready` when it comes.
 * @throws CodedError of the embedded engine (`database-in-use`, …), `database-options`, or what a server answered that
 *   trying again would not change (wrong password, a migration that fails)
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const log = options.log ?? (() => undefined);
  const size = Math.min(Math.max(options.connections ?? 4, 1), 4);
  if (options.url) {
    const database = new PooledDatabase(options, undefined, {
      connectionString: options.url,
      max: size,
      keepAlive: true,
      application_name: "foieflow",
      connectionTimeoutMillis: 10_000,
    });
    return database.open();
  }
  if (!options.dataDir)
    throw new CodedError("database-options", "neither a database URL nor a data directory is given");
  const embedded = await startEmbedded({
    ...options.embedded,
    dataDir: options.dataDir,
    extension: options.extension ?? true,
    log,
  });
  const database = new PooledDatabase(options, embedded, { stream: () => embedded.stream(), ssl: false, max: size });
  return database.open();
}

class PooledDatabase implements Database {
  readonly pool: pg.Pool;
  readonly embedded: EmbeddedDatabase | undefined;
  capabilities: Capabilities = NO_CAPABILITIES;
  readonly #options: DatabaseOptions;
  readonly #log: (text: string) => void;
  readonly #jobs: JobRunner;
  readonly #listeners = new Set<(state: DatabaseState) => void>();
  #policies: readonly Policy[] = [];
  #retention: Retention;
  #state: DatabaseState = "connecting";
  #reconnecting = false;
  /** Why the extension is not there, as last logged. */
  #missing: string | undefined;
  #stopWaiting: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DatabaseOptions, embedded: EmbeddedDatabase | undefined, config: pg.PoolConfig) {
    this.#options = options;
    this.#log = options.log ?? (() => undefined);
    this.#retention = options.retention ?? DEFAULT_RETENTION;
    this.embedded = embedded;
    this.pool = new pg.Pool({
      ...config,
      types: VALUE_TYPES,
      // The pool waits for it although its type says otherwise.
      onConnect: (client) => client.query("SET TIME ZONE 'UTC'") as unknown as undefined,
    });
    this.pool.on("error", (error) => this.reportFailure(error));
    // A client in use has no listener of the pool's; without one its lost connection would end the process.
    this.pool.on("connect", (client) => client.on("error", (error) => this.reportFailure(error)));
    this.#jobs = new JobRunner({
      pool: this.pool,
      ready: () => this.#state === "ready",
      onFailure: (error) => {
        this.#log(`jobs broke off: ${messageOf(error)}`);
        this.reportFailure(error);
      },
      capabilities: () => this.capabilities,
      policies: () => this.#policies,
      retention: () => this.#retention,
      log: this.#log,
    });
  }

  async open(): Promise<Database> {
    try {
      await this.#prepare();
    } catch (error) {
      if (this.embedded || !isConnectionLoss(error) || isHopeless(error)) {
        await this.close();
        throw error;
      }
      this.#lose(error);
    }
    const everyMs = this.#options.jobsEveryMs ?? JOBS_EVERY_MS;
    if (everyMs > 0) this.#jobs.start(everyMs);
    return this;
  }

  state(): DatabaseState {
    return this.#state;
  }

  onState(callback: (state: DatabaseState) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  ready(): Promise<void> {
    if (this.#state === "ready") return Promise.resolve();
    if (this.#state === "closed") return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const stop = this.onState((state) => {
        if (state !== "ready" && state !== "closed") return;
        stop();
        if (state === "ready") resolve();
        else reject(closedError());
      });
    });
  }

  reportFailure(error: unknown): void {
    if (this.#state === "ready" && isConnectionLoss(error)) this.#lose(error);
  }

  async configure(retention: Retention): Promise<void> {
    this.#retention = retention;
    if (this.#state !== "ready") return; // it is applied when the database is back
    await inTransaction(this.pool, async (client) => {
      await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK_SCHEMA]);
      await this.#applyPolicies(client);
    });
  }

  async runJobs(options: { all?: boolean } = {}): Promise<JobReport> {
    if (this.#state === "closed") throw closedError();
    return this.#jobs.runDue(options);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopWaiting?.();
    const jobs = this.#jobs.close();
    this.#setState("closed");
    // A server that does not answer must not keep the process from ending.
    await Promise.race([jobs.then(() => this.pool.end()), sleep(CLOSE_MS, undefined, { ref: false })]);
    await this.embedded?.close();
  }

  /** Extension, migrations, policies; then it is ready. Also after every reconnection: it may be another database now. */
  async #prepare(): Promise<void> {
    if (this.#options.extension !== false) await this.#extend();
    await inTransaction(
      this.pool,
      async (client) => {
        await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK_SCHEMA]);
        const applied = await migrate(client);
        if (applied.length > 0) this.#log(`database schema brought to version ${applied.at(-1)}`);
        this.capabilities = await findCapabilities(client, this.embedded !== undefined);
        await this.#applyPolicies(client);
      },
      { deadlineMs: 600_000 },
    );
    if (!this.#closing) this.#setState("ready");
  }

  async #extend(): Promise<void> {
    // On its own connection: a server where the library is not preloaded ends it.
    const client = await this.pool.connect();
    let missing: string | undefined;
    try {
      missing = await createExtension(client);
    } finally {
      client.release(missing !== undefined);
    }
    if (missing !== undefined && missing !== this.#missing) this.#log(`plain mode, without TimescaleDB: ${missing}`);
    this.#missing = missing;
  }

  async #applyPolicies(client: pg.ClientBase): Promise<void> {
    const { policies, changed } = await applyPolicies(client, this.#retention, this.capabilities);
    this.#policies = policies;
    if (changed.length > 0) this.#log(`database policies set: ${changed.join(", ")}`);
  }

  #lose(error: unknown): void {
    if (this.#closing) return;
    this.#log(`the database is away: ${messageOf(error)}`);
    this.#setState("away");
    if (!this.#reconnecting) void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    this.#reconnecting = true;
    for (let attempt = 0; !this.#closing && this.#state !== "ready"; attempt++) {
      await this.#pause(backoffMs(attempt));
      if (this.#closing) break;
      try {
        await this.#prepare();
        this.#log("the database is back");
      } catch (error) {
        if (attempt % 10 === 0) this.#log(`the database is still away: ${messageOf(error)}`);
      }
    }
    this.#reconnecting = false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #setState(state: DatabaseState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}
