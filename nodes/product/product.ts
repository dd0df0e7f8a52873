import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { CodedError } from "../host/errors.ts";
import { onceEvery } from "../host/rate-limit.ts";
import { gradeMethodOf } from "../host/sample-node.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { isQuarantineRecord, isSample, quarantineOfSample } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import { asFrame, asProduct, fuseProduct, isProductByItself } from "./fuse.ts";
import { type Facts, type Group, SEGMENT_LIMITS, Segmenter } from "./segment.ts";

interface ProductDef extends NodeDef {
  spec?: string;
  closeAfterMs?: string | number;
  maxFrames?: string | number;
}

type Message = NodeMessageInFlow & { payload?: unknown };
type Send = (message: Message) => void;

/** A sample on its way, and how it goes on. */
interface Waiting {
  msg: Message;
  sample: Sample;
  send: Send;
  done: () => void;
}

const TICK_MS = 250;
const REPORT_MS = 10_000;

/** Tells products apart in each device's frames and gives each whole product one sample with the figures of all its frames. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-product", function (this: Node, config: ProductDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const mayReport = onceEvery(REPORT_MS);
    const segmenter = new Segmenter<Waiting>((facts) => `${facts.deviceId}-${Math.round(facts.atMs).toString(36)}`, {
      closeAfterMs: bounded(config.closeAfterMs, SEGMENT_LIMITS.closeAfterMs, 100, 60_000),
      maxFrames: bounded(config.maxFrames, SEGMENT_LIMITS.maxFrames, 2, 300),
    });
    let products = 0;
    const show = () =>
      status.show({
        fill: "green",
        shape: "dot",
        text: RED._("product.status.counting", { count: products, held: segmenter.held }),
      });
    status.show({ fill: "grey", shape: "ring", text: RED._("product.status.idle") });

    const forward = ({ msg, send, done }: Waiting, payload: unknown) => {
      send({ ...msg, payload });
      done();
    };
    const release = (groups: readonly Group<Waiting>[]) => {
      for (const { items, productId, closing } of groups) {
        if (closing === undefined || productId === undefined) {
          for (const waiting of items) forward(waiting, asFrame(waiting.sample, productId));
          continue;
        }
        try {
          const spec = gradeMethodOf(RED, config.spec);
          if (!spec) throw new CodedError("no-spec", RED._("product.errors.no-spec"));
          const fused = fuseProduct(
            items.map(({ sample }) => sample),
            productId,
            spec,
          );
          if (fused.some(({ role }) => role === "product")) products += 1;
          items.forEach((waiting, index) => {
            forward(waiting, fused[index] ?? asFrame(waiting.sample, productId));
          });
        } catch (error) {
          status.show({ fill: "red", shape: "dot", text: RED._("product.status.failed") });
          if (mayReport("failed")) this.error(error);
          for (const waiting of items) forward(waiting, quarantineOfSample(waiting.sample, error, "product-failed"));
        }
      }
      if (groups.some(({ closing }) => closing !== undefined)) show();
    };

    const timer = setInterval(() => release(segmenter.expire(performance.now())), TICK_MS);
    this.on("input", (msg: Message, send, done) => {
      const sample = msg.payload;
      if (isQuarantineRecord(sample)) {
        send(msg);
        return done();
      }
      if (!isSample(sample)) return done(new Error(RED._("product.errors.not-a-sample")));
      if (isProductByItself(sample)) {
        products += 1;
        show();
        send({ ...msg, payload: asProduct(sample) });
        return done();
      }
      release(segmenter.add({ msg, sample, send, done }, factsOf(sample), performance.now()));
    });
    this.on("close", () => {
      clearInterval(timer);
      // Nodes behind that close as well lose it; the inbox gives it again.
      release(segmenter.flush());
      status.close();
    });
  });
};
export default init;

function factsOf(sample: Sample): Facts {
  const { deviceId, productId, seq, bootId, measuredAt } = sample;
  const presence = sample.vl53l8ch?.analysis?.presence;
  return {
    deviceId,
    atMs: Date.parse(measuredAt),
    isOccupied: presence === "PRODUCT" || presence === "PARTIAL",
    ...(productId !== undefined && { productId }),
    ...(seq !== undefined && { seq }),
    ...(bootId !== undefined && { bootId }),
  };
}

/** A number of the configuration within its bounds, else the default. */
function bounded(value: unknown, fallback: number, least: number, most: number): number {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isFinite(number) ? Math.min(Math.max(Math.round(number), least), most) : fallback;
}
