import type { Pool, PoolClient } from "pg";
import { CodedError } from "../host/errors.ts";
import { sqlState } from "./failures.ts";

/** How long a transaction may take before its connection is given up (a black-holed link never answers), ms. */
const DEADLINE_MS = 120_000;

/**
 * Runs `work` in one transaction: commits when it resolves, rolls back when it rejects. A connection whose state is not
 * known afterwards is closed rather than used again.
 * @throws what `work` or the database threw; CodedError `database-timeout` after `deadlineMs` (the commit may then have
 *   happened or not)
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  { begin = "BEGIN", deadlineMs = DEADLINE_MS }: { begin?: string; deadlineMs?: number } = {},
): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  let timer: NodeJS.Timeout | undefined;
  try {
    const run = async () => {
      try {
        await client.query(begin);
        const result = await work(client);
        await client.query("COMMIT");
        broken = false;
        return result;
      } catch (error) {
        if (!(error instanceof CodedError) && sqlState(error) === undefined) throw error;
        await client.query("ROLLBACK");
        broken = false;
        throw error;
      }
    };
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new CodedError("database-timeout", `no answer from the database within ${deadlineMs} ms`)),
        deadlineMs,
      );
    });
    return await Promise.race([run(), deadline]);
  } finally {
    clearTimeout(timer);
    client.release(broken);
  }
}
