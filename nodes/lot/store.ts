import type { ClientBase } from "pg";
import { CodedError, codeOf } from "../host/errors.ts";
import type { Assignment } from "./page.ts";
import type { AssignmentDraft } from "./record.ts";

/** Newest records per line that are kept at hand. */
const RECORDS_PER_LINE = 2000;
const MAX_RECORDS = 50_000;

const COLUMNS =
  "assignment_id, line_id, valid_from, lot_abattage, eleveur, provenance, made_by, reason, supersedes, created_at";

interface Row {
  assignment_id: number;
  line_id: string;
  valid_from: string;
  lot_abattage: string | null;
  eleveur: string | null;
  provenance: string | null;
  made_by: string;
  reason: string | null;
  supersedes: number | null;
  created_at: string;
}

/**
 * Writes a record.
 * @throws CodedError `no-such-assignment` (what it supersedes is not a record of this line), `already-superseded`
 */
export async function insertAssignment(
  client: ClientBase,
  siteId: string,
  draft: AssignmentDraft,
): Promise<Assignment> {
  const { line, from, lot, breeder, provenance, madeBy, reason, supersedes } = draft;
  const values = [siteId, line, from, lot, breeder, provenance ?? null, madeBy, reason ?? null, supersedes ?? null];
  try {
    const { rows } = await client.query<Row>(
      `INSERT INTO line_assignments (site_id, line_id, valid_from, lot_abattage, eleveur, provenance, made_by, reason, supersedes)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9::bigint
       WHERE $9::bigint IS NULL
         OR EXISTS (SELECT FROM line_assignments WHERE assignment_id = $9::bigint AND site_id = $1 AND line_id = $2)
       RETURNING ${COLUMNS}`,
      values,
    );
    const [row] = rows;
    if (!row) throw new CodedError("no-such-assignment", `line ${line} has no record ${supersedes}`);
    return assignmentOf(row);
  } catch (error) {
    if (codeOf(error, "") === "23505")
      throw new CodedError("already-superseded", `record ${supersedes} was corrected before: correct its correction`);
    throw error;
  }
}

/** The newest records of each line of a site that are not superseded. */
export async function loadAssignments(client: Pick<ClientBase, "query">, siteId: string): Promise<Assignment[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM (
       SELECT *, row_number() OVER (PARTITION BY line_id ORDER BY valid_from DESC, assignment_id DESC) AS place
       FROM line_assignments a
       WHERE site_id = $1 AND NOT EXISTS (SELECT FROM line_assignments s WHERE s.supersedes = a.assignment_id)
     ) placed
     WHERE place <= $2 ORDER BY valid_from DESC LIMIT $3`,
    [siteId, RECORDS_PER_LINE, MAX_RECORDS],
  );
  return rows.map(assignmentOf);
}

/** A stretch of a line's time and the record in force in it. */
export interface Stretch {
  fromMs: number;
  untilMs: number;
  record: Assignment | undefined;
}

/**
 * Brings results stored already in line with the records: those that have their lot from the line, or from nobody. What
 * came with a sample stays.
 * @returns beginnings of the hours in which results changed, ms since 1970: their statistics must be counted again
 */
export async function reattribute(
  client: ClientBase,
  siteId: string,
  line: string,
  { fromMs, untilMs, record }: Stretch,
): Promise<number[]> {
  const { rows } = await client.query<{ time: string }>(
    `UPDATE fusion_results SET lot_abattage = $5, eleveur = $6, provenance = $7, assignment_id = $8,
       lot_source = CASE WHEN $8::bigint IS NULL THEN NULL ELSE 'line' END
     WHERE site_id = $1 AND line_id = $2 AND time >= $3 AND time < $4
       AND (lot_source = 'line' OR (lot_source IS NULL AND lot_abattage IS NULL AND eleveur IS NULL))
       AND assignment_id IS DISTINCT FROM $8::bigint
     RETURNING date_bin(interval '1 hour', time, timestamptz '2000-01-01 00:00:00+00') AS time`,
    [
      siteId,
      line,
      new Date(fromMs).toISOString(),
      new Date(untilMs).toISOString(),
      record?.lot ?? null,
      record?.breeder ?? null,
      record?.provenance ?? null,
      record && (record.lot !== null || record.breeder !== null) ? record.id : null,
    ],
  );
  return [...new Set(rows.map(({ time }) => Date.parse(time)))];
}

function assignmentOf(row: Row): Assignment {
  return {
    id: String(row.assignment_id),
    line: row.line_id,
    from: row.valid_from,
    lot: row.lot_abattage,
    breeder: row.eleveur,
    provenance: row.provenance,
    madeBy: row.made_by,
    reason: row.reason,
    supersedes: row.supersedes === null ? null : String(row.supersedes),
    createdAt: row.created_at,
  };
}
