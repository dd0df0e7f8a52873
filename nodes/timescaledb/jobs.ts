import type { Pool, PoolClient } from "pg";
import { messageOf } from "../host/errors.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Policy } from "./policies.ts";
import { ANALYSIS_TABLES, RAW_TABLES, type Retention } from "./retention.ts";
import { refreshQueued } from "./stats-queue.ts";

const ALARM_RETENTION = "retention:alarm_events";

/** Key of the advisory lock held while jobs run, so that one instance at a time runs them. */
const LOCK_JOBS = 0x666f6a6f;

/** How often each kind of job is due where the database does not run it by itself, minutes. */
const DUE_MINUTES = { retention: 60, compression: 30, refresh: 10 } as const;

/** A worker that has not run a job this long after it was due is not running it. */
const OVERDUE_MINUTES = 10;

/** Chunks compressed per table and round, rows deleted per statement, and statements per round. */
const CHUNKS_PER_ROUND = 20;
const ROWS_PER_DELETE = 2000;
const DELETES_PER_ROUND = 500;

export interface JobContext {
  pool: Pool;
  /** Whether the database can be used now; rounds without it are passed over. */
  ready: () => boolean;
  /** Told of a round that broke off. */
  onFailure: (error: unknown) => void;
  capabilities: () => Capabilities;
  policies: () => readonly Policy[];
  retention: () => Retention;
  log: (text: string) => void;
}

export interface JobReport {
  /** Names of the jobs that ran now. */
  ran: string[];
  /** Names and errors of those that failed now. */
  failed: Record<string, string>;
  refreshedBuckets: number;
}

/**
 * Runs what the database does not run by itself: waiting statistics buckets always; its policies where it has no
 * background workers or theirs fail; retention in the plain mode. One job at a time, in small steps, each in its own
 * transaction, so that a batch waiting to be written waits for one step at most.
 */
