import type { ClientBase } from "pg";
import type { Capabilities } from "./capabilities.ts";
import {
  ANALYSIS_TABLES,
  RAW_TABLES,
  REFRESH_EVERY_MINUTES,
  REFRESH_POLICIES,
  type Retention,
  SAMPLE_TABLES,
} from "./retention.ts";

/** A policy that the database (or our job runner in its place) carries out. */
export interface Policy {
  /** Our name for it, e.g. `retention:vl53l8ch_raw`; key of `job_runs`. */
  name: string;
  kind: "retention" | "compression" | "refresh";
  jobId: number;
}

interface Wanted {
  kind: Policy["kind"];
  relation: string;
  /** Interval in the job's configuration that tells whether it is the wanted one, in whole days or hours; null: no policy. */
  setting: string | null;
  add: string;
}

/** Every policy that should exist under these settings; `setting: null` means there must be none. */
function wantedPolicies(retention: Retention, can: Capabilities): Wanted[] {
  const wanted: Wanted[] = [];
  const keep = (table: string, days: number) =>
    wanted.push({
      kind: "retention",
      relation: table,
      setting: days === 0 ? null : `${days} days`,
      add: `SELECT add_retention_policy('${table}', drop_after => interval '${days} days') AS id`,
    });
  if (can.hypertable) {
    for (const table of RAW_TABLES) keep(table, retention.rawDays);
    for (const table of ANALYSIS_TABLES) keep(table, retention.analysisDays);
    keep("fusion_results", 0); // somebody may have added one by hand
  }
  if (can.compression) {
    const days = retention.compressAfterDays;
    for (const table of SAMPLE_TABLES) {
      wanted.push({
        kind: "compression",
        relation: table,
        setting: days === 0 ? null : `${days} days`,
        add: `SELECT add_compression_policy('${table}', compress_after => interval '${days} days') AS id`,
      });
    }
  }
  if (can.cagg) {
    for (const { view, startHours, endHours } of REFRESH_POLICIES) {
      wanted.push({
        kind: "refresh",
        relation: view,
        setting: `${startHours} hours`,
        add: `SELECT add_continuous_aggregate_policy('${view}', start_offset => interval '${startHours} hours',
          end_offset => interval '${endHours} hours', schedule_interval => interval '${REFRESH_EVERY_MINUTES} minutes') AS id`,
      });
    }
  }
  return wanted;
}

const PROC = {
  retention: "policy_retention",
  compression: "policy_compression",
  refresh: "policy_refresh_continuous_aggregate",
} as const;
const REMOVE = {
  retention: "SELECT remove_retention_policy($1::text::regclass, if_exists => true)",
  compression: "SELECT remove_compression_policy($1::text::regclass, if_exists => true)",
  refresh: "SELECT remove_continuous_aggregate_policy($1::text::regclass, if_exists => true)",
} as const;
const SETTING = { retention: "drop_after", compression: "compress_after", refresh: "start_offset" } as const;

/**
 * Makes the policies of the database those of the settings: adds, changes and removes. The caller holds a transaction.
 * Without workers a compression job is told to do one chunk per call, so that a call never holds up a write for long.
 */
export async function applyPolicies(
  client: ClientBase,
  retention: Retention,
  can: Capabilities,
): Promise<{ policies: Policy[]; changed: string[] }> {
  const policies: Policy[] = [];
  const changed: string[] = [];
  for (const { kind, relation, setting, add } of wantedPolicies(retention, can)) {
    const name = `${kind}:${relation}`;
    let jobId = await presentJob(client, kind, relation, setting);
    if (jobId === undefined || setting === null) {
      const removed = await client.query<{ had: boolean }>(`SELECT EXISTS (${JOBS_OF}) AS had`, [PROC[kind], relation]);
      if (removed.rows[0]?.had) {
        await client.query(REMOVE[kind], [relation]);
        changed.push(name);
      }
      jobId = undefined;
    }
    if (setting === null) continue;
    if (jobId === undefined) {
      const added = await client.query<{ id: number }>(add);
      jobId = added.rows[0]?.id ?? -1;
      changed.push(name);
    }
    if (kind === "compression") await limitSteps(client, jobId, can.workers);
    policies.push({ name, kind, jobId });
  }
  return { policies, changed };
}

/** Jobs of one kind on one of our relations; a refresh job is listed under its view or under the table behind it. */
const JOBS_OF = `
  SELECT j.job_id, j.config FROM timescaledb_information.jobs j
  WHERE j.proc_name = $1 AND (
    (j.hypertable_schema = current_schema() AND j.hypertable_name = $2)
    OR (j.hypertable_schema, j.hypertable_name) IN (
      SELECT c.materialization_hypertable_schema, c.materialization_hypertable_name
      FROM timescaledb_information.continuous_aggregates c
      WHERE c.view_schema = current_schema() AND c.view_name = $2))`;

async function presentJob(client: ClientBase, kind: Policy["kind"], relation: string, setting: string | null) {
  const found = await client.query<{ job_id: number }>(
    `SELECT job_id FROM (${JOBS_OF}) jobs WHERE (config->>'${SETTING[kind]}')::interval = $3::interval`,
    [PROC[kind], relation, setting],
  );
  return found.rows[0]?.job_id;
}

async function limitSteps(client: ClientBase, jobId: number, workers: boolean): Promise<void> {
  await client.query(
    `SELECT alter_job(job_id, config => CASE WHEN $2
        THEN config - 'maxchunks_to_compress' ELSE config || '{"maxchunks_to_compress": 1}' END)
      FROM timescaledb_information.jobs
      WHERE job_id = $1 AND (config ? 'maxchunks_to_compress') = $2`,
    [jobId, workers],
  );
}
