import type { ClientBase, Pool } from "pg";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import type { Envelope } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import { plainText } from "../timescaledb/json-text.ts";
import { explain } from "./records.ts";

/** Records sent in per step of a retry of many; each is marked before the next step. */
const STEP_RECORDS = 20;
const STEP_BYTES = 4 * 1024 * 1024;
/** While more than this waits in the inbox the devices go first. */
const MOST_WAITING = 200;
const PAUSE_MS = 250;
/** How long a full inbox is waited for, ms. */
const PATIENCE_MS = 120_000;

/** Where retried bytes go, and how much waits there. */
export interface RetryInbox {
  append(envelope: Envelope): Promise<string>;
  waiting(): number;
}

export interface RetryContext {
  pool: Pool;
  inbox: RetryInbox;
  /** Line for records that do not know theirs. */
  defaultLineId: string;
  /** Who asked for it. */
  by: string;
}

interface Row {
  id: string;
  transport: string;
  receivedAt: string;
  siteId: string;
  lineId: string | null;
  provenDeviceId: string | null;
  bytes: Buffer;
}

const FIELDS = `id::text AS id, transport, received_at AS "receivedAt", site_id AS "siteId", line_id AS "lineId",
  proven_device_id AS "provenDeviceId", bytes`;

/**
 * Sends one record's bytes through the inbox again and marks it. The mark comes after the inbox has the bytes: killed in
 * between, the record is open still, and what a second retry brings is a duplicate of the same sample.
 * @throws CodedError `quarantine-gone`, `quarantine-not-open`, what the inbox or the database said
 */
export async function retryOne(context: RetryContext, id: string): Promise<void> {
  const { rows } = await context.pool.query<Row>(
    `SELECT ${FIELDS} FROM quarantine WHERE id = $1::bigint AND state = 'open'`,
    [id],
  );
  const [row] = rows;
  if (!row) return explain(context.pool, id);
  await append(context, row);
  await mark(context.pool, [row.id], context.by);
}

export interface RetryProgress {
  done: number;
  total: number;
  state: "running" | "waiting" | "finished" | "stopped" | "failed";
  error?: string;
}

/**
 * Sends all open records of a reason in again, oldest first, in steps; those that come back to quarantine meanwhile are
 * not taken again. Waits while the inbox is busy with the devices. Reports after every step; never throws.
 * @param isStopped asked before every step
 */
export async function retryAll(
  context: RetryContext,
  reason: string,
  report: (progress: RetryProgress) => void,
  isStopped: () => boolean,
): Promise<RetryProgress> {
  let progress: RetryProgress = { done: 0, total: 0, state: "running" };
  const say = (change: Partial<RetryProgress>) => {
    progress = { ...progress, ...change };
    report(progress);
  };
  try {
    const all = await context.pool.query<{ count: number; last: string | null }>(
      "SELECT count(*) AS count, max(id)::text AS last FROM quarantine WHERE reason = $1 AND state = 'open'",
      [reason],
    );
    const { count = 0, last = null } = all.rows[0] ?? {};
    say({ total: count });
    let from = "0";
    while (last !== null) {
      if (isStopped()) {
        say({ state: "stopped" });
        return progress;
      }
      if (context.inbox.waiting() > MOST_WAITING) {
        say({ state: "waiting" });
        await pause(PAUSE_MS);
        continue;
      }
      const rows = await nextStep(context.pool, reason, from, last);
      if (rows.length === 0) break;
      const sent: string[] = [];
      try {
        for (const row of rows) {
          if (isStopped()) break;
          await appendPatiently(context, row, () => say({ state: "waiting" }), isStopped);
          sent.push(row.id);
        }
      } finally {
        await mark(context.pool, sent, context.by);
      }
      from = sent.at(-1) ?? from;
      say({ done: progress.done + sent.length, state: "running" });
    }
    say({ state: "finished" });
  } catch (error) {
    say({ state: isStopped() ? "stopped" : "failed", error: codeOf(error, "quarantine-failed") });
  }
  return progress;
}

/** The next open records, oldest first, as many as a step may hold in memory. */
async function nextStep(pool: Pool, reason: string, after: string, last: string): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${FIELDS} FROM quarantine WHERE id IN (
        SELECT id FROM (
          SELECT id, sum(byte_length) OVER (ORDER BY id) - byte_length AS before FROM (
            SELECT id, byte_length FROM quarantine
            WHERE reason = $1 AND state = 'open' AND id > $2::bigint AND id <= $3::bigint ORDER BY id LIMIT ${STEP_RECORDS}
          ) few
        ) summed WHERE before < ${STEP_BYTES})
      ORDER BY quarantine.id`,
    [reason, after, last],
  );
  return rows;
}

async function appendPatiently(
  context: RetryContext,
  row: Row,
  onWait: () => void,
  isStopped: () => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await append(context, row);
      return;
    } catch (error) {
      const mayPass = ["inbox-full", "disk-full"].includes(codeOf(error, ""));
      if (!mayPass || isStopped() || performance.now() > deadline) throw error;
      onWait();
      await pause(PAUSE_MS * 4);
    }
  }
}

/** @throws CodedError with the inbox's code: what it says is never taken for the database's word */
async function append({ inbox, defaultLineId }: RetryContext, row: Row): Promise<void> {
  try {
    await inbox.append(envelopeOf(row, defaultLineId));
  } catch (cause) {
    throw new CodedError(codeOf(cause, "inbox-failed"), messageOf(cause), { cause });
  }
}

/** Notes that records were sent in again; one that somebody closed meanwhile stays closed. */
async function mark(database: Pool | ClientBase, ids: readonly string[], by: string): Promise<void> {
  if (ids.length === 0) return;
  await database.query(
    `UPDATE quarantine SET state = 'retried', changed_at = now(), changed_by = $2 WHERE id = ANY ($1::bigint[]) AND state = 'open'`,
    [ids, plainText(by, 200)],
  );
}

/** The bytes as they came. What the door had against them is left out: whoever retries has judged that. */
export function envelopeOf(row: Omit<Row, "id">, defaultLineId: string): Envelope {
  const transport: Transport = TRANSPORTS.find((one) => one === row.transport) ?? "websocket";
  return {
    transport,
    receivedAt: row.receivedAt,
    // What was in the future then may have come to pass, or the server's clock was behind.
    otherwiseAt: new Date().toISOString(),
    siteId: row.siteId,
    ...(row.lineId !== null && { lineId: row.lineId }),
    defaultLineId,
    ...(row.provenDeviceId !== null && { provenDeviceId: row.provenDeviceId }),
    bytes: row.bytes,
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
