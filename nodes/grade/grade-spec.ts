import type { Node, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { GradeSpecSource } from "../sample/spec.ts";
import { BUILTIN_SPECS, builtinSpec } from "./builtin.ts";
import { byDialect } from "./by-dialect.ts";
import { acquireProductThreads } from "./product-thread.ts";
import { parseGradeSpec, specDocument } from "./spec.ts";

interface GradeSpecDef extends NodeDef {
  /** Id of a spec that comes with FoieFlow, or `document` for the edited one. */
  source?: string;
  /** JSON text of the edited document. */
  document?: string;
  /** How messages of SQAL's devices are graded: by SQAL's own formulas, or like all others. */
  sqalBy?: "sqal" | "same";
}

/** The spec in force for the analysis and grading nodes that name this config node. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-grade-spec", function (this: Node & GradeSpecSource, config: GradeSpecDef) {
    RED.nodes.createNode(this, config);
    try {
      const document =
        config.source === "document" ? specDocument(config.document ?? "") : builtinSpec(config.source ?? "sqal");
      const spec = parseGradeSpec(document);
      const { hash } = spec;
      const apart = spec.method !== "sqal" && config.sqalBy !== "same";
      this.spec = apart ? byDialect(spec, parseGradeSpec(builtinSpec("sqal"))) : spec;
      const threads = acquireProductThreads();
      this.on("close", () => threads.release());
      // SQAL's messages are products by themselves and never come here: the own document is enough.
      this.analyseProduct = async (evidence) => (await threads.value).ask({ document, hash, evidence });
    } catch (error) {
      this.error(RED._("grade-spec.errors.invalid", { why: messageOf(error) }));
    }
  });

  // The editor starts an own document from one of these.
  RED.httpAdmin.get(
    "/foieflow/grade-specs/:id",
    RED.auth.needsPermission("foieflow-grade-spec.read"),
    (request, response) => {
      const document = BUILTIN_SPECS.get(String(request.params.id));
      if (document === undefined) response.sendStatus(404);
      else response.json(document);
    },
  );
};
export default init;
