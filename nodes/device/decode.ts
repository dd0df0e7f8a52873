import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { messageOf } from "../host/errors.ts";
import { onceEvery } from "../host/rate-limit.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { isInboxEntry } from "../sample/message.ts";
import type { SiteSettings } from "../sample/site.ts";
import { decodeEntry, quarantineOf } from "./decode-entry.ts";

interface DecodeDef extends NodeDef {
  site?: string;
}

/** The log names a reason at most this often; the quarantine has every case. */
const WARN_MS = 10_000;

/** Inbox entries to samples (output 1) or quarantine records (output 2). */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-decode", function (this: Node, config: DecodeDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const settings = settingsOf(RED, config.site);
    let decoded = 0;
    let refused = 0;
    const mayWarn = onceEvery(WARN_MS);
    if (settings) status.show({ fill: "grey", shape: "ring", text: RED._("decode.status.idle") });
    else status.show({ fill: "red", shape: "ring", text: RED._("decode.status.no-site") });

    this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, send, done) => {
      const entry = msg.payload;
      if (!settings) return done(new Error(RED._("decode.errors.no-site")));
      if (!isInboxEntry(entry)) return done(new Error(RED._("decode.errors.not-an-entry")));
      try {
        const sample = decodeEntry(entry, settings);
        decoded += 1;
        status.show({ fill: "green", shape: "dot", text: RED._("decode.status.decoding", { decoded, refused }) });
        send([{ ...msg, topic: `${sample.siteId}/${sample.lineId}/${sample.deviceId}`, payload: sample }, null]);
      } catch (error) {
        const record = quarantineOf(entry, error);
        const place = [entry.siteId, entry.lineId ?? entry.defaultLineId, record.deviceId ?? "unknown"];
        refused += 1;
        status.show({
          fill: "yellow",
          shape: "dot",
          text: RED._("decode.status.refusing", { decoded, refused, reason: record.reason }),
        });
        if (mayWarn(record.reason)) this.warn(`${record.reason}: ${messageOf(error)}`);
        send([null, { ...msg, topic: place.join("/"), payload: record }]);
      }
      done();
    });
    this.on("close", () => status.close());
  });
};
export default init;

/** The settings of the `foieflow-site` config node, or undefined when it is missing or of another type. */
function settingsOf(RED: NodeAPI, id: string | undefined): SiteSettings | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  if (typeof node !== "object" || node === null || !("settings" in node)) return undefined;
  return isSettings(node.settings) ? node.settings : undefined;
}

function isSettings(value: unknown): value is SiteSettings {
  return (
    typeof value === "object" &&
    value !== null &&
    "timeZone" in value &&
    typeof value.timeZone === "string" &&
    "shifts" in value &&
    Array.isArray(value.shifts) &&
    "historicalAfterS" in value &&
    typeof value.historicalAfterS === "number" &&
    "futureToleranceS" in value &&
    typeof value.futureToleranceS === "number"
  );
}
