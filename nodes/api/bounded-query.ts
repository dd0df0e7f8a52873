import type { NodeAPI } from "node-red";
import { CodedError, codeOf } from "../host/errors.ts";
import { isConnectionLoss } from "../timescaledb/failures.ts";
import { runQuery } from "../timescaledb/run-query.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { Gate } from "./gate.ts";
import { Problem } from "./problem.ts";
import type { ApiContext } from "./route.ts";

/** Longest run of one query, ms. */
const TIMEOUT_MS = 10_000;
const QUERY_CANCELED = "57014";

/** Reading queries on the database of a config node: bounded in time and rows, few at once. */
export function boundedQuery(RED: NodeAPI, databaseId: string | undefined): ApiContext["query"] {
  const database = databaseOf(RED, databaseId);
  database.catch(() => undefined); // every query hears of it
  const gate = new Gate();
  return async (text, values, rowLimit) => {
    const opened = await database.catch(() => {
      throw new Problem(503, "database-away", "the database cannot be used", { retryAfterS: 30 });
    });
    if (opened.state() !== "ready")
      throw new Problem(503, "database-away", "the database is away; samples wait in the inbox", { retryAfterS: 5 });
    return gate.run(async () => {
      try {
        const { rows } = await runQuery(opened.pool, { sql: text, values, rowLimit, timeoutMs: TIMEOUT_MS });
        return rows;
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
}
