import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { codeOf, messageOf } from "../host/errors.ts";
import { personOfMessage, personOfRequest } from "../host/person.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { looksLikeAction } from "./action.ts";
import { Desk } from "./desk.ts";
import { exportLines } from "./export.ts";
import { RECORD_STATES } from "./page.ts";

interface QuarantineDef extends NodeDef {
  site?: string;
  database?: string;
}

type Message = NodeMessageInFlow & { payload?: unknown; req?: unknown; res?: unknown };

/** How often the figures are read while nothing happens, and the page is sent at most. */
const READ_EVERY_MS = 5000;
const SEND_EVERY_MS = 400;
const HTTP_STATUS: Readonly<Record<string, number>> = {
  "not-signed-in": 401,
  "not-allowed": 403,
  "database-away": 503,
};

/**
 * The quarantine's page and its export: what is kept, by reason; look at it, send it in again, export it, close it with
 * a note. Output 1 is the page's section, output 2 what people did.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-quarantine", function (this: Node, config: QuarantineDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("quarantine.status.no-site") });
      this.error(RED._("quarantine.errors.no-site"));
      return;
    }
    const { siteId, timeZone, lineId } = site.settings;
    let closed = false;
    let sending: NodeJS.Timeout | undefined;
    const show = () => {
      const key = desk.state === "ready" ? (desk.open > 0 ? "open" : "empty") : desk.state;
      const fill = { open: "yellow", empty: "green", loading: "grey", away: "red" } as const;
      const text = RED._(`quarantine.status.${key}`, { open: desk.open });
      status.show({ fill: fill[key], shape: key === "open" || key === "empty" ? "dot" : "ring", text });
    };
    const desk = new Desk({
      siteId,
      timeZone,
      defaultLineId: lineId,
      inbox: {
        append: (envelope) => site.inbox.append(envelope),
        waiting: () => site.inbox.stats().waiting,
      },
      onChange: () => {
        if (closed) return;
        sending ??= setTimeout(() => {
          sending = undefined;
          this.send([{ topic: siteId, payload: desk.section(Date.now()) }, null]);
          show();
        }, SEND_EVERY_MS);
      },
    });
    show();
    const reading = setInterval(() => void desk.refresh(), READ_EVERY_MS);
    let stopWatching: (() => void) | undefined;
    databaseOf(RED, config.database).then(
      (database) => {
        if (closed) return;
        desk.use(database);
        stopWatching = database.onState(() => void desk.refresh());
      },
      (error) => this.error(messageOf(error)),
    );

    this.on("input", async (msg: Message, _send, done) => {
      const exchange = exchangeOf(msg);
      if (exchange) {
        try {
          await answerExport(desk, exchange);
          return done();
        } catch (error) {
          return done(new Error(messageOf(error), { cause: error }));
        }
      }
      // Sections of other widgets and the like pass by here as everywhere; what looks like a command must be one.
      if (!looksLikeAction(msg.payload)) return done();
      try {
        const event = await desk.act(msg.payload, personOfMessage(msg));
        if (event && !closed) this.send([null, { topic: siteId, payload: event }]);
        done();
      } catch (error) {
        done(Object.assign(new Error(messageOf(error)), { code: codeOf(error, "quarantine-failed") }));
      }
    });
    this.on("close", (done: () => void) => {
      closed = true;
      clearInterval(reading);
      clearTimeout(sending);
      stopWatching?.();
      status.close();
      desk.close().finally(done);
    });
  });
};
export default init;

interface Exchange {
  request: IncomingMessage & { query?: unknown };
  response: ServerResponse;
}

/** The request and response of an `http in` node, where the message is from one. */
function exchangeOf({ req, res }: Message): Exchange | undefined {
  const response: unknown = typeof res === "object" && res !== null && "_res" in res ? res._res : undefined;
  const isExchange = typeof req === "object" && req !== null && typeof response === "object" && response !== null;
  return isExchange && "setHeader" in response
    ? { request: req as IncomingMessage, response: response as ServerResponse }
    : undefined;
}

/** Streams the records asked for as NDJSON, at the pace of the reader. */
async function answerExport(desk: Desk, { request, response }: Exchange): Promise<void> {
  const query: unknown = request.query;
  const parameter = (name: string): string | undefined => {
    const value: unknown = typeof query === "object" && query !== null ? Reflect.get(query, name) : undefined;
    return typeof value === "string" && value !== "" ? value.slice(0, 200) : undefined;
  };
  const reason = parameter("reason");
  const state = parameter("state") ?? "open";
  response.setHeader("Cache-Control", "no-store");
  try {
    if (state !== "all" && !RECORD_STATES.some((one) => one === state)) {
      return refuse(response, 400, "bad-parameter", `state is one of ${RECORD_STATES.join(", ")}, all`);
    }
    const pool = desk.exportPool(personOfRequest(request));
    response.setHeader("Content-Type", "application/x-ndjson; charset=utf-8");
    response.setHeader("Content-Disposition", `attachment; filename="${fileName(reason)}"`);
    const filter = { ...(reason !== undefined && { reason }), ...(state !== "all" && { state }) };
    await pipeline(Readable.from(exportLines(pool, filter), { objectMode: true, highWaterMark: 1 }), response);
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      // A reader that goes away in the middle is no fault of ours.
      if (codeOf(error, "") === "ERR_STREAM_PREMATURE_CLOSE") return;
      throw error;
    }
    const code = codeOf(error, "quarantine-failed");
    response.removeHeader("Content-Disposition");
    refuse(response, HTTP_STATUS[code] ?? 500, code, messageOf(error));
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.end(`${JSON.stringify({ error: code, message })}\n`);
}

function fileName(reason: string | undefined): string {
  const day = new Date().toISOString().slice(0, 10);
  const safe = (reason ?? "all").replace(/[^A-Za-z0-9_-]+/g, "-");
  return `quarantine-${safe}-${day}.ndjson`;
}
