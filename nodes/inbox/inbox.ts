import type { Node, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { InboxEntry, QuarantineRecord } from "../sample/inbox.ts";
import { siteOf } from "./site.ts";

interface InboxNodeDef extends NodeDef {
  site?: string;
  wires?: unknown[][];
}

const STATUS_MS = 1000;
/** States in which the inbox takes nothing. */
const TROUBLES = ["full", "disk-full", "failed"] as const;

/** The one consumer of the site's inbox: each entry becomes a message. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-inbox", function (this: Node, config: InboxNodeDef) {
    RED.nodes.createNode(this, config);
    const site = siteOf(RED, config.site);
    if (!site) {
      this.status({ fill: "red", shape: "ring", text: RED._("inbox.status.no-site") });
      this.error(RED._("inbox.errors.no-site"));
      return;
    }
    const fail = (error: unknown) => {
      clearInterval(timer);
      this.status({ fill: "red", shape: "ring", text: RED._("inbox.status.failed") });
      this.error(messageOf(error));
    };
    const emit = (entry: InboxEntry) => {
      const { entryId, siteId, lineId, defaultLineId, provenDeviceId } = entry;
      const topic = [siteId, lineId ?? defaultLineId, ...(provenDeviceId ? [provenDeviceId] : [])].join("/");
      this.send({ entryId, topic, payload: entry });
    };
    const quarantine = (entryId: string, record: QuarantineRecord) => {
      const topic = [record.siteId, site.settings.lineId, ...(record.deviceId ? [record.deviceId] : [])].join("/");
      this.send([null, { entryId, topic, payload: record }]);
    };
    let shown = "";
    const show = () => {
      const { waiting, backlogAgeS, health } = site.inbox.stats();
      const age = Math.round(backlogAgeS);
      const trouble = TROUBLES.find((state) => state === health.state);
      const text = trouble
        ? RED._(`inbox.status.takes-nothing-${trouble}`, { number: waiting })
        : waiting === 0
          ? RED._("inbox.status.idle")
          : RED._("inbox.status.waiting", { number: waiting, age });
      if (text === shown) return;
      shown = text;
      this.status({
        fill: trouble ? "red" : waiting === 0 ? "grey" : age > 30 ? "yellow" : "green",
        shape: waiting === 0 ? "ring" : "dot",
        text,
      });
    };
    const timer = setInterval(show, STATUS_MS);
    let attached: { detach(): void } | undefined;
    this.on("close", () => {
      clearInterval(timer);
      attached?.detach();
    });
    try {
      attached = site.inbox.attach(emit, config.wires?.[1]?.length ? quarantine : undefined, fail);
      show();
    } catch (error) {
      fail(error);
    }
  });
};
export default init;
