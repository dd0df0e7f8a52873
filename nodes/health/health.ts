import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { batchFiguresOf } from "./batches.ts";
import type { HealthCollector } from "./collect.ts";
import type { HealthSection } from "./page.ts";
import { healthCollector } from "./service.ts";
import type { HealthSnapshot, Trouble } from "./snapshot.ts";

interface HealthDef extends NodeDef {
  site?: string;
  database?: string;
  everyS?: number | string;
}

const DEFAULT_EVERY_S = 2;

/**
 * The line's health as messages: takes the writer's batch reports, and sends the page its section (output 1) and what
 * goes wrong or is over (output 2).
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-health", function (this: Node, config: HealthDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("health.status.no-site") });
      this.error(RED._("health.errors.no-site"));
      return;
    }
    const { siteId, timeZone } = site.settings;
    const dataDir = process.env.DATA_DIR ?? "data";
    const lease = healthCollector({ siteId, dataDir });
    let collector: HealthCollector | undefined;
    let closed = false;
    const known = new Map<string, Trouble>();

    const send = () => {
      if (!collector || closed) return;
      const snapshot = collector.snapshot();
      const section: HealthSection = { section: "health", view: siteId, serverMs: Date.now(), timeZone, snapshot };
      this.send([{ topic: siteId, payload: section }, null]);
      for (const payload of changesOf(known, snapshot)) this.send([null, { topic: siteId, payload }]);
      const bad = snapshot.troubles.filter(({ level }) => level === "bad").length;
      const warn = snapshot.troubles.length - bad;
      status.show({
        fill: bad > 0 ? "red" : warn > 0 ? "yellow" : "green",
        shape: "dot",
        text: RED._(bad + warn > 0 ? "health.status.troubles" : "health.status.well", { bad, warn }),
      });
    };
    const everyS = Number(config.everyS);
    const timer = setInterval(send, Math.min(60, everyS >= 0.5 ? everyS : DEFAULT_EVERY_S) * 1000);
    lease.value.then(
      (opened) => {
        collector = opened;
        void Promise.resolve(RED.version()).then((nodeRed) => opened.configure({ nodeRed }));
        opened.useInbox(site.inbox);
        opened.useDatabase(databaseOf(RED, config.database));
        send();
      },
      (error) => this.error(messageOf(error)),
    );

    this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
      const figures = batchFiguresOf(msg.payload);
      if (figures) collector?.batch(figures);
      else send();
      done();
    });
    this.on("close", () => {
      closed = true;
      clearInterval(timer);
      status.close();
      lease.release();
    });
  });
};
export default init;

/** What has gone wrong since the last snapshot, and what is over; `known` is brought up to date. */
function changesOf(known: Map<string, Trouble>, { at, troubles }: HealthSnapshot): object[] {
  const now = new Map(troubles.map((trouble) => [`${trouble.code} ${trouble.subject ?? ""}`, trouble]));
  const changes: object[] = [];
  for (const [key, trouble] of now) {
    if (!known.has(key)) changes.push({ event: "trouble", at, ...trouble });
  }
  for (const [key, { code, level, subject }] of known) {
    if (!now.has(key))
      changes.push({ event: "trouble-over", at, code, level, ...(subject !== undefined && { subject }) });
  }
  known.clear();
  for (const [key, trouble] of now) known.set(key, trouble);
  return changes;
}
