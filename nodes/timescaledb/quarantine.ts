import type { ClientBase } from "pg";
import { messageOf } from "../host/errors.ts";
import { rests } from "../host/rests.ts";
import type { QuarantineRecord } from "../sample/inbox.ts";
import type { Sample } from "../sample/sample.ts";
import { plainText } from "./json-text.ts";
import { cellsOf, insertSql, onTheWire, parametersOf, type Table } from "./table.ts";

/** Something to be kept in quarantine, with the inbox entry that brought it. */
export interface Quarantined {
  entryId: string;
  record: Omit<QuarantineRecord, "transport"> & { transport: string };
}

export interface QuarantineLimits {
  maxRows: number;
  maxBytes: number;
}

export const QUARANTINE_LIMITS: Readonly<QuarantineLimits> = { maxRows: 10_000, maxBytes: 64 * 1024 * 1024 };

// Every column is made to fit here: a record that tells of trouble must not be refused itself.
const QUARANTINE: Table<Quarantined> = {
  name: "quarantine",
  columns: [
    { name: "entry_id", type: "text", of: ({ entryId }) => plainText(entryId, 200) },
    { name: "received_at", type: "timestamptz", of: ({ record }) => validTime(record.receivedAt) },
    { name: "reason", type: "text", of: ({ record }) => plainText(record.reason, 200) },
    { name: "detail", type: "text", of: ({ record }) => plainText(record.detail, 2000) },
    { name: "transport", type: "text", of: ({ record }) => plainText(record.transport, 200) },
    { name: "site_id", type: "text", of: ({ record }) => plainText(record.siteId, 200) },
    { name: "line_id", type: "text", of: ({ record }) => textOrNull(record.lineId) },
    { name: "proven_device_id", type: "text", of: ({ record }) => textOrNull(record.provenDeviceId) },
    { name: "device_id", type: "text", of: ({ record }) => textOrNull(record.deviceId) },
    { name: "bytes", type: "bytea", of: ({ record }) => bytesOf(record) },
    { name: "byte_length", type: "integer", of: ({ record }) => bytesOf(record).length },
  ],
};
const INSERT = insertSql(QUARANTINE, "id");

const bytesOf = (record: Quarantined["record"]) => (Buffer.isBuffer(record.bytes) ? record.bytes : Buffer.alloc(0));

const textOrNull = (text: string | undefined) => (text === undefined ? null : plainText(text, 200));

function validTime(text: string): string {
  const ms = Date.parse(text);
  return new Date(Number.isNaN(ms) ? Date.now() : ms).toISOString();
}

/** A sample that the database refuses, as a quarantine record: its raw bytes, or itself as JSON where it has none. */
export function refusedSample(sample: Sample, reason: string, detail: string): Quarantined["record"] {
  const raw = sample.message?.bytes ?? sample.vl53l8ch?.raw?.bytes ?? sample.as7341?.raw?.bytes;
  return {
    quarantine: true,
    reason,
    detail,
    transport: sample.transport,
    receivedAt: sample.receivedAt,
    siteId: sample.siteId,
    lineId: sample.lineId,
    deviceId: sample.deviceId,
    bytes: raw instanceof Uint8Array ? Buffer.from(raw) : asJson(sample),
  };
}

function asJson(sample: Sample): Buffer {
  try {
    return Buffer.from(JSON.stringify(sample));
  } catch (error) {
    return Buffer.from(`not JSON: ${messageOf(error)}`);
  }
}

/**
 * Stores records (one that is there already stays as it is) and drops what goes beyond the limits: first what was dealt
 * with, then the oldest. What was dropped is counted in `quarantine_pushed_out`.
 */
export async function storeQuarantined(
  client: ClientBase,
  records: readonly Quarantined[],
  limits: QuarantineLimits = QUARANTINE_LIMITS,
): Promise<void> {
  if (records.length === 0) return;
  const kept = records.map((record) => cellsOf(QUARANTINE, record));
  await client.query({
    name: "foieflow-quarantine",
    text: INSERT,
    values: await onTheWire(parametersOf(QUARANTINE, kept), rests()),
  });
  const { rows } = await client.query<{ beyond: boolean }>(
    "SELECT count(*) > $1 OR coalesce(sum(byte_length), 0) > $2 AS beyond FROM quarantine",
    [limits.maxRows, limits.maxBytes],
  );
  if (!rows[0]?.beyond) return;
  await client.query(
    `WITH pushed AS (
      DELETE FROM quarantine WHERE id IN (
        SELECT id FROM (
          SELECT id, row_number() OVER kept AS place, sum(byte_length) OVER kept AS total
          FROM quarantine WINDOW kept AS (ORDER BY (state = 'open') DESC, id DESC)
        ) q WHERE place > $1 OR total > $2)
      RETURNING reason, byte_length, state
    )
    INSERT INTO quarantine_pushed_out AS p (reason, records, bytes, open_records, last_at)
      SELECT reason, count(*), sum(byte_length), count(*) FILTER (WHERE state = 'open'), now() FROM pushed GROUP BY reason
      ON CONFLICT (reason) DO UPDATE SET records = p.records + excluded.records, bytes = p.bytes + excluded.bytes,
        open_records = p.open_records + excluded.open_records, last_at = excluded.last_at`,
    [limits.maxRows, limits.maxBytes],
  );
}
