import type { Node, NodeAPI, NodeMessageInFlow } from "node-red";
import { isQuarantineRecord, isSample, quarantineOfSample } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import type { GradeMethod, ProductAnalyst } from "../sample/spec.ts";
import { CodedError } from "./errors.ts";
import { onceEvery } from "./rate-limit.ts";
import { throttledStatus } from "./throttled-status.ts";

/** An error goes to the log and to Catch nodes at most this often per reason; the quarantine has every case. */
const REPORT_MS = 10_000;

export interface SampleNode {
  /** Name of the node's file: the root of its labels, which are `<labels>.status.…` and `<labels>.errors.…`. */
  labels: string;
  /** Id of the `foieflow-grade-spec` config node. */
  specId: string | undefined;
  /** Gives the sample enriched. What it throws takes the sample to quarantine. */
  enrich(sample: Sample, spec: GradeMethod): Sample;
  /** Text of the status after a sample, in the editor's language. */
  statusText(sample: Sample, count: number): string;
  /** Quarantine reason for an error that carries no code. */
  failureReason: string;
}

/**
 * Makes a node out of a step that enriches samples under a grade spec. Quarantine records pass untouched; a sample the
 * step cannot handle goes on as a quarantine record, so that no entry is lost. Everything leaves by output 1.
 */
export function enrichSamples(RED: NodeAPI, node: Node, step: SampleNode): void {
  const status = throttledStatus(node);
  const text = (key: string) => RED._(`${step.labels}.${key}`);
  const mayReport = onceEvery(REPORT_MS);
  let count = 0;
  if (gradeMethodOf(RED, step.specId)) status.show({ fill: "grey", shape: "ring", text: text("status.idle") });
  else status.show({ fill: "red", shape: "ring", text: text("status.no-spec") });

  node.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, send, done) => {
    const sample = msg.payload;
    if (isQuarantineRecord(sample)) {
      send(msg);
      return done();
    }
    if (!isSample(sample)) return done(new Error(text("errors.not-a-sample")));
    let payload: unknown;
    try {
      const spec = gradeMethodOf(RED, step.specId);
      if (!spec) throw new CodedError("no-spec", text("errors.no-spec"));
      const enriched = step.enrich(sample, spec);
      const number = ++count;
      status.show(() => ({ fill: "green", shape: "dot", text: step.statusText(enriched, number) }));
      payload = enriched;
    } catch (error) {
      status.show({ fill: "red", shape: "dot", text: text("status.failed") });
      const record = quarantineOfSample(sample, error, step.failureReason);
      if (mayReport(record.reason)) node.error(error, msg);
      payload = record;
    }
    send({ ...msg, payload });
    done();
  });
  node.on("close", () => status.close());
}

/** The spec a `foieflow-grade-spec` config node holds; undefined when it is missing or invalid. */
export function gradeMethodOf(RED: NodeAPI, id: string | undefined): GradeMethod | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  if (typeof node !== "object" || node === null || !("spec" in node)) return undefined;
  return isGradeMethod(node.spec) ? node.spec : undefined;
}

/** What analyses whole products under the spec of a `foieflow-grade-spec` config node; undefined as in `gradeMethodOf`. */
export function productAnalystOf(RED: NodeAPI, id: string | undefined): ProductAnalyst | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  if (typeof node !== "object" || node === null || !("analyseProduct" in node)) return undefined;
  return isProductAnalyst(node.analyseProduct) ? node.analyseProduct : undefined;
}

function isProductAnalyst(value: unknown): value is ProductAnalyst {
  return typeof value === "function";
}

function isGradeMethod(value: unknown): value is GradeMethod {
  return typeof value === "object" && value !== null && "grade" in value && typeof value.grade === "function";
}
