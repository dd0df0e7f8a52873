import type { Pool, QueryConfig, QueryResultRow } from "pg";
import { CodedError } from "../host/errors.ts";
import { inTransaction } from "./transaction.ts";

export interface QueryRequest {
  sql: string;
  values: readonly unknown[];
  /** Most rows given back. */
  rowLimit: number;
  /** Longest run, ms. */
  timeoutMs: number;
  /** In a read-only transaction (default true); then one SELECT, VALUES or WITH query. */
  readOnly?: boolean;
}

export interface QueryAnswer {
  rows: QueryResultRow[];
  /** Whether there were more rows than the limit. */
  truncated: boolean;
}

/**
 * Runs one parametrised query in its own transaction. A reading query goes through a cursor, so that rows beyond the
 * limit are never made. The embedded engine cannot stop a running query: there the time limit ends the wait, and the
 * engine's watchdog the query.
 * @throws what the database answers; CodedError `database-timeout`, `empty-query`
 */
export async function runQuery(pool: Pool, request: QueryRequest): Promise<QueryAnswer> {
  const sql = request.sql.trim().replace(/;+\s*$/, "");
  if (sql === "") throw new CodedError("empty-query", "there is no query");
  const timeoutMs = Math.max(1, Math.round(request.timeoutMs));
  const rowLimit = Math.max(1, Math.round(request.rowLimit));
  const readOnly = request.readOnly !== false;
  const rows = await inTransaction(
    pool,
    async (client) => {
      await client.query(`SET LOCAL statement_timeout = ${timeoutMs}`);
      // The extended protocol takes one statement only, also without parameters.
      const run = (text: string): QueryConfig & { queryMode: "extended" } => ({
        text,
        values: [...request.values],
        queryMode: "extended",
      });
      if (!readOnly) return (await client.query(run(sql))).rows;
      await client.query(run(`DECLARE foieflow_rows NO SCROLL CURSOR FOR ${sql}`));
      return (await client.query(`FETCH FORWARD ${rowLimit + 1} FROM foieflow_rows`)).rows;
    },
    { begin: readOnly ? "BEGIN READ ONLY" : "BEGIN", deadlineMs: 2 * timeoutMs + 1000 },
  );
  return { rows: rows.slice(0, rowLimit), truncated: rows.length > rowLimit };
}
