import type { NodeAPI } from "node-red";
import type { ClientBase } from "pg";
import { CodedError, codeOf } from "../host/errors.ts";
import type { Database } from "../timescaledb/database.ts";
import { isConnectionLoss } from "../timescaledb/failures.ts";
import { runQuery } from "../timescaledb/run-query.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { Gate } from "./gate.ts";
import { Problem } from "./problem.ts";
import type { ApiContext } from "./route.ts";

/** Longest run of one query, ms. */
const TIMEOUT_MS = 10_000;
const QUERY_CANCELED = "57014";

/** What the API does on the database of a config node: bounded in time and rows, little at once. */
export interface BoundedDatabase {
  query: ApiContext["query"];
  /** Runs a small piece of writing in one transaction. @throws Problem 503 `busy`, `database-away`, `query-timeout` */
  write<T>(work: (client: ClientBase) => Promise<T>): Promise<T>;
}

export function boundedDatabase(RED: NodeAPI, databaseId: string | undefined): BoundedDatabase {
  const database = databaseOf(RED, databaseId);
  database.catch(() => undefined); // every query hears of it
  const gate = new Gate();
  const run = async <T>(work: (opened: Database) => Promise<T>): Promise<T> => {
    const opened = await database.catch(() => {
      throw new Problem(503, "database-away", "the database cannot be used", { retryAfterS: 30 });
    });
    if (opened.state() !== "ready")
      throw new Problem(503, "database-away", "the database is away; samples wait in the inbox", { retryAfterS: 5 });
    return gate.run(async () => {
      try {
        return await work(opened);
      } catch (error) {
        opened.reportFailure(error);
        const code = codeOf(error, "");
        if (code === QUERY_CANCELED || (error instanceof CodedError && code === "database-timeout"))
          throw new Problem(503, "query-timeout", "this takes too long; ask for less", { retryAfterS: 10 });
        if (isConnectionLoss(error))
          throw new Problem(503, "database-away", "the database went away", { retryAfterS: 5 });
        throw error;
      }
    });
  };
  return {
    query: (sql, values, rowLimit) =>
      run(async ({ pool }) => (await runQuery(pool, { sql, values, rowLimit, timeoutMs: TIMEOUT_MS })).rows),
    write: (work) => run(({ pool }) => inTransaction(pool, work, { deadlineMs: 2 * TIMEOUT_MS })),
  };
}
