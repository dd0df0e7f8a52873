import type { Node, NodeDef, NodeInitializer } from "node-red";
import { codeOf, messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { type ParameterDef, parameterValues, parseParameters } from "./parameters.ts";
import { runQuery } from "./run-query.ts";
import { databaseOf } from "./timescaledb.ts";

interface QueryNodeDef extends NodeDef {
  database?: string;
  sql?: string;
  parameters?: unknown;
  rowLimit?: string | number;
  timeoutMs?: string | number;
  readOnly?: boolean;
}

/** Queries of one node running at once; more are refused rather than queued without end. */
const MAX_RUNNING = 20;

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-query", function (this: Node, config: QueryNodeDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const text = (key: string, values = {}) => RED._(`query.status.${key}`, values);
    let parameters: ParameterDef[] = [];
    let unusable: Error | undefined;
    try {
      parameters = parseParameters(config.parameters);
    } catch (error) {
      unusable = new Error(messageOf(error));
      status.show({ fill: "red", shape: "ring", text: text("bad-config") });
      this.error(unusable.message);
    }
    const database = databaseOf(RED, config.database);
    database.catch(() => status.show({ fill: "red", shape: "ring", text: text("no-database") }));

    let running = 0;
    let closed = false;
    this.on("input", async (msg, send, done) => {
      if (unusable) return done(unusable);
      if (running >= MAX_RUNNING) return done(new Error(RED._("query.errors.busy")));
      running += 1;
      status.show({ fill: "blue", shape: "dot", text: text("running") });
      const startedMs = performance.now();
      try {
        const values = parameterValues(parameters, msg.payload);
        const { pool } = await database;
        const answer = await runQuery(pool, {
          sql: config.sql ?? "",
          values,
          rowLimit: positive(config.rowLimit, 1000),
          timeoutMs: positive(config.timeoutMs, 10_000),
          readOnly: config.readOnly !== false,
        });
        const ms = Math.round(performance.now() - startedMs);
        status.show({ fill: "green", shape: "dot", text: text("rows", { number: answer.rows.length, ms }) });
        if (!closed) send({ ...msg, payload: answer.rows, truncated: answer.truncated });
        done();
      } catch (error) {
        status.show({ fill: "red", shape: "dot", text: text("failed") });
        done(Object.assign(new Error(messageOf(error)), { code: codeOf(error, "query-failed") }));
      } finally {
        running -= 1;
      }
    });
    this.on("close", () => {
      closed = true;
      status.close();
    });
  });
};
export default init;

function positive(value: unknown, fallback: number): number {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) && number > 0 ? number : fallback;
}
