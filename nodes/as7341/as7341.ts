import type { Node, NodeDef, NodeInitializer } from "node-red";
import { enrichSamples } from "../host/sample-node.ts";
import { dialectOf } from "../sample/message.ts";

interface As7341Def extends NodeDef {
  spec?: string;
}

/** Adds the spectral analysis to samples that carry a spectral reading. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-as7341", function (this: Node, config: As7341Def) {
    RED.nodes.createNode(this, config);
    enrichSamples(RED, this, {
      labels: "as7341",
      specId: config.spec,
      failureReason: "analysis-failed",
      enrich(sample, spec) {
        const { as7341, deviceId, calibration } = sample;
        if (!as7341) return sample;
        return {
          ...sample,
          as7341: {
            ...as7341,
            analysis: spec.analyseSpectrum(as7341.reading, { deviceId, calibration, dialect: dialectOf(sample) }),
          },
        };
      },
      statusText: (_, count) => RED._("as7341.status.analysing", { count }),
    });
  });
};
export default init;
