import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { currentInbox } from "../host/current-inbox.ts";
import { messageOf } from "../host/errors.ts";
import { MISSING_SAMPLES, publishFigures } from "../host/figures.ts";
import { onceEvery } from "../host/rate-limit.ts";
import { acquire } from "../host/service.ts";
import { SteadyClock } from "../host/steady-clock.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { isInboxEntry } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import type { SiteSettings } from "../sample/site.ts";
import { decodeEntry, quarantineOf } from "./decode-entry.ts";
import { Lateness } from "./lateness.ts";
import { Sequences } from "./sequences.ts";
import { ServerTimes } from "./server-times.ts";

interface DecodeDef extends NodeDef {
  site?: string;
}

/** The log names a reason at most this often; the quarantine has every case. */
const WARN_MS = 10_000;

/** What the process remembers of its devices, beyond a deploy. */
interface Memory {
  sequences: Sequences;
  serverTimes: ServerTimes;
  lateness: Lateness;
}

/** Inbox entries to samples (output 1) or quarantine records (output 2); gaps in a device's numbers (output 3). */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-decode", function (this: Node, config: DecodeDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const settings = settingsOf(RED, config.site);
    let decoded = 0;
    let refused = 0;
    const mayWarn = onceEvery(WARN_MS);
    const clock = new SteadyClock();
    const newMemory = (): Memory => ({
      sequences: new Sequences(),
      serverTimes: new ServerTimes(),
      lateness: new Lateness(),
    });
    let memory = newMemory();
    const lease = acquire("decode", newMemory, () => undefined);
    void lease.value.then((shared) => {
      memory = shared;
    });
    const unpublish = publishFigures(MISSING_SAMPLES, () => memory.sequences.missingByDevice());
    if (settings) status.show({ fill: "grey", shape: "ring", text: RED._("decode.status.idle") });
    else status.show({ fill: "red", shape: "ring", text: RED._("decode.status.no-site") });

    this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, send, done) => {
      const entry = msg.payload;
      if (!settings) return done(new Error(RED._("decode.errors.no-site")));
      if (!isInboxEntry(entry)) return done(new Error(RED._("decode.errors.not-an-entry")));
      try {
        const decodedSample = decodeEntry(entry, settings, memory.serverTimes);
        // A clock that was set forward makes nothing old.
        const { wallMs, steadyMs } = clock.read();
        const circumstances = { attempts: entry.attempts, nowMs: Math.min(wallMs, steadyMs) };
        const isHistorical = memory.lateness.isLate(decodedSample, circumstances, settings.historicalAfterS);
        const sample = { ...decodedSample, isHistorical };
        const topic = `${sample.siteId}/${sample.lineId}/${sample.deviceId}`;
        currentInbox()?.identify(entry.entryId, sample.deviceId);
        const gap = gapOf(sample, memory.sequences);
        const { missing } = memory.sequences;
        decoded += 1;
        status.show(() => ({
          fill: missing > 0 ? "yellow" : "green",
          shape: "dot",
          text: RED._(missing > 0 ? "decode.status.missing" : "decode.status.decoding", { decoded, refused, missing }),
        }));
        send([{ ...msg, topic, payload: sample }, null, gap ? { topic, payload: gap } : null]);
      } catch (error) {
        const record = quarantineOf(entry, error);
        const place = [entry.siteId, entry.lineId ?? entry.defaultLineId, record.deviceId ?? "unknown"];
        if (record.deviceId !== undefined) currentInbox()?.identify(entry.entryId, record.deviceId);
        refused += 1;
        status.show(() => ({
          fill: "yellow",
          shape: "dot",
          text: RED._("decode.status.refusing", { decoded, refused, reason: record.reason }),
        }));
        if (mayWarn(record.reason)) this.warn(`${record.reason}: ${messageOf(error)}`);
        send([null, { ...msg, topic: place.join("/"), payload: record }, null]);
      }
      done();
    });
    this.on("close", () => {
      unpublish();
      lease.release();
      status.close();
    });
  });
};
export default init;

/** The event of a gap that a sample's number shows, or of a sample thought missing that has come. */
function gapOf(sample: Sample, sequences: Sequences): object | undefined {
  const { deviceId, bootId, seq, transport, receivedAt, siteId, lineId } = sample;
  const news = bootId === undefined || seq === undefined ? undefined : sequences.note(deviceId, bootId, seq);
  if (!news) return undefined;
  const missingNow = sequences.missingOf(deviceId);
  const about = { transport, at: receivedAt, siteId, lineId, deviceId, bootId, seq, missingNow };
  return news.isFound ? { event: "gap-closed", ...about } : { event: "gap", ...about, missing: news.missing };
}

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
