import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { Client } from "pg";
import { from, to } from "pg-copy-streams";

const TABLES = ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"] as const;
/** As many samples as the writer puts into one transaction. */
const PER_COPY = 500;

interface Chunk {
  table: string;
  columns: string;
  bytes: Buffer[];
}

/**
 * The plain ceiling: how long one client takes to COPY the rows that are in the sample tables now into the same tables,
 * empty again, in transactions of as many samples as the writer's.
 * @returns seconds
 */
export async function secondsToCopy(client: Client): Promise<number> {
  const transactions: Chunk[][] = [];
  for (const table of TABLES) {
    const columns = await columnsOf(client, table);
    const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`);
    for (let at = 0, n = 0; at < Number(rows[0]?.n); at += PER_COPY, n += 1) {
      const bytes = await copyOut(client, table, columns, at);
      transactions[n] = [...(transactions[n] ?? []), { table, columns, bytes }];
    }
  }
  await client.query(`TRUNCATE ${TABLES.join(", ")}`);
  const startedMs = performance.now();
  for (const transaction of transactions) {
    await client.query("BEGIN");
    for (const chunk of transaction) await copyIn(client, chunk);
    await client.query("COMMIT");
  }
  return (performance.now() - startedMs) / 1000;
}

async function columnsOf(client: Client, table: string): Promise<string> {
  const { rows } = await client.query<{ columns: string }>(
    `SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
     FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'`,
    [table],
  );
  return rows[0]?.columns ?? "";
}

async function copyOut(client: Client, table: string, columns: string, at: number): Promise<Buffer[]> {
  const stream = client.query(
    to(
      `COPY (SELECT ${columns} FROM ${table} ORDER BY time, sample_uid OFFSET ${at} LIMIT ${PER_COPY})
       TO STDOUT WITH (FORMAT binary)`,
    ),
  );
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await finished(stream);
  return chunks;
}

async function copyIn(client: Client, { table, columns, bytes }: Chunk): Promise<void> {
  const stream = client.query(from(`COPY ${table} (${columns}) FROM STDIN WITH (FORMAT binary)`));
  for (const chunk of bytes) if (!stream.write(chunk)) await once(stream, "drain");
  stream.end();
  await finished(stream);
}
