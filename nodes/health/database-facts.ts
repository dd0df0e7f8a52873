import type { ClientBase, Pool } from "pg";
import type { Capabilities } from "../timescaledb/capabilities.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { type JobRow, jobHealth } from "./jobs.ts";
import type { DatabaseFacts } from "./snapshot.ts";

/** Longest wait for one reading of the facts, ms. */
const DEADLINE_MS = 10_000;

/** What the record of this program's runs says. */
const OWN_JOBS = `
  SELECT name, job_id AS "jobId", finished_at AS "ownRunAt", runs AS "ownRuns", failures AS "ownFailures", last_error AS "ownError"
  FROM job_runs`;

/** The same with every policy of the database and what its workers' own record says. */
const ALL_JOBS = `
  SELECT coalesce(r.name, replace(replace(j.proc_name, 'policy_', ''), '_continuous_aggregate', '') || coalesce(':' || coalesce(c.view_name, j.hypertable_name), '')) AS name,
    coalesce(j.job_id, r.job_id) AS "jobId",
    r.finished_at AS "ownRunAt", r.runs AS "ownRuns", r.failures AS "ownFailures", r.last_error AS "ownError",
    extract(epoch FROM j.schedule_interval)::float8 / 60 AS "everyMinutes",
    nullif(s.last_run_started_at, '-infinity') AS "workerRunAt", s.last_run_status AS "workerStatus", s.job_status AS "jobStatus",
    nullif(nullif(s.next_start, '-infinity'), 'infinity') AS "nextRunAt", s.total_runs AS "workerRuns", s.total_failures AS "workerFailures"
  FROM (SELECT * FROM timescaledb_information.jobs WHERE job_id >= 1000 AND proc_name LIKE 'policy\\_%' AND hypertable_name IS NOT NULL) j
  LEFT JOIN timescaledb_information.job_stats s ON s.job_id = j.job_id
  LEFT JOIN timescaledb_information.continuous_aggregates c
    ON (c.materialization_hypertable_schema, c.materialization_hypertable_name) = (j.hypertable_schema, j.hypertable_name)
  FULL JOIN job_runs r ON r.job_id = j.job_id`;

/**
 * Reads what only the database knows: its size, its jobs, what is in quarantine.
 * @throws what the database answers; CodedError `database-timeout`
 */
export function readFacts(pool: Pool, can: Capabilities, now: { ms: number; upS: number }): Promise<DatabaseFacts> {
  return inTransaction(pool, (client) => read(client, can, now), {
    begin: "BEGIN READ ONLY",
    deadlineMs: DEADLINE_MS,
  });
}

async function read(client: ClientBase, can: Capabilities, now: { ms: number; upS: number }): Promise<DatabaseFacts> {
  const sizes = await client.query<{ version: string; size: number; open: number; bytes: number }>(
    `SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
      (SELECT count(*) FROM quarantine WHERE state = 'open') AS open,
      (SELECT coalesce(sum(byte_length), 0)::bigint FROM quarantine) AS bytes`,
  );
  const jobs = await client.query<JobRow>(can.hypertable ? ALL_JOBS : OWN_JOBS);
  const row = sizes.rows[0];
  return {
    at: new Date(now.ms).toISOString(),
    serverVersion: row?.version ?? "",
    sizeBytes: Number(row?.size ?? 0),
    jobs: jobs.rows
      .map((job) => jobHealth(job, { nowMs: now.ms, upS: now.upS, workers: can.workers }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    quarantine: { open: Number(row?.open ?? 0), bytes: Number(row?.bytes ?? 0) },
  };
}