export class JobRunner {
  readonly #context: JobContext;
  #running: Promise<JobReport> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(context: JobContext) {
    this.#context = context;
  }

  start(everyMs: number): void {
    this.#timer ??= setInterval(() => {
      if (this.#context.ready()) this.runDue().catch(this.#context.onFailure);
    }, everyMs).unref();
  }

  /** Runs what is due (everything, if `all`). A call during a run gets that run's report. */
  runDue({ all = false } = {}): Promise<JobReport> {
    this.#running ??= this.#round(all).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Starts nothing more and waits for the step now running. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  async #round(all: boolean): Promise<JobReport> {
    const report: JobReport = { ran: [], failed: {}, refreshedBuckets: 0 };
    if (this.#closed) return report;
    const client = await this.#context.pool.connect();
    let broken = true;
    try {
      const lock = await client.query<{ got: boolean }>("SELECT pg_try_advisory_lock($1) AS got", [LOCK_JOBS]);
      if (lock.rows[0]?.got) {
        try {
          await this.#runAll(client, all, report);
        } finally {
          await client.query("SELECT pg_advisory_unlock($1)", [LOCK_JOBS]);
        }
      }
      broken = false;
    } finally {
      client.release(broken);
    }
    return report;
  }

  async #runAll(client: PoolClient, all: boolean, report: JobReport): Promise<void> {
    const can = this.#context.capabilities();
    // Before the policies: they would move the aggregates' mark past buckets that still wait.
    if (can.cagg) {
      await this.#attempt(client, "statistics", null, report, async () => {
        const { refreshed, kept } = await refreshQueued(client);
        report.refreshedBuckets = refreshed;
        if (kept > 0) this.#context.log(`statistics: ${kept} buckets kept as they are, their samples are gone`);
        return refreshed + kept > 0;
      });
    }
    for (const policy of this.#context.policies()) {
      if (this.#closed) return;
      if (!all && !(await this.#isDue(client, policy, can.workers))) continue;
      await this.#attempt(client, policy.name, policy.jobId, report, () => this.#runPolicy(client, policy));
    }
    if (!can.hypertable && (all || (await this.#isPast(client, "retention", DUE_MINUTES.retention)))) {
      await this.#attempt(client, "retention", null, report, () => this.#deleteOld(client));
    }
    // No hypertable in either mode: whether an event may go depends on what came after it.
    if (all || (await this.#isPast(client, ALARM_RETENTION, DUE_MINUTES.retention)))
      await this.#attempt(client, ALARM_RETENTION, null, report, () => this.#dropOldAlarmEvents(client));
  }

  async #isDue(client: PoolClient, policy: Policy, workers: boolean): Promise<boolean> {
    if (workers && (await workersRun(client, policy.jobId))) return false;
    return this.#isPast(client, policy.name, DUE_MINUTES[policy.kind]);
  }

  async #isPast(client: PoolClient, name: string, minutes: number): Promise<boolean> {
    const recent = await client.query(
      "SELECT FROM job_runs WHERE name = $1 AND finished_at > now() - make_interval(mins => $2) AND finished_at <= now()",
      [name, minutes],
    );
    return recent.rowCount === 0;
  }

  /** Runs one job and keeps the record of it; its failure is reported, not thrown, unless the connection is gone. */
  async #attempt(
    client: PoolClient,
    name: string,
    jobId: number | null,
    report: JobReport,
    work: () => Promise<boolean>,
  ): Promise<void> {
    const startedAt = new Date().toISOString();
    let failure: string | null = null;
    try {
      if (!(await work())) return;
      report.ran.push(name);
    } catch (error) {
      failure = messageOf(error).slice(0, 1000);
      report.failed[name] = failure;
      this.#context.log(`job ${name} failed: ${failure}`);
    }
    await client.query(
      `INSERT INTO job_runs AS r (name, job_id, started_at, finished_at, runs, failures, last_error)
        VALUES ($1, $2, $3, now(), 1, $4, $5)
        ON CONFLICT (name) DO UPDATE SET job_id = excluded.job_id, started_at = excluded.started_at,
          finished_at = excluded.finished_at, runs = r.runs + 1, failures = r.failures + excluded.failures,
          last_error = excluded.last_error`,
      [name, jobId, startedAt, failure === null ? 0 : 1, failure],
    );
  }

  async #runPolicy(client: PoolClient, policy: Policy): Promise<boolean> {
    if (policy.kind !== "compression") {
      await client.query(`CALL run_job(${policy.jobId})`);
      return true;
    }
    const table = policy.name.slice(policy.name.indexOf(":") + 1);
    let waiting = await this.#compressible(client, table);
    // Once in any case: late rows in compressed chunks wait uncompressed, and only the job itself finds those.
    for (let step = 0; step < CHUNKS_PER_ROUND && !this.#closed; step++) {
      await client.query(`CALL run_job(${policy.jobId})`);
      const left = await this.#compressible(client, table);
      if (left === 0 || left >= waiting) break; // it leaves the rest alone; asking again would not change that
      waiting = left;
    }
    return true;
  }

  async #compressible(client: PoolClient, table: string): Promise<number> {
    const found = await client.query<{ chunks: number }>(
      `SELECT count(*) AS chunks FROM timescaledb_information.chunks
        WHERE hypertable_schema = current_schema() AND hypertable_name = $1 AND NOT is_compressed
          AND range_end < now() - make_interval(days => $2)`,
      [table, this.#context.retention().compressAfterDays],
    );
    return found.rows[0]?.chunks ?? 0;
  }

  async #dropOldAlarmEvents(client: PoolClient): Promise<boolean> {
    const { alarmDays } = this.#context.retention();
    for (let step = 0; alarmDays > 0 && step < DELETES_PER_ROUND && !this.#closed; step++) {
      const { rows } = await client.query<{ dropped: string | number }>(
        "SELECT drop_old_alarm_events($1, $2) AS dropped",
        [alarmDays, ROWS_PER_DELETE],
      );
      if (Number(rows[0]?.dropped ?? 0) < ROWS_PER_DELETE) break;
    }
    return true;
  }

  async #deleteOld(client: PoolClient): Promise<boolean> {
    const { rawDays, analysisDays } = this.#context.retention();
    for (const [tables, days] of [[RAW_TABLES, rawDays] as const, [ANALYSIS_TABLES, analysisDays] as const]) {
      for (const table of days === 0 ? [] : tables) {
        for (let step = 0; step < DELETES_PER_ROUND && !this.#closed; step++) {
          const deleted = await client.query(
            `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM ${table} WHERE time < now() - make_interval(days => $1) LIMIT ${ROWS_PER_DELETE}))`,
            [days],
          );
          if ((deleted.rowCount ?? 0) < ROWS_PER_DELETE) break;
        }
      }
    }
    return true;
  }
}

/** Whether the database's own workers run this job: the last run did not fail and the next is not long overdue. */
async function workersRun(client: PoolClient, jobId: number): Promise<boolean> {
  const healthy = await client.query(
    `SELECT FROM timescaledb_information.job_stats
      WHERE job_id = $1 AND last_run_status IS DISTINCT FROM 'Failed'
        AND (job_status = 'Running' OR next_start > now() - make_interval(mins => $2))`,
    [jobId, OVERDUE_MINUTES],
  );
  return (healthy.rowCount ?? 0) > 0;
}
