import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import pg from "pg";
import { messageOf } from "../../host/errors.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const TICK_MS = 10_000;

export interface MaintenanceOptions {
  /** A stream to the database. */
  stream: () => Duplex;
  /** File that remembers when each task last ran. */
  file: string;
  log: (line: string) => void;
  /** At the latest after this time, when anything was written. */
  checkpointIntervalMs?: number;
  /** Earlier when the write-ahead log since the last checkpoint is longer. */
  checkpointWalBytes?: number;
  analyzeIntervalMs?: number;
  vacuumIntervalMs?: number;
}

/** When each task last ran, ms since 1970. */
interface LastRuns {
  analyze: number;
  vacuum: number;
}

/**
 * What a PostgreSQL server's background processes do and the embedded engine has none for: checkpoints (without them
 * the write-ahead log grows for ever and opening after a crash takes longer and longer), ANALYZE and VACUUM. One task
 * runs at a time, table by table, so that other clients get their turn in between.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #checkpointIntervalMs: number;
  readonly #checkpointWalBytes: number;
  readonly #analyzeIntervalMs: number;
  readonly #vacuumIntervalMs: number;
  readonly #lastRuns: LastRuns;
  readonly #timer: NodeJS.Timeout;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #stopped = false;
  #bytesSeen = 0;
  #checkpointMonotonicMs = performance.now();
  /** Write-ahead log since the last checkpoint, as last measured. */
  walBytes = 0;
  lastCheckpointAt: Date | undefined;
  checkpoints = 0;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#checkpointIntervalMs = options.checkpointIntervalMs ?? 300_000;
    this.#checkpointWalBytes = options.checkpointWalBytes ?? 32 * MIB;
    this.#analyzeIntervalMs = options.analyzeIntervalMs ?? HOUR_MS;
    this.#vacuumIntervalMs = options.vacuumIntervalMs ?? 7 * 24 * HOUR_MS;
    this.#lastRuns = readLastRuns(options.file);
    this.#timer = setInterval(() => this.#look(), Math.min(TICK_MS, this.#checkpointIntervalMs));
    this.#timer.unref();
  }

  /** To be told how many bytes clients have sent so far: a burst of them is worth a look before the next tick. */
  activity(bytesIn: number): void {
    if (bytesIn - this.#bytesSeen < this.#checkpointWalBytes / 4) return;
    this.#bytesSeen = bytesIn;
    this.#look();
  }

  /** Writes everything to the tables' files, so that the write-ahead log can be reused. */
  checkpoint(): Promise<void> {
    return this.#task((client) => this.#checkpoint(client));
  }

  /** Runs what is due now: what the timer does. */
  run(): Promise<void> {
    return this.#task(async (client) => {
      await this.#measure(client);
      const sinceCheckpointMs = performance.now() - this.#checkpointMonotonicMs;
      const due = this.walBytes > 0 && sinceCheckpointMs >= this.#checkpointIntervalMs;
      if (due || this.walBytes >= this.#checkpointWalBytes) await this.#checkpoint(client);
      await this.#tables(client, "analyze", this.#analyzeIntervalMs, "ANALYZE");
      await this.#tables(client, "vacuum", this.#vacuumIntervalMs, "VACUUM (FREEZE)");
    });
  }

  /** Starts nothing by itself any more; what runs ends after the table it is at. A checkpoint may still be asked for. */
  rest(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Starts nothing any more and waits for what runs. */
  async stop(): Promise<void> {
    this.rest();
    await this.#tail;
  }

  #look(): void {
    if (this.#queued > 0 || this.#stopped) return;
    this.run().catch((error: unknown) => this.#options.log(`database maintenance failed: ${messageOf(error)}`));
  }

  #task(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const run = async () => {
      const client = new pg.Client({ stream: this.#options.stream, ssl: false });
      client.on("error", () => {}); // the query that runs reports it
      try {
        await client.connect();
        await work(client);
      } finally {
        this.#queued -= 1;
        await client.end().catch(() => {});
      }
    };
    this.#queued += 1;
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => {});
    return result;
  }

  async #measure(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ bytes: string }>(
      "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::bigint AS bytes FROM pg_control_checkpoint()",
    );
    this.walBytes = Number(rows[0]?.bytes ?? 0);
  }

  async #checkpoint(client: pg.Client): Promise<void> {
    await client.query("CHECKPOINT");
    this.#checkpointMonotonicMs = performance.now();
    this.lastCheckpointAt = new Date();
    this.checkpoints += 1;
    await this.#measure(client);
  }

  async #tables(client: pg.Client, task: keyof LastRuns, intervalMs: number, command: string): Promise<void> {
    const now = Date.now();
    const last = this.#lastRuns[task];
    // A record from the future (the clock was set back) must not put it off.
    if (now - last < intervalMs && last <= now) return;
    const first = last === 0;
    if (!first) {
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND n.nspname NOT IN ('information_schema', 'pg_toast')
         ORDER BY c.relpages`,
      );
      for (const { name } of rows) {
        if (this.#stopped) return;
        // A table may go while its turn comes; the others go on.
        await client.query(`${command} ${name}`).catch((error: unknown) => {
          // Of a database that is being closed, or whose engine has gone: so would all the others.
          if (this.#stopped || !isOfTable(error)) throw error;
          this.#options.log(`${command} ${name} failed: ${messageOf(error)}`);
        });
      }
      this.#options.log(`${command} of ${rows.length} tables took ${Date.now() - now} ms`);
    }
    this.#lastRuns[task] = now;
    const whole = `${this.#options.file}.new`;
    writeFileSync(whole, `${JSON.stringify(this.#lastRuns)}\n`, { mode: 0o600 });
    renameSync(whole, this.#options.file);
  }
}

/** Whether the database itself refused this table, over a connection that goes on. */
function isOfTable(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !error.code?.startsWith("57P");
}

function readLastRuns(file: string): LastRuns {
  const runs: LastRuns = { analyze: 0, vacuum: 0 };
  try {
    const stored: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof stored !== "object" || stored === null) return runs;
    if ("analyze" in stored && typeof stored.analyze === "number") runs.analyze = stored.analyze;
    if ("vacuum" in stored && typeof stored.vacuum === "number") runs.vacuum = stored.vacuum;
  } catch {
    // a new database, or a damaged record: the intervals start now
  }
  return runs;
}
