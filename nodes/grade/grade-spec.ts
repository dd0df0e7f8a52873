import type { Node, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { GradeSpecSource } from "../sample/spec.ts";
import { BUILTIN_SPECS, builtinSpec } from "./builtin.ts";
import { byDialect } from "./by-dialect.ts";
import { parseGradeSpec, parseGradeSpecText } from "./spec.ts";

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
      const spec =
        config.source === "document"
          ? parseGradeSpecText(config.document ?? "")
          : parseGradeSpec(builtinSpec(config.source ?? "sqal"));
      const apart = spec.method !== "sqal" && config.sqalBy !== "same";
      this.spec = apart ? byDialect(spec, parseGradeSpec(builtinSpec("sqal"))) : spec;
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
