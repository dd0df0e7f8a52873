import type { JobHealth, JobStatus } from "./snapshot.ts";

/** A job as the database tells of it: this program's record (`own…`) and that of the database's workers (`worker…`). */
export interface JobRow {
  name: string;
  jobId: number | null;
  ownRunAt: string | null;
  ownRuns: number | null;
  ownFailures: number | null;
  ownError: string | null;
  everyMinutes?: number | null;
  workerRunAt?: string | null;
  workerStatus?: string | null;
  jobStatus?: string | null;
  nextRunAt?: string | null;
  workerRuns?: number | null;
  workerFailures?: number | null;
}

/** How often this program runs each kind where the database does not, minutes; what is not named runs when there is work. */
const EVERY_MINUTES: Readonly<Record<string, number>> = { retention: 60, compression: 30, refresh: 10 };
/** How late a job may be before somebody should know, minutes beyond twice its interval. */
const LATE_MINUTES = 10;
/** After a start the jobs get this long to catch up on what the night left, s. */
const CATCH_UP_S = 180;
const MINUTE_MS = 60_000;

/** What a job's records say of it now: the later of the two counts. */
export function jobHealth(row: JobRow, now: { nowMs: number; upS: number; workers: boolean }): JobHealth {
  const own = timeOf(row.ownRunAt);
  const worker = timeOf(row.workerRunAt);
  const byDatabase = worker > own || (worker === 0 && own === 0 && now.workers && row.jobId !== null);
  const lastMs = Math.max(own, worker);
  const failed = byDatabase ? row.workerStatus === "Failed" : row.ownError !== null;
  return {
    name: row.name,
    status: statusOf(row, lastMs, failed, byDatabase, now),
    by: byDatabase ? "database" : "foieflow",
    ...(lastMs > 0 && { lastRunAt: new Date(lastMs).toISOString() }),
    ...(byDatabase && timeOf(row.nextRunAt) > 0 && { nextRunAt: new Date(timeOf(row.nextRunAt)).toISOString() }),
    runs: Number(row.ownRuns ?? 0) + Number(row.workerRuns ?? 0),
    failures: Number(row.ownFailures ?? 0) + Number(row.workerFailures ?? 0),
    ...(!byDatabase && row.ownError !== null && { error: row.ownError }),
  };
}

function statusOf(
  row: JobRow,
  lastMs: number,
  failed: boolean,
  byDatabase: boolean,
  { nowMs, upS }: { nowMs: number; upS: number },
): JobStatus {
  if (row.jobStatus === "Running") return "running";
  if (failed) return "failed";
  const kind = row.name.split(":", 1)[0] ?? "";
  const everyMinutes = byDatabase ? (row.everyMinutes ?? undefined) : EVERY_MINUTES[kind];
  if (everyMinutes !== undefined && upS > CATCH_UP_S) {
    const dueMs = timeOf(row.nextRunAt);
    const lateMs = LATE_MINUTES * MINUTE_MS;
    if (byDatabase && dueMs > 0 && nowMs > dueMs + lateMs) return "overdue";
    const sinceMs = Math.max(lastMs, byDatabase ? 0 : nowMs - upS * 1000);
    if (!byDatabase && nowMs > sinceMs + 2 * everyMinutes * MINUTE_MS + lateMs) return "overdue";
  }
  return lastMs > 0 ? "ok" : "never";
}

function timeOf(text: string | null | undefined): number {
  const ms = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? 0 : ms;
}
