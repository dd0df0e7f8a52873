import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Node, NodeAPI, NodeDef, NodeInitializer } from "node-red";
import { alarmDesk } from "../alarm/service.ts";
import { type Calibrations, calibrationsOf } from "../calibration/service.ts";
import { messageOf } from "../host/errors.ts";
import { onceEvery } from "../host/rate-limit.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { checkDraft } from "../lot/record.ts";
import { assignmentsOf, type LineAssignments } from "../lot/service.ts";
import { acquireReportThread } from "../report/report-thread.ts";
import { insertRecord } from "../spc/records.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { boundedDatabase } from "./bounded-query.ts";
import { deviceRecords } from "./device-facts.ts";
import { Gate } from "./gate.ts";
import { mount } from "./mount.ts";
import { openApi } from "./openapi.ts";
import { Problem } from "./problem.ts";
import type { ApiContext } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { ApiServer } from "./serve.ts";
import { serveViewer } from "./viewer.ts";

interface ApiDef extends NodeDef {
  site?: string;
  database?: string;
}

const REPORT_MS = 10_000;

/**
 * Serves the API below `/api` on Node-RED's HTTP server, behind whatever sign-in stands before its pages. One node is
 * enough; of several the one deployed last answers.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-api", function (this: Node, config: ApiDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("api.status.no-site") });
      this.error(RED._("api.errors.no-site"));
      return;
    }
    const { siteId } = site.settings;
    const database = databaseOf(RED, config.database);
    database.catch(() => status.show({ fill: "red", shape: "ring", text: RED._("api.status.no-database") }));
    const lease = assignmentsOf(siteId);
    let lots: LineAssignments | undefined;
    lease.value.then((opened) => {
      lots = opened;
      opened.use(database);
    });
    const calibrationLease = calibrationsOf(siteId);
    let calibrations: Calibrations | undefined;
    calibrationLease.value.then((opened) => {
      calibrations = opened;
      opened.use(database);
    });
    const alarmLease = alarmDesk(siteId, (text) => this.log(text));
    alarmLease.value.catch((error) => this.error(messageOf(error)));
    const recordsOfLots = () => {
      if (!lots) throw new Problem(503, "not-ready", "the records of lots are not open yet", { retryAfterS: 1 });
      return lots;
    };
    const bounded = boundedDatabase(RED, config.database);
    const reports = acquireReportThread();
    // One at a time, and few that wait: each holds its samples in memory.
    const reportGate = new Gate({ most: 1, mostWaiting: 4, patienceMs: 30_000 });
    const context: ApiContext = {
      siteId,
      timeZone: site.settings.timeZone,
      nowMs: Date.now,
      query: bounded.query,
      accounts: () => ({
        event: "accounts",
        at: new Date().toISOString(),
        siteId,
        ...site.inbox.stats(),
      }),
      devices: deviceRecords({
        stats: () => site.inbox.stats(),
        calibrations: () => calibrations,
        nowMs: Date.now,
      }),
      quality: { write: (draft) => bounded.write((client) => insertRecord(client, siteId, draft)) },
      alarms: {
        perform: async (deed, person) => (await alarmLease.value).perform(deed, person),
        rules: async () => (await alarmLease.value).rules(),
        setLimit: async (rule, limit, person) => (await alarmLease.value).setLimit(rule, limit, person),
      },
      report: (question) => reportGate.run(async () => (await reports.value).ask(question)),
      lots: {
        current: (line) => recordsOfLots().at(line, Date.now()) ?? null,
        set: (line, body, person) => recordsOfLots().set(checkDraft(line, body as never, person.name, Date.now())),
      },
    };
    const mayReport = onceEvery(REPORT_MS);
    const server = new ApiServer({
      routes: ROUTES,
      context,
      guarded: hasSignIn(RED),
      onError: (error, operationId) => {
        if (mayReport(operationId)) this.error(`${operationId}: ${messageOf(error)}`);
      },
    });
    const root = typeof RED.settings.httpNodeRoot === "string" ? RED.settings.httpNodeRoot : "/";
    const document = JSON.stringify(openApi(ROUTES, { version: versionOf(), root, port: RED.settings.uiPort }));
    let answered = 0;

    const unmount = mount(RED.httpNode, {
      takes: (request) => isOfDocument(request) || server.knows(request),
      async answer(request, response) {
        answered += 1;
        status.show({ fill: "green", shape: "dot", text: RED._("api.status.answered", { number: answered }) });
        const path = (request.url ?? "").split("?", 1)[0] ?? "";
        if (path.replace(/\/$/, "") === "/openapi.json") return sendDocument(response, document);
        const original = "originalUrl" in request ? String(request.originalUrl).split("?", 1)[0] : undefined;
        if (request.method === "GET" && (await serveViewer(path, original ?? "", response, readViewerFile))) return;
        await server.answer(request, response);
      },
    });
    status.show({ fill: "grey", shape: "ring", text: RED._("api.status.ready", { number: ROUTES.length }) });
    this.on("close", () => {
      unmount();
      status.close();
      lease.release();
      reports.release();
      calibrationLease.release();
      alarmLease.release();
    });
  });
};
export default init;

/** A file of the viewer, laid beside this module by the build. */
const readViewerFile = (name: string): Promise<Buffer> => readFile(new URL(`./viewer/${name}`, import.meta.url));

/** The palette's version, from the manifest two folders up (`dist/api`) or one (sources). */
function versionOf(): string {
  for (const folder of ["../package.json", "../../package.json"]) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(folder, import.meta.url), "utf8"));
      if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
    } catch {
      // Not there: the next one.
    }
  }
  return "0.0.0";
}

/** Whether Node-RED asks for a sign-in before its pages, ours or the stock one. */
function hasSignIn(RED: NodeAPI): boolean {
  return "httpNodeAuth" in RED.settings && Boolean(RED.settings.httpNodeAuth);
}

const isOfDocument = (request: IncomingMessage): boolean =>
  /^\/(openapi\.json|docs)(\/|\?|$)/.test(request.url ?? "") && (request.method === "GET" || request.method === "HEAD");

function sendDocument(response: ServerResponse, document: string): void {
  response.writeHead(200, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(document),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(document);
}
