import type { Pool } from "pg";
import { isSavedAlarm } from "./keep.ts";
import type { FreshRecord, SavedAlarm } from "./list.ts";

const MAX_ALARMS = 500;

/** Adds records to `alarm_events`; those that are there already are passed over. */
export async function insertRecords(
  pool: Pick<Pool, "query">,
  siteId: string,
  fresh: readonly FreshRecord[],
): Promise<void> {
  const rows = fresh.map(({ record, alarm }) => ({
    record_id: record.recordId,
    at: record.at,
    alarm_id: record.alarmId,
    code: record.code,
    subject: record.subject ?? null,
    priority: record.priority,
    event: record.event,
    state: record.state,
    actor: record.by ?? null,
    reason: record.reason ?? null,
    value: record.value ?? null,
    limit_value: record.limit ?? null,
    unit: record.unit ?? null,
    until: record.untilMs === undefined ? null : new Date(record.untilMs).toISOString(),
    alarm,
  }));
  await pool.query(
    `INSERT INTO alarm_events (record_id, at, site_id, alarm_id, code, subject, priority, event, state, actor, reason,
       value, limit_value, unit, until, alarm)
     SELECT record_id, at, $1, alarm_id, code, subject, priority, event, state, actor, reason,
       value, limit_value, unit, until, alarm
     FROM jsonb_to_recordset($2::jsonb) AS row (record_id uuid, at timestamptz, alarm_id text, code text, subject text,
       priority text, event text, state text, actor text, reason text, value double precision,
       limit_value double precision, unit text, until timestamptz, alarm jsonb)
     ON CONFLICT (record_id) DO NOTHING`,
    [siteId, JSON.stringify(rows)],
  );
}

/** Each alarm of a site as its last record left it. */
export async function loadAlarms(pool: Pick<Pool, "query">, siteId: string): Promise<SavedAlarm[]> {
  const { rows } = await pool.query<{ alarm: unknown }>(
    `SELECT alarm::text AS alarm FROM (
       SELECT DISTINCT ON (alarm_id) alarm, event_no FROM alarm_events WHERE site_id = $1 ORDER BY alarm_id, event_no DESC
     ) AS latest ORDER BY event_no DESC LIMIT ${MAX_ALARMS}`,
    [siteId],
  );
  return rows.flatMap(({ alarm }) => {
    const value: unknown = typeof alarm === "string" ? JSON.parse(alarm) : alarm;
    return isSavedAlarm.Check(value) ? [value] : [];
  });
}
