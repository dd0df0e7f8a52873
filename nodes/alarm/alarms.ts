import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { personOfMessage } from "../host/person.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { looksLikeAction } from "./action.ts";
import type { AlarmDesk } from "./desk.ts";
import { alarmDesk } from "./service.ts";
import { signalOf } from "./signal.ts";

interface AlarmsDef extends NodeDef {
  site?: string;
  database?: string;
  positions?: number | string;
}

/** Changes within this time go to the pages together; ages and the banner are refreshed at least this often, ms. */
const SEND_SOON_MS = 100;
const SUMMARY_EVERY_MS = 2000;
const SECTION_EVERY_MS = 10_000;

/**
 * The alarms of a site, after ISA-18.2. Output 1 is the page's section, output 2 what every page's banner needs, output 3
 * every change as a message, for MQTT, a webhook or mail.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-alarms", function (this: Node, config: AlarmsDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("alarms.status.no-site") });
      this.error(RED._("alarms.errors.no-site"));
      return;
    }
    const { siteId, lineId, timeZone } = site.settings;
    const positions = Math.min(100, Math.max(1, Math.round(Number(config.positions)) || 1));
    const lease = alarmDesk(siteId, (text) => this.log(text));
    let desk: AlarmDesk | undefined;
    let stopListening: (() => void) | undefined;
    let closed = false;
    let soon: NodeJS.Timeout | undefined;
    let sectionSentMs = 0;

    const send = (withSection: boolean) => {
      if (!desk || closed) return;
      const summary = desk.summary();
      const section = withSection ? { topic: siteId, payload: desk.section(siteId, timeZone, positions) } : null;
      if (withSection) sectionSentMs = performance.now();
      this.send([section, { topic: `${siteId}/${lineId}`, payload: { event: "alarm-summary", ...summary } }, null]);
      const { active, unacknowledged } = summary;
      status.show({
        fill: unacknowledged > 0 ? "red" : active > 0 ? "yellow" : "green",
        shape: "dot",
        text: RED._("alarms.status.standing", { active, unacknowledged }),
      });
    };
    const timer = setInterval(
      () => send(performance.now() - sectionSentMs >= SECTION_EVERY_MS - SEND_SOON_MS),
      SUMMARY_EVERY_MS,
    );
    const opening = lease.value.then((opened) => {
      if (closed) return;
      desk = opened;
      stopListening = opened.onChange((records) => {
        soon ??= setTimeout(() => {
          soon = undefined;
          send(true);
        }, SEND_SOON_MS);
        for (const payload of records) this.send([null, null, { topic: `${siteId}/${lineId}/alarm`, payload }]);
      });
      send(true);
    });
    opening.catch((error) => this.error(messageOf(error)));
    Promise.all([databaseOf(RED, config.database), opening]).then(
      ([database]) => desk?.use(database),
      (error) => this.error(messageOf(error)),
    );

    this.on("input", async (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
      try {
        await opening;
        const signal = signalOf(msg.payload);
        if (signal) desk?.signal(signal);
        else if (looksLikeAction(msg.payload)) await desk?.act(msg.payload, personOfMessage(msg));
        else if (isMeantAsSignal(msg.payload))
          throw new CodedError("alarm-bad-signal", RED._("alarms.errors.bad-signal"));
        done();
      } catch (error) {
        done(Object.assign(new Error(messageOf(error)), { code: codeOf(error, "alarm-failed") }));
      }
    });
    this.on("close", (done: () => void) => {
      closed = true;
      clearInterval(timer);
      clearTimeout(soon);
      stopListening?.();
      status.close();
      const flushed = desk?.flush() ?? Promise.resolve();
      flushed.finally(() => {
        lease.release();
        done();
      });
    });
  });
};
export default init;

function isMeantAsSignal(payload: unknown): boolean {
  const event: unknown =
    typeof payload === "object" && payload !== null && "event" in payload ? payload.event : undefined;
  return typeof event === "string" && event.startsWith("alarm-");
}
