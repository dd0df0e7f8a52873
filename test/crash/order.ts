import type { Line } from "../support/line.ts";

/**
 * Where a later sample of a device was written in an earlier transaction than one before it. Transactions are numbered
 * in the order in which they first write; the writer has one at a time.
 */
export async function outOfOrder(line: Line): Promise<string[]> {
  const rows = await line.query<{ text: string }>(`
    SELECT device_id || ' ' || sample_id AS text FROM (
      SELECT device_id, sample_id, xmin::text::bigint AS written,
        max(xmin::text::bigint) OVER (
          PARTITION BY device_id ORDER BY split_part(sample_id, '-', 2)::bigint
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
      FROM vl53l8ch_raw
    ) AS rows WHERE written < before`);
  return rows.map(({ text }) => text);
}
