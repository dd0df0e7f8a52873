/**
 * The audit log: `npm run audit` shows the newest lines, `npm run audit -- verify` goes along its chain of hashes. Works on
 * the running line's embedded database or on `DATABASE_URL`.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import pg from "pg";
import { databaseClient } from "../distribution/database-client.ts";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { notedHead } from "../nodes/audit/log.ts";
import { readAudit, verify } from "../nodes/audit/store.ts";
import { VALUE_TYPES } from "../nodes/timescaledb/value-types.ts";

const FAULTS = {
  gap: "a line is missing before it",
  changed: "it was changed",
  "not-chained": "the line before it is another than when it was written",
  columns: "its columns do not say what its text says",
  "cut-off": "lines that this machine has written are no longer there",
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    actor: { type: "string" },
    action: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    limit: { type: "string", default: "50" },
  },
});
loadDotEnv();
const { dataDir } = readEnvironment();
const client = new pg.Client({ ...databaseClient(readEnvironment()), types: VALUE_TYPES });
client.on("error", () => {}); // the query that runs reports it

try {
  await client.connect();
  if (positionals[0] === "verify") {
    const { rows, fault } = await verify(client, notedHead(path.join(dataDir, "audit")));
    if (fault)
      throw new Error(
        `the audit log is NOT whole: line ${fault.seq}: ${FAULTS[fault.what]} (${rows} lines before it are)`,
      );
    console.log(`the audit log is whole: ${rows} lines`);
  } else {
    const table = new Table({
      head: ["", "at (UTC)", "who", "action", "target", "result", "from"],
      style: { head: [], border: [] },
    });
    for (const { seq, at, who, action, target, result, from } of (
      await readAudit(client, { ...values, limit: Number(values.limit) })
    ).reverse())
      table.push([seq, at.slice(0, 19).replace("T", " "), who?.name ?? "", action, target ?? "", result, from ?? ""]);
    console.log(table.toString());
  }
} catch (error) {
  console.error(`FoieFlow: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await client.end().catch(() => undefined);
}
