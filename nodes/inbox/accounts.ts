import type { Node, NodeDef, NodeInitializer } from "node-red";
import { figures, MISSING_SAMPLES } from "../host/figures.ts";
import { siteOf } from "./site.ts";

interface AccountsDef extends NodeDef {
  site?: string;
  everyS?: number | string;
}

/** The inbox's accounts as messages: on every input message, and every so many seconds by itself. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-accounts", function (this: Node, config: AccountsDef) {
    RED.nodes.createNode(this, config);
    const site = siteOf(RED, config.site);
    if (!site) {
      this.status({ fill: "red", shape: "ring", text: RED._("accounts.status.no-site") });
      this.error(RED._("accounts.errors.no-site"));
      return;
    }
    const payload = () => ({
      event: "accounts",
      at: new Date().toISOString(),
      siteId: site.settings.siteId,
      ...site.inbox.stats(),
      missingByDevice: figures(MISSING_SAMPLES),
    });
    let shown = "";
    const show = () => {
      const { received, refused, quarantined } = site.inbox.stats();
      const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
      const text = RED._("accounts.status.figures", { received, quarantined, refused: refusals });
      if (text === shown) return;
      shown = text;
      this.status({ fill: quarantined + refusals > 0 ? "yellow" : "green", shape: "dot", text });
    };
    const everyS = Number(config.everyS);
    const timer = setInterval(
      () => {
        show();
        if (everyS > 0) this.send({ topic: site.settings.siteId, payload: payload() });
      },
      Math.min(3600, Math.max(1, everyS || 2)) * 1000,
    );
    show();
    this.on("input", (message, send, done) => {
      message.payload = payload();
      send(message);
      done();
    });
    this.on("close", () => clearInterval(timer));
  });
};
export default init;
