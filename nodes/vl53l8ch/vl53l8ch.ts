import type { Node, NodeDef, NodeInitializer } from "node-red";
import { enrichSamples } from "../host/sample-node.ts";
import { dialectOf } from "../sample/message.ts";

interface Vl53l8chDef extends NodeDef {
  spec?: string;
}

/** Adds the shape analysis to samples that carry a ToF frame. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-vl53l8ch", function (this: Node, config: Vl53l8chDef) {
    RED.nodes.createNode(this, config);
    enrichSamples(RED, this, {
      labels: "vl53l8ch",
      specId: config.spec,
      failureReason: "analysis-failed",
      enrich(sample, spec) {
        const { vl53l8ch, deviceId, calibration } = sample;
        if (!vl53l8ch) return sample;
        const analysis = spec.analyseShape(vl53l8ch.frame, vl53l8ch.features ?? {}, {
          deviceId,
          calibration,
          dialect: dialectOf(sample),
        });
        return { ...sample, vl53l8ch: { ...vl53l8ch, analysis } };
      },
      statusText: (_, count) => RED._("vl53l8ch.status.analysing", { count }),
    });
  });
};
export default init;
