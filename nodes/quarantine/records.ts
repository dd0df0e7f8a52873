import type { ClientBase, Pool } from "pg";
import { CodedError } from "../host/errors.ts";
import { plainText } from "../timescaledb/json-text.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { showBytes } from "./bytes.ts";
import { type DetailView, type ListView, RECORD_STATES, type ReasonView, type RecordView } from "./page.ts";

/** Records of one page of a list. */
export const PAGE_SIZE = 50;
/** Reasons listed; those with most open come first. */
const MOST_REASONS = 100;
const DEADLINE_MS = 20_000;

type Queryable = Pool | ClientBase;

const COLUMNS = `id::text AS id, reason, detail, transport, device_id AS device, line_id AS line, received_at AS "receivedAt",
  quarantined_at AS "quarantinedAt", byte_length AS "byteLength", state, changed_at AS "changedAt",
  changed_by AS "changedBy", note`;

interface Row {
  id: string;
  reason: string;
  detail: string;
  transport: string;
  device: string | null;
  line: string | null;
  receivedAt: string;
  quarantinedAt: string;
  byteLength: number;
  state: string;
  changedAt: string | null;
  changedBy: string | null;
  note: string | null;
}

function recordOf(row: Row): RecordView {
  const { id, reason, detail, transport, receivedAt, quarantinedAt, byteLength } = row;
  return {
    ...{ id, reason, detail, transport, receivedAt, quarantinedAt, byteLength },
    state: RECORD_STATES.find((state) => state === row.state) ?? "open",
    ...(row.device !== null && { device: row.device }),
    ...(row.line !== null && { line: row.line }),
    ...(row.changedAt !== null && { changedAt: row.changedAt }),
    ...(row.changedBy !== null && { changedBy: row.changedBy }),
    ...(row.note !== null && { note: row.note }),
  };
}

/** What is in quarantine by reason, and altogether; reasons with nothing kept appear when something was pushed out. */
export async function summarise(
  database: Queryable,
): Promise<{ reasons: ReasonView[]; open: number; records: number; bytes: number }> {
  const { rows } = await database.query<
    Omit<ReasonView, "firstAt" | "lastAt"> & { firstAt: string | null; lastAt: string | null; allBytes: number }
  >(
    `SELECT reason, coalesce(q.open, 0) AS open, coalesce(q.bytes, 0)::bigint AS bytes, q."firstAt", q."lastAt",
        coalesce(q.devices, 0) AS devices, coalesce(q.retried, 0) AS retried, coalesce(q.closed, 0) AS closed,
        coalesce(q."allBytes", 0)::bigint AS "allBytes",
        coalesce(p.records, 0) AS "pushedOut", coalesce(p.open_records, 0) AS "pushedOutOpen"
      FROM (
        SELECT reason, count(*) FILTER (WHERE state = 'open') AS open,
          sum(byte_length) FILTER (WHERE state = 'open') AS bytes, sum(byte_length) AS "allBytes",
          min(received_at) FILTER (WHERE state = 'open') AS "firstAt", max(received_at) FILTER (WHERE state = 'open') AS "lastAt",
          count(DISTINCT device_id) FILTER (WHERE state = 'open') AS devices,
          count(*) FILTER (WHERE state = 'retried') AS retried, count(*) FILTER (WHERE state = 'closed') AS closed
        FROM quarantine GROUP BY reason
      ) q FULL JOIN quarantine_pushed_out p USING (reason)
      ORDER BY open DESC, reason`,
  );
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    reasons: rows.slice(0, MOST_REASONS).map(({ firstAt, lastAt, allBytes, ...row }) => ({
      ...row,
      ...(firstAt !== null && { firstAt }),
      ...(lastAt !== null && { lastAt }),
    })),
    open: sum(({ open }) => open),
    records: sum(({ open, retried, closed }) => open + retried + closed),
    bytes: sum(({ allBytes }) => allBytes),
  };
}

/** One reason's open records, or those dealt with, newest first; `from` continues a list. */
export async function listRecords(
  database: Queryable,
  { reason, done, from }: { reason: string; done: boolean; from?: string },
): Promise<ListView> {
  const { rows } = await database.query<Row>(
    `SELECT ${COLUMNS} FROM quarantine WHERE reason = $1 AND (state <> 'open') = $2 AND id < $3::bigint
      ORDER BY quarantine.id DESC LIMIT ${PAGE_SIZE + 1}`,
    [reason, done, from ?? String(Number.MAX_SAFE_INTEGER)],
  );
  const records = rows.slice(0, PAGE_SIZE).map(recordOf);
  const last = records.at(-1);
  return {
    ...{ reason, done, records },
    ...(from !== undefined && { from }),
    ...(rows.length > PAGE_SIZE && last && { next: last.id }),
  };
}

/** One record with its bytes made readable. @throws CodedError `quarantine-gone` */
export async function lookAt(database: Queryable, id: string): Promise<DetailView> {
  const { rows } = await database.query<Row & { bytes: Buffer }>(
    `SELECT ${COLUMNS}, bytes FROM quarantine WHERE id = $1::bigint`,
    [id],
  );
  const [row] = rows;
  if (!row) throw gone(id);
  return { ...recordOf(row), bytes: showBytes(row.bytes) };
}

/** Closes open records of an id or a reason with a note; their bytes stay until the bounds push them out. @returns how many */
export async function closeRecords(
  pool: Pool,
  which: { id: string } | { reason: string },
  by: { name: string; note: string },
): Promise<number> {
  const [condition, value] = "id" in which ? ["id = $1::bigint", which.id] : ["reason = $1", which.reason];
  return inTransaction(
    pool,
    async (client) => {
      const closed = await client.query(
        `UPDATE quarantine SET state = 'closed', changed_at = now(), changed_by = $2, note = $3
          WHERE ${condition} AND state = 'open'`,
        [value, plainText(by.name, 200), plainText(by.note, 2000)],
      );
      if ("id" in which && closed.rowCount === 0) await explain(client, which.id);
      return closed.rowCount ?? 0;
    },
    { deadlineMs: DEADLINE_MS },
  );
}

/** Why an open record of this id was not found. @throws CodedError `quarantine-gone`, `quarantine-not-open` */
export async function explain(database: Queryable, id: string): Promise<never> {
  const { rows } = await database.query<{ state: string }>("SELECT state FROM quarantine WHERE id = $1::bigint", [id]);
  const [row] = rows;
  if (!row) throw gone(id);
  throw new CodedError("quarantine-not-open", `record ${id} is ${row.state} already`);
}

const gone = (id: string) => new CodedError("quarantine-gone", `record ${id} is not kept any more`);
