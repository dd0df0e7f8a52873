import type { ClientBase } from "pg";
import { type AuditEntry, type ChainedRow, entryOf, GENESIS, hashOf } from "./chain.ts";

/** A pool or a client. */
type Queries = Pick<ClientBase, "query">;

/** End of the chain: the last row's number and hash. */
export interface Head {
  seq: number;
  hash: string;
}

export const NO_ROWS: Head = { seq: 0, hash: GENESIS };

/** Rows of one statement. */
const BATCH = 200;

/**
 * Adds records in their order; one that is there already (its file was not removed before a crash) is passed over. The
 * caller holds a transaction; two at once wait for each other.
 * @returns the end of the chain
 */
export async function append(client: ClientBase, records: readonly { id: string; text: string }[]): Promise<Head> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('foieflow-audit', 0))");
  let head = await readHead(client);
  for (let from = 0; from < records.length; from += BATCH) {
    const batch = records.slice(from, from + BATCH);
    const { rows: there } = await client.query<{ record_id: string }>(
      "SELECT record_id FROM audit_log WHERE record_id = ANY($1)",
      [batch.map(({ id }) => id)],
    );
    const known = new Set(there.map(({ record_id }) => record_id));
    const rows: (ChainedRow & { entry: AuditEntry })[] = [];
    for (const { id, text } of batch) {
      if (known.has(id)) continue;
      known.add(id);
      const seq = head.seq + 1;
      const hash = hashOf(seq, head.hash, text);
      rows.push({ seq, recordId: id, record: text, previousHash: head.hash, hash, entry: entryOf(text) });
      head = { seq, hash };
    }
    if (rows.length === 0) continue;
    await client.query(
      `INSERT INTO audit_log (seq, record_id, at, actor, role, action, target, result, origin, record, previous_hash, hash)
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])`,
      [
        rows.map(({ seq }) => seq),
        rows.map(({ recordId }) => recordId),
        rows.map(({ entry }) => entry.at),
        rows.map(({ entry }) => entry.who?.name ?? null),
        rows.map(({ entry }) => entry.who?.role ?? null),
        rows.map(({ entry }) => entry.action),
        rows.map(({ entry }) => entry.target),
        rows.map(({ entry }) => entry.result),
        rows.map(({ entry }) => entry.from),
        rows.map(({ record }) => record),
        rows.map(({ previousHash }) => previousHash),
        rows.map(({ hash }) => hash),
      ],
    );
  }
  return head;
}

async function readHead(client: Queries): Promise<Head> {
  const { rows } = await client.query<{ seq: string | number; hash: string }>(
    "SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1",
  );
  const [last] = rows;
  return last ? { seq: Number(last.seq), hash: last.hash } : NO_ROWS;
}

export interface AuditFilter {
  actor?: string | undefined;
  /** An action, or its beginning up to a dot: `person` finds `person.sign-in`. */
  action?: string | undefined;
  result?: string | undefined;
  target?: string | undefined;
  /** ISO 8601, the first inclusive, the second not. */
  from?: string | undefined;
  to?: string | undefined;
  /** Rows before this number: the next page. */
  before?: number | undefined;
  limit?: number | undefined;
}

export interface AuditRow extends AuditEntry {
  seq: number;
}

export const MAX_ROWS = 500;

/** Rows of the log, newest first. */
export async function readAudit(pool: Queries, filter: AuditFilter): Promise<AuditRow[]> {
  const { rows } = await pool.query<{ seq: string | number; record: string }>(
    `SELECT seq, record FROM audit_log
     WHERE ($1::text IS NULL OR actor = $1)
       AND ($2::text IS NULL OR action = $2 OR starts_with(action, $2 || '.'))
       AND ($3::text IS NULL OR result = $3)
       AND ($4::text IS NULL OR strpos(lower(target), lower($4)) > 0)
       AND ($5::timestamptz IS NULL OR at >= $5)
       AND ($6::timestamptz IS NULL OR at < $6)
       AND ($7::bigint IS NULL OR seq < $7)
     ORDER BY seq DESC LIMIT $8`,
    [
      filter.actor || null,
      filter.action || null,
      filter.result || null,
      filter.target || null,
      filter.from || null,
      filter.to || null,
      filter.before ?? null,
      Math.min(Math.max(1, filter.limit ?? 100), MAX_ROWS),
    ],
  );
  return rows.map(({ seq, record }) => ({ seq: Number(seq), ...entryOf(record) }));
}

export interface Verification {
  rows: number;
  head: Head;
  /** The first thing that is wrong, or undefined. */
  fault?: { seq: number; what: "gap" | "changed" | "not-chained" | "columns" | "cut-off" };
}

interface KeptRow {
  seq: string | number;
  record_id: string;
  at_ms: string | number;
  actor: string | null;
  role: string | null;
  action: string;
  target: string | null;
  result: string;
  origin: string | null;
  record: string;
  previous_hash: string;
  hash: string;
}

/**
 * Goes along the whole chain: numbers without a gap, each hash right, each row's columns as its text says, and the end no
 * earlier than the one this machine has noted.
 */
export async function verify(pool: Queries, noted: Head = NO_ROWS): Promise<Verification> {
  let head = NO_ROWS;
  for (;;) {
    const { rows } = await pool.query<KeptRow>(
      `SELECT seq, record_id, extract(epoch FROM at) * 1000 AS at_ms, actor, role, action, target, result, origin, record,
         previous_hash, hash
       FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT 1000`,
      [head.seq],
    );
    for (const row of rows) {
      const seq = Number(row.seq);
      const what = faultOf(row, seq, head);
      if (what) return { rows: head.seq, head, fault: { seq, what } };
      head = { seq, hash: row.hash };
      if (seq === noted.seq && row.hash !== noted.hash) return { rows: seq, head, fault: { seq, what: "changed" } };
    }
    if (rows.length === 0) break;
  }
  if (head.seq < noted.seq) return { rows: head.seq, head, fault: { seq: head.seq + 1, what: "cut-off" } };
  return { rows: head.seq, head };
}

function faultOf(row: KeptRow, seq: number, before: Head): NonNullable<Verification["fault"]>["what"] | undefined {
  if (seq !== before.seq + 1) return "gap";
  if (row.previous_hash !== before.hash) return "not-chained";
  if (hashOf(seq, row.previous_hash, row.record) !== row.hash) return "changed";
  const entry = entryOf(row.record);
  const same =
    row.record_id === entry.id &&
    Number(row.at_ms) === Date.parse(entry.at) &&
    row.actor === (entry.who?.name ?? null) &&
    row.role === (entry.who?.role ?? null) &&
    row.action === entry.action &&
    row.target === entry.target &&
    row.result === entry.result &&
    row.origin === entry.from;
  return same ? undefined : "columns";
}
