import { readFileSync } from "node:fs";
import type { SampleKind } from "../../scripts/load/samples.ts";
import type { Line } from "../support/line.ts";

/** Every table that holds rows of samples, and whose samples must be in it whatever they show. */
const TABLES: Record<string, readonly SampleKind[]> = {
  vl53l8ch_raw: ["sqal", "raw"],
  as7341_raw: ["sqal", "raw"],
  vl53l8ch_analysis: ["sqal"],
  as7341_analysis: ["sqal"],
  // A product on a belt has many samples and one grade; of a device that sends one sample per product each is graded.
  fusion_results: ["sqal"],
};

export interface TotalQueue {
  acknowledged: number;
  /** `table: device sampleId` */
  missing: string[];
  twice: string[];
  /** `reason device detail` */
  quarantined: string[];
  /** Rows of `vl53l8ch_raw`: samples stored, acknowledged or not. */
  stored: number;
}

/**
 * Compares what devices were told is accepted with what is in the database, as Jepsen's total-queue checker does:
 * acknowledged but missing is lost; there more than once is doubled; there without an acknowledgement is allowed (the
 * acknowledgement died on its way).
 */
export async function checkTotalQueue(
  line: Line,
  journal: string,
  kinds: ReadonlyMap<string, SampleKind>,
): Promise<TotalQueue> {
  const acknowledged = [...new Set(readFileSync(journal, "utf8").split("\n"))].filter((name) => name !== "");
  const missing: string[] = [];
  const twice: string[] = [];
  let stored = 0;
  for (const [table, expected] of Object.entries(TABLES)) {
    const rows = await line.query<{ name: string; times: string }>(
      `SELECT device_id || ' ' || sample_id AS name, count(*) AS times FROM ${table} GROUP BY device_id, sample_id`,
    );
    const present = new Set(rows.map(({ name }) => name));
    if (table === "vl53l8ch_raw") stored = rows.reduce((sum, { times }) => sum + Number(times), 0);
    for (const { name, times } of rows) if (Number(times) > 1) twice.push(`${table}: ${name} (${times})`);
    for (const name of acknowledged) {
      const kind = kinds.get(name.split(" ")[0] ?? "");
      if (kind !== undefined && expected.includes(kind) && !present.has(name)) missing.push(`${table}: ${name}`);
    }
  }
  const quarantined = await line.query<{ text: string; detail: string; bytes: Buffer }>(
    `SELECT concat_ws(' ', reason, transport, device_id, received_at, byte_length, detail) AS text, detail, bytes
     FROM quarantine ORDER BY id`,
  );
  return {
    acknowledged: acknowledged.length,
    missing,
    twice,
    stored,
    quarantined: quarantined.map(({ text, detail, bytes }) => `${text} … ${around(bytes, detail)}`),
  };
}

/** The bytes around the position a message names, so that a failure tells what was wrong with them. */
function around(bytes: Buffer, detail: string): string {
  const at = Number(/position (\d+)/.exec(detail)?.[1] ?? 0);
  return JSON.stringify(bytes.subarray(Math.max(0, at - 200), at + 200).toString("latin1"));
}
