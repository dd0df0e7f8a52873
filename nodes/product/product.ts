import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { Keeper } from "../host/current-inbox.ts";
import { CodedError, messageOf } from "../host/errors.ts";
import { onceEvery } from "../host/rate-limit.ts";
import { productAnalystOf } from "../host/sample-node.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { isQuarantineRecord, isSample, quarantineOfSample } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import { asFrame, asProduct, fuseProduct, gatherProduct, isProductByItself } from "./fuse.ts";
import { InOrder } from "./in-order.ts";
import { type Facts, type Group, SEGMENT_LIMITS, Segmenter } from "./segment.ts";

interface ProductDef extends NodeDef {
  spec?: string;
  closeAfterMs?: string | number;
  maxFrames?: string | number;
}

type Message = NodeMessageInFlow & { payload?: unknown };
type Send = (message: Message) => void;

/** A message on its way, and how it goes on. */
interface Passing {
  msg: Message;
  send: Send;
  done: (error?: Error) => void;
}

interface Waiting extends Passing {
  sample: Sample;
}

const TICK_MS = 250;
const REPORT_MS = 10_000;
/** Node-RED itself waits 15 s for a node to close. */
const CLOSE_WITHIN_MS = 10_000;
/** Most messages kept here. The inbox lets far fewer be on their way; this holds for flows without one. */
const MOST_WAITING = 4096;

/** Tells products apart in each device's frames and gives each whole product one sample with the figures of all its frames. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-product", function (this: Node, config: ProductDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const mayReport = onceEvery(REPORT_MS);
    const keeper = new Keeper(this.id);
    const segmenter = new Segmenter<Waiting>((facts) => `${facts.deviceId}-${Math.round(facts.atMs).toString(36)}`, {
      closeAfterMs: bounded(config.closeAfterMs, SEGMENT_LIMITS.closeAfterMs, 100, 60_000),
      maxFrames: bounded(config.maxFrames, SEGMENT_LIMITS.maxFrames, 2, 300),
    });
    let products = 0;
    const show = () =>
      status.show(() => ({
        fill: "green",
        shape: "dot",
        text: RED._("product.status.counting", { count: products, held: segmenter.held }),
      }));
    status.show({ fill: "grey", shape: "ring", text: RED._("product.status.idle") });

    // Everything leaves in the order it came or its product was closed, whatever waits for an analysis.
    const line = new InOrder<Passing, unknown>(({ msg, send, done }, payload) => {
      keeper.passOn(msg);
      try {
        send(payload === msg.payload ? msg : { ...msg, payload });
      } catch (error) {
        return done(new Error(messageOf(error), { cause: error }));
      }
      done();
    });
    const failed = (error: unknown) => {
      status.show({ fill: "red", shape: "dot", text: RED._("product.status.failed") });
      if (mayReport("failed")) this.error(error);
    };
    const analysed = async (items: readonly Waiting[], productId: string): Promise<unknown[]> => {
      const samples = items.map(({ sample }) => sample);
      try {
        const analyse = productAnalystOf(RED, config.spec);
        if (!analyse) throw new CodedError("no-spec", RED._("product.errors.no-spec"));
        const product = gatherProduct(samples, productId);
        const fused = product ? fuseProduct(product, await analyse(product.evidence)) : [];
        if (fused.some(({ role }) => role === "product")) products += 1;
        show();
        return items.map(({ sample }, index) => fused[index] ?? asFrame(sample, productId));
      } catch (error) {
        failed(error);
        return samples.map((sample) => quarantineOfSample(sample, error, "product-failed"));
      }
    };
    const release = (groups: readonly Group<Waiting>[]) => {
      for (const { items, productId, closing } of groups)
        line.add(
          items,
          closing === undefined || productId === undefined
            ? items.map(({ sample }) => asFrame(sample, productId))
            : analysed(items, productId),
        );
    };

    const timer = setInterval(() => release(segmenter.expire(performance.now())), TICK_MS);
    this.on("input", (msg: Message, send, done) => {
      const sample = msg.payload;
      if (!isQuarantineRecord(sample) && !isSample(sample))
        return done(new Error(RED._("product.errors.not-a-sample")));
      if (!keeper.keep(msg)) return done();
      if (isQuarantineRecord(sample)) return line.add([{ msg, send, done }], [sample]);
      if (line.size + segmenter.held >= MOST_WAITING) {
        const error = new CodedError("product-overloaded", RED._("product.errors.overloaded"));
        failed(error);
        keeper.passOn(msg);
        send({ ...msg, payload: quarantineOfSample(sample, error, error.code) });
        return done();
      }
      if (isProductByItself(sample)) {
        products += 1;
        show();
        return line.add([{ msg, send, done }], [asProduct(sample)]);
      }
      release(segmenter.add({ msg, sample, send, done }, factsOf(sample), performance.now()));
    });
    this.on("close", async (closed: () => void) => {
      // The nodes before this one may still deliver; whatever came now would wait here for ever.
      keeper.close();
      clearInterval(timer);
      release(segmenter.flush());
      let patience: NodeJS.Timeout | undefined;
      const outOfPatience = new Promise<void>((resolve) => {
        patience = setTimeout(resolve, CLOSE_WITHIN_MS);
      });
      await Promise.race([line.empty(), outOfPatience]);
      clearTimeout(patience);
      // Handed back unsettled, as is what nodes behind that close as well lose: the inbox gives it again.
      for (const { done } of line.giveUp()) done();
      keeper.giveUp();
      status.close();
      closed();
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
