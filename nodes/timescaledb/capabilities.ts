import type { ClientBase } from "pg";

/** What the database in use can do; found by looking, not by its version. */
export interface Capabilities {
  /** Version of the TimescaleDB extension, or null without it. */
  timescaledb: string | null;
  /** Whether the sample tables are hypertables. */
  hypertable: boolean;
  /** Whether the statistics are continuous aggregates (else ordinary views). */
  cagg: boolean;
  /** Whether the sample tables can be compressed. */
  compression: boolean;
  /** Whether the database runs policies by itself. */
  workers: boolean;
  /** Whether it is the engine inside this process. */
  embedded: boolean;
}

export const NO_CAPABILITIES: Readonly<Capabilities> = {
  timescaledb: null,
  hypertable: false,
  cagg: false,
  compression: false,
  workers: false,
  embedded: false,
};

/** Looks at what the migrations made of the database and at who runs in it. */
export async function findCapabilities(client: ClientBase, embedded: boolean): Promise<Capabilities> {
  const extension = await client.query<{ version: string }>(
    "SELECT extversion AS version FROM pg_extension WHERE extname = 'timescaledb'",
  );
  const version = extension.rows[0]?.version;
  if (version === undefined) return { ...NO_CAPABILITIES, embedded };
  const found = await client.query<Record<"hypertable" | "cagg" | "compression" | "workers", boolean>>(`
    SELECT
      EXISTS (SELECT FROM timescaledb_information.hypertables
        WHERE hypertable_schema = current_schema() AND hypertable_name = 'fusion_results') AS hypertable,
      EXISTS (SELECT FROM timescaledb_information.hypertables
        WHERE hypertable_schema = current_schema() AND hypertable_name = 'fusion_results' AND compression_enabled) AS compression,
      EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = current_schema() AND view_name = 'fusion_hourly_stats') AS cagg,
      -- Without rights to see others' activity, the jobs' own record tells.
      EXISTS (SELECT FROM pg_stat_activity WHERE backend_type LIKE 'TimescaleDB Background Worker%')
        OR EXISTS (SELECT FROM timescaledb_information.job_stats
          WHERE hypertable_schema = current_schema() AND last_run_started_at IS NOT NULL) AS workers
  `);
  const row = found.rows[0];
  return {
    timescaledb: version,
    hypertable: row?.hypertable ?? false,
    cagg: row?.cagg ?? false,
    compression: row?.compression ?? false,
    workers: row?.workers ?? false,
    embedded,
  };
}
