import type { ClientBase } from "pg";
import { REFRESH_POLICIES } from "./retention.ts";

/**
 * A continuous aggregate counts what is younger than its last refreshed bucket by itself; anything older only once its
 * bucket was computed again. So every bucket that receives a row is written down with the row, in the same transaction,
 * and computed once it is over. That does not depend on the ten-minute policy (which looks back two days only, and runs
 * only while the database does).
 */
const HOUR_MS = 3_600_000;

/** A bucket is computed when it has been over for this long. */
const SETTLE_MS = HOUR_MS;

/** Most buckets waiting; past that, old ones wait for a refresh by hand. */
const MAX_WAITING = 50_000;

/** Most consecutive buckets computed in one statement. */
const BUCKETS_PER_STEP = 24;

/** Most buckets looked at in one round. */
const BUCKETS_PER_ROUND = 480;

/** The statistics buckets of a time, as view and start, ms since 1970. */
export function bucketsOf(timeMs: number): { view: string; startMs: number; endMs: number }[] {
  return REFRESH_POLICIES.map(({ view, bucketHours }) => {
    const width = bucketHours * HOUR_MS;
    const startMs = Math.floor(timeMs / width) * width;
    return { view, startMs, endMs: startMs + width };
  });
}

/** Remembers which open buckets were written down already, so that live rows do not write the same row each batch. */
export class BucketMemo {
  readonly #known = new Set<string>();

  /** Buckets of these times that must be written down now. Half the settling time is left for clocks that disagree. */
  toRequest(timesMs: readonly number[], nowMs: number): { view: string; startMs: number; live: boolean }[] {
    const wanted = new Map<string, { view: string; startMs: number; live: boolean }>();
    for (const timeMs of timesMs) {
      for (const { view, startMs, endMs } of bucketsOf(timeMs)) {
        const key = `${view} ${startMs}`;
        const live = endMs + SETTLE_MS / 2 > nowMs;
        if (!live || !this.#known.has(key)) wanted.set(key, { view, startMs, live });
      }
    }
    return [...wanted.values()];
  }

  /** To be called when the transaction that wrote them down has been committed. */
  committed(requested: readonly { view: string; startMs: number; live: boolean }[]): void {
    if (this.#known.size > 1000) this.#known.clear();
    for (const { view, startMs, live } of requested) if (live) this.#known.add(`${view} ${startMs}`);
  }
}

/** Writes buckets down to be computed again (inside the transaction that stores the rows). */
export async function requestRefresh(
  client: ClientBase,
  buckets: readonly { view: string; startMs: number }[],
): Promise<void> {
  if (buckets.length === 0) return;
  // In one order, so that two writers never wait for each other crosswise.
  const sorted = [...buckets].sort((a, b) => a.startMs - b.startMs || (a.view < b.view ? -1 : 1));
  await client.query(
    `INSERT INTO stats_refresh_queue (view_name, bucket)
      SELECT * FROM unnest($1::text[], $2::timestamptz[])
      WHERE (SELECT count(*) FROM stats_refresh_queue) < ${MAX_WAITING}
      ON CONFLICT (view_name, bucket) DO UPDATE SET requested_at = clock_timestamp()`,
    [sorted.map((b) => b.view), sorted.map((b) => new Date(b.startMs).toISOString())],
  );
}

interface Waiting {
  bucket: string;
  requested_at: string;
}

/**
 * Computes the waiting buckets that are over, oldest first, in small steps; a bucket asked for again meanwhile stays.
 * A bucket that holds more samples than the table still has (its chunks were dropped by hand) is left as it is, so that
 * a refresh never empties history. Must run outside a transaction.
 * @returns number of buckets computed and of those left alone
 */
export async function refreshQueued(client: ClientBase): Promise<{ refreshed: number; kept: number }> {
  let refreshed = 0;
  let kept = 0;
  for (const { view, bucketHours } of REFRESH_POLICIES) {
    const widthMs = bucketHours * HOUR_MS;
    const due = await client.query<Waiting>(
      `SELECT bucket, requested_at FROM stats_refresh_queue
        WHERE view_name = $1 AND bucket <= now() - make_interval(secs => $2)
        ORDER BY bucket LIMIT ${BUCKETS_PER_ROUND}`,
      [view, (widthMs + SETTLE_MS) / 1000],
    );
    for (const run of consecutive(due.rows, widthMs)) {
      const shrunk = await bucketsWithLostRows(client, view, run, widthMs);
      const good = run.filter((waiting) => !shrunk.has(Date.parse(waiting.bucket)));
      for (const part of consecutive(good, widthMs)) {
        const from = Date.parse(part[0]?.bucket ?? "");
        await client.query(`CALL refresh_continuous_aggregate('${view}', $1::timestamptz, $2::timestamptz)`, [
          new Date(from).toISOString(),
          new Date(from + part.length * widthMs).toISOString(),
        ]);
      }
      await client.query(
        `DELETE FROM stats_refresh_queue q USING unnest($2::timestamptz[], $3::timestamptz[]) AS done (bucket, requested_at)
          WHERE q.view_name = $1 AND q.bucket = done.bucket AND q.requested_at = done.requested_at`,
        [view, run.map((w) => w.bucket), run.map((w) => w.requested_at)],
      );
      refreshed += good.length;
      kept += shrunk.size;
    }
  }
  return { refreshed, kept };
}

/** Of consecutive buckets, those that hold more samples than the table has. */
async function bucketsWithLostRows(
  client: ClientBase,
  view: string,
  run: readonly Waiting[],
  widthMs: number,
): Promise<Set<number>> {
  const from = Date.parse(run[0]?.bucket ?? "");
  // As a range: for single buckets the part not yet computed would be summed up over the whole table, each time.
  const found = await client.query<{ bucket: string }>(
    `WITH counted AS (
      SELECT bucket, sum(sample_count) AS samples FROM ${view} WHERE bucket >= $1::timestamptz AND bucket < $2::timestamptz GROUP BY 1
    ), there AS (
      SELECT date_bin(make_interval(secs => $3), time, timestamptz '2000-01-01 00:00:00+00') AS bucket, count(*) AS samples
      FROM fusion_results WHERE time >= $1::timestamptz AND time < $2::timestamptz GROUP BY 1
    )
    SELECT c.bucket FROM counted c LEFT JOIN there t USING (bucket) WHERE c.samples > coalesce(t.samples, 0)`,
    [new Date(from).toISOString(), new Date(from + run.length * widthMs).toISOString(), widthMs / 1000],
  );
  return new Set(found.rows.map((row) => Date.parse(row.bucket)));
}

function consecutive(waiting: readonly Waiting[], widthMs: number): Waiting[][] {
  const runs: Waiting[][] = [];
  let last: Waiting[] | undefined;
  for (const one of waiting) {
    const before = last?.at(-1);
    if (
      last &&
      before &&
      last.length < BUCKETS_PER_STEP &&
      Date.parse(one.bucket) - Date.parse(before.bucket) === widthMs
    ) {
      last.push(one);
    } else {
      last = [one];
      runs.push(last);
    }
  }
  return runs;
}
