import type { Pool } from "pg";

/** Records fetched at a time, and bytes of them. */
const STEP_RECORDS = 50;
const STEP_BYTES = 4 * 1024 * 1024;
/** Most records of one export: more than the quarantine holds. */
const MOST_RECORDS = 100_000;

interface Row {
  id: string;
  byte_length: number;
  bytes: Buffer;
}

/**
 * Records as NDJSON lines, oldest first: the columns of `quarantine`, with the bytes in base64. Read in steps, so that
 * memory stays small however slow the reader is.
 * @param filter reason and state wanted; absent: all
 */
export async function* exportLines(
  pool: Pool,
  filter: { reason?: string; state?: string } = {},
): AsyncGenerator<string> {
  let after = "0";
  for (let sent = 0; sent < MOST_RECORDS; ) {
    const { rows } = await pool.query<Row>(
      `SELECT id::text AS id, entry_id, reason, detail, transport, site_id, line_id, device_id, proven_device_id, received_at,
          quarantined_at, state, changed_at, changed_by, note, byte_length, bytes
        FROM quarantine WHERE id IN (
          SELECT id FROM (
            SELECT id, sum(byte_length) OVER (ORDER BY id) - byte_length AS before FROM (
              SELECT id, byte_length FROM quarantine
              WHERE id > $1::bigint AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR state = $3)
              ORDER BY id LIMIT ${STEP_RECORDS}
            ) few
          ) summed WHERE before < ${STEP_BYTES})
        ORDER BY quarantine.id`,
      [after, filter.reason ?? null, filter.state ?? null],
    );
    const last = rows.at(-1);
    if (!last) return;
    for (const { bytes, ...row } of rows) {
      yield `${JSON.stringify({ ...row, bytes: bytes.toString("base64") })}\n`;
    }
    after = last.id;
    sent += rows.length;
  }
}
