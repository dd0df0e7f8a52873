import type { Node, NodeDef, NodeInitializer } from "node-red";
import { enrichSamples } from "../host/sample-node.ts";

interface GradeDef extends NodeDef {
  spec?: string;
}

/** Adds the grade and its reasons to analysed samples. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-grade", function (this: Node, config: GradeDef) {
    RED.nodes.createNode(this, config);
    enrichSamples(RED, this, {
      labels: "grade",
      specId: config.spec,
      failureReason: "grade-failed",
      // Frames behind a product, empty belts and partial views have no grade.
      enrich: (sample, spec) => (sample.role === "frame" ? sample : { ...sample, grade: spec.grade(sample) }),
      statusText: (sample, count) =>
        RED._("grade.status.grading", {
          count,
          grade: sample.grade?.grade ?? "",
          score: sample.grade?.score.toFixed(2) ?? "",
        }),
    });
  });
};
export default init;
