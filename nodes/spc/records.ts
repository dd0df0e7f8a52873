import type { ClientBase } from "pg";

/** Figures with a control chart: their column of fusion_results (a constant of ours, never text from outside) and unit. */
export const FIGURES = {
  thickness: { column: "thickness_mm", unit: "mm" },
  mass: { column: "mass_g", unit: "g" },
  score: { column: "final_quality_score::float8", unit: "" },
  delta_e: { column: "delta_e", unit: "" },
} as const;
export type Figure = keyof typeof FIGURES;

/** Columns of a record as they are read. */
export const RECORD_COLUMNS = `record_id::text AS id, kind, figure, line_id AS line, device_id AS device, period_from AS "from",
  period_to AS "to", subgroup_size, subgroups, center, sigma, lower, upper, made_by, reason, created_at`;

export interface RecordDraft {
  kind: "baseline" | "baseline-withdrawn" | "tolerance";
  figure: Figure;
  line?: string | undefined;
  device?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  subgroupSize?: number | undefined;
  subgroups?: number | undefined;
  center?: number | undefined;
  sigma?: number | undefined;
  lower?: number | undefined;
  upper?: number | undefined;
  madeBy: string;
  reason?: string | undefined;
}

/** Writes a record, which is in force from then on. @returns the row, by `RECORD_COLUMNS` */
export async function insertRecord(
  client: Pick<ClientBase, "query">,
  siteId: string,
  draft: RecordDraft,
): Promise<Record<string, unknown>> {
  const { kind, figure, line, device, from, to, subgroupSize, subgroups, center, sigma, lower, upper } = draft;
  const { rows } = await client.query(
    `INSERT INTO quality_records (site_id, kind, figure, line_id, device_id, period_from, period_to, subgroup_size, subgroups,
       center, sigma, lower, upper, made_by, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING ${RECORD_COLUMNS}`,
    [siteId, kind, figure, line, device, from, to, subgroupSize, subgroups, center, sigma, lower, upper].concat(
      draft.madeBy,
      draft.reason,
    ),
  );
  return rows[0] ?? {};
}
