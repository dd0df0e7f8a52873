import type { Node, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import { siteOf } from "./site.ts";

interface InboxNodeDef extends NodeDef {
  site?: string;
}

const STATUS_MS = 1000;

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
    let shown = "";
    const show = () => {
      const { waiting, backlogAgeS } = site.inbox.stats();
      const age = Math.round(backlogAgeS);
      const text = waiting === 0 ? RED._("inbox.status.idle") : RED._("inbox.status.waiting", { number: waiting, age });
      if (text === shown) return;
      shown = text;
      this.status({
        fill: waiting === 0 ? "grey" : age > 30 ? "yellow" : "green",
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
      attached = site.inbox.attach(emit, undefined, fail);
      show();
    } catch (error) {
      fail(error);
    }
  });
};
export default init;
