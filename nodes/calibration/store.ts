import type { ClientBase } from "pg";
import { CodedError } from "../host/errors.ts";
import type { Calibration } from "../sample/calibration.ts";
import { type CalibrationDraft, checkDraft, parseRecord } from "./record.ts";

/** Newest records per device and part that are kept at hand: late samples are judged by the one of their time. */
export const RECORDS_PER_PART = 16;
/** Most records of a site in memory. */
export const MAX_RECORDS = 8192;

const COLUMNS = "calibration_id, device_id, version, valid_from, valid_until, made_by, reason, record";

interface Row {
  calibration_id: string;
  device_id: string;
  version: number;
  valid_from: string;
  valid_until: string;
  made_by: string;
  reason: string;
  record: unknown;
}

/**
 * Writes a draft as its device's next version. The caller holds a transaction; two at once for one device wait for each
 * other.
 * @throws CodedError of `checkDraft`, or what the database answered
 */
export async function insertNext(client: ClientBase, siteId: string, draft: CalibrationDraft): Promise<Calibration> {
  const { tof, spectral, ...head } = checkDraft(draft);
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('foieflow-calibration/' || $1, 0))", [
    head.deviceId,
  ]);
  const { rows } = await client.query<Row>(
    `INSERT INTO calibrations (calibration_id, site_id, device_id, version, valid_from, valid_until, made_by, reason, record)
     SELECT $2 || '-v' || next.version, $1, $2, next.version, $3, $4, $5, $6, $7
     FROM (SELECT COALESCE(max(version), 0) + 1 AS version FROM calibrations WHERE device_id = $2) next
     RETURNING ${COLUMNS}`,
    [
      siteId,
      head.deviceId,
      head.validFrom,
      head.validUntil,
      head.madeBy,
      head.reason,
      JSON.stringify({ ...(tof && { tof }), ...(spectral && { spectral }) }),
    ],
  );
  const [row] = rows;
  if (!row) throw new CodedError("calibration-not-stored", "the database stored no row");
  return calibrationOf(row);
}

/** All versions of one device, newest first, at most `limit`. */
export async function listVersions(client: ClientBase, deviceId: string, limit = 100): Promise<Calibration[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM calibrations WHERE device_id = $1 ORDER BY version DESC LIMIT $2`,
    [deviceId, limit],
  );
  return rows.map(calibrationOf);
}

/** The newest records of each device of a site, per part; what cannot be read is named instead of failing the rest. */
export async function loadSite(
  client: Pick<ClientBase, "query">,
  siteId: string,
): Promise<{ records: Calibration[]; unreadable: string[] }> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM (
       SELECT *,
         CASE WHEN record ? 'tof' THEN row_number() OVER (PARTITION BY device_id, record ? 'tof' ORDER BY version DESC) END AS tof_place,
         CASE WHEN record ? 'spectral' THEN row_number() OVER (PARTITION BY device_id, record ? 'spectral' ORDER BY version DESC) END AS spectral_place
       FROM calibrations WHERE site_id = $1
     ) placed
     WHERE tof_place <= $2 OR spectral_place <= $2
     ORDER BY version DESC LIMIT $3`,
    [siteId, RECORDS_PER_PART, MAX_RECORDS],
  );
  const records: Calibration[] = [];
  const unreadable: string[] = [];
  for (const row of rows) {
    try {
      records.push(calibrationOf(row));
    } catch {
      unreadable.push(row.calibration_id);
    }
  }
  return { records, unreadable };
}

function calibrationOf(row: Row): Calibration {
  return {
    calibrationId: row.calibration_id,
    deviceId: row.device_id,
    version: row.version,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    madeBy: row.made_by,
    reason: row.reason,
    ...parseRecord(row.record),
  };
}
