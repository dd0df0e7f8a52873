import type { Node, NodeDef, NodeInitializer } from "node-red";
import { audit } from "../host/audit.ts";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { type HeldMessage, HeldMessages } from "../host/held-messages.ts";
import { personOfMessage } from "../host/person.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import { mayDo } from "../sample/roles.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { LOT_SET, type LotSection } from "./page.ts";
import { draftOfAction, isLotAction } from "./record.ts";
import { assignmentsOf, type LineAssignments } from "./service.ts";

interface LotDef extends NodeDef {
  site?: string;
  database?: string;
}

const PAGE_MS = 5000;

/**
 * Gives each sample the lot and breeder its line worked on when it was measured (output 1), and takes changes of them from
 * a page. Output 2 is the page's section: when it changes, and every few seconds.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-lot", function (this: Node, config: LotDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("lot.status.no-site") });
      this.error(RED._("lot.errors.no-site"));
    }
    const lease = assignmentsOf(site?.settings.siteId ?? "");
    let assignments: LineAssignments | undefined;
    let closed = false;
    let stopListening: (() => void) | undefined;

    const held = new HeldMessages(this.id, ({ msg, send, done }: HeldMessage) => {
      const { payload } = msg;
      send([assignments && isSample(payload) ? { ...msg, payload: assignments.apply(payload) } : msg, null]);
      done();
    });

    const show = (section: LotSection) => {
      if (section.records !== "ready") {
        const key = section.records === "loading" ? "loading" : "unknown";
        return status.show({ fill: "yellow", shape: "ring", text: RED._(`lot.status.${key}`) });
      }
      const current = section.lines.filter((line) => (line.current?.lot ?? line.current?.breeder ?? null) !== null);
      const [first] = current;
      if (!first) return status.show({ fill: "grey", shape: "ring", text: RED._("lot.status.none") });
      const { lot, breeder } = first.current ?? { lot: null, breeder: null };
      const one = RED._("lot.status.one", { line: first.line, lot: lot ?? "–", breeder: breeder ?? "–" });
      const text = current.length === 1 ? one : RED._("lot.status.many", { lines: current.length });
      status.show({ fill: "green", shape: "dot", text });
    };
    const publish = (answer?: LotSection["answer"]) => {
      if (!assignments || !site || closed) return;
      const { siteId, timeZone } = site.settings;
      const section = { ...assignments.section(Date.now()), timeZone };
      show(section);
      this.send([null, { topic: siteId, payload: { ...section, ...(answer && { answer }) } }]);
    };
    const publishing = setInterval(() => publish(), PAGE_MS);
    status.show({ fill: "yellow", shape: "ring", text: RED._("lot.status.loading") });

    lease.value.then(async (opened) => {
      if (closed) return;
      assignments = opened;
      opened.use(databaseOf(RED, config.database));
      stopListening = opened.onChange(() => publish());
      await opened.settled;
      if (closed) return;
      held.open();
      publish();
    });

    this.on("input", async (msg: HeldMessage["msg"], send, done) => {
      const { payload } = msg;
      if (isSample(payload) || isQuarantineRecord(payload)) return held.take({ msg, send, done });
      if (!isLotAction(payload)) return done(new Error(RED._("lot.errors.not-a-sample")));
      const line = lineIn(payload);
      try {
        const person = personOfMessage(msg);
        if (!person || !mayDo(person, LOT_SET)) throw new CodedError("forbidden", RED._("lot.errors.forbidden"));
        const draft = draftOfAction(payload, person.name, Date.now());
        if (!assignments) throw new CodedError("database-away", RED._("lot.errors.not-ready"));
        const record = await assignments.set(draft);
        audit({ who: person, action: LOT_SET, target: line, result: "done", after: record });
        publish({ line, id: record.id });
        done();
      } catch (error) {
        const code = codeOf(error, "lot-not-saved");
        publish({ line, error: code });
        done(Object.assign(new Error(messageOf(error)), { code }));
      }
    });
    this.on("close", () => {
      closed = true;
      clearInterval(publishing);
      stopListening?.();
      held.close();
      status.close();
      lease.release();
    });
  });
};
export default init;

function lineIn(payload: unknown): string {
  const line: unknown = typeof payload === "object" && payload !== null && "line" in payload ? payload.line : undefined;
  return typeof line === "string" ? line.slice(0, 64) : "";
}
