import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import helper from "node-red-node-test-helper";
import { nodeOf } from "../../test/support/nodes.ts";
import gradeSpecNode from "../grade/grade-spec.ts";
import { setCurrentInbox } from "../host/current-inbox.ts";
import { closeServices, openServices } from "../host/service.ts";
import { DurableInbox } from "../inbox/durable-inbox.ts";
import { isSample } from "../sample/message.ts";
import type { Presence, Sample, ShapeAnalysis, TofFrame } from "../sample/sample.ts";
import { analyseShape } from "../vl53l8ch/analyse-shape.ts";
import productNode from "./product.ts";

/** A frame with a dome of so many millimetres at a column, on a belt 300 mm below. */
function frameOf(heightMm: number, middleColumn = 3.5): TofFrame {
  const all = (value: number) => new Array<number>(64).fill(value);
  return {
    side: 8,
    distanceMm: all(0).map((_, zone) => {
      const distance2 = (Math.floor(zone / 8) - middleColumn) ** 2 + ((zone % 8) - 3.5) ** 2;
      return 300 - heightMm * Math.sqrt(Math.max(0, 1 - distance2 / 7));
    }),
    reflectancePercent: all(50),
    signal: all(60),
    ambient: all(1),
    signalUnit: "kcps/SPAD",
    status: all(5),
    validStatuses: [5, 9],
  };
}

function sampleOf(seq: number, frame: TofFrame, more: Partial<Sample> = {}): Sample {
  return {
    sampleUid: `u${seq}`,
    sampleId: `s${seq}`,
    deviceId: "D1",
    siteId: "LL",
    lineId: "L1",
    seq,
    bootId: "b",
    measuredAt: new Date(Date.UTC(2026, 10, 22) + (seq * 1000) / 15).toISOString(),
    timeSource: "device",
    receivedAt: "2026-11-22T11:00:00Z",
    transport: "mqtt",
    isHistorical: false,
    shift: "day",
    productionDay: "2026-11-22",
    vl53l8ch: { frame, analysis: analyseShape(frame, { deviceId: "D1" }) },
    ...more,
  };
}

function load(config: object = {}): Promise<void> {
  return helper.load(
    [gradeSpecNode, productNode],
    [
      { id: "tab", type: "tab", label: "product" },
      { id: "spec", type: "foieflow-grade-spec", source: "duck" },
      { id: "product", z: "tab", type: "foieflow-product", spec: "spec", x: 1, y: 1, wires: [["out"]], ...config },
      { id: "out", z: "tab", type: "helper", x: 1, y: 1, wires: [] },
    ],
  );
}

/** Feeds samples to the node and waits until as many came out. */
async function through(samples: readonly Sample[], config: object = {}): Promise<Sample[]> {
  await load(config);
  return new Promise((resolve) => {
    const out: Sample[] = [];
    nodeOf("out").on("input", (msg: { payload?: unknown }) => {
      assert.ok(isSample(msg.payload));
      out.push(msg.payload);
      if (out.length === samples.length) resolve(out);
    });
    samples.forEach((payload, entry) => {
      nodeOf("product").receive({ entryId: String(entry), payload });
    });
  });
}
function append(inbox: DurableInbox, deviceId: string): Promise<string> {
  return inbox.append({
    transport: "mqtt",
    receivedAt: "2026-11-22T11:00:00Z",
    siteId: "LL",
    defaultLineId: "L1",
    provenDeviceId: deviceId,
    bytes: Buffer.from("{}"),
  });
}
const roles = (samples: readonly Sample[]) => samples.map(({ role }) => role);

describe("the product node", () => {
  before((done) => void helper.startServer(done));
  after(async () => {
    await new Promise<void>((done) => helper.stopServer(() => done()));
    await closeServices(openServices());
  });
  afterEach(() => helper.unload());

  it("gives each product one sample that counts, in order, and names all its frames after it", async () => {
    const heights = [0, 30, 45, 30, 0, 40, 45, 0];
    const out = await through(heights.map((height, seq) => sampleOf(seq, frameOf(height))));
    assert.deepEqual(
      out.map(({ seq }) => seq),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(roles(out), ["frame", "frame", "product", "frame", "frame", "frame", "product", "frame"]);
    assert.equal(out[1]?.productId, out[2]?.productId);
    assert.notEqual(out[2]?.productId, out[6]?.productId);
    assert.equal(out[4]?.productId, undefined);
    const shape = out[2]?.vl53l8ch?.analysis;
    assert.equal(shape?.framesUsed, 3);
    assert.equal(out[2]?.presence, "PRODUCT");
    assert.equal(out[4]?.presence, "NO_PRODUCT");
  });

  it("does not count what never came into view whole", async () => {
    const out = await through([0, 1, 2].map((seq) => sampleOf(seq, frameOf(seq === 2 ? 0 : 45, 0.4))));
    assert.deepEqual(roles(out), ["frame", "frame", "frame"]);
    assert.ok(out.some(({ presence }) => presence === "PARTIAL"));
  });

  it("closes a product after a while without frames", async () => {
    const out = await through([sampleOf(0, frameOf(45))], { closeAfterMs: 100 });
    assert.deepEqual(roles(out), ["product"]);
  });

  it("lets a message that is a product by itself pass at once, untouched but for its role", async () => {
    const frame = frameOf(45);
    const sample = sampleOf(0, frame, { vl53l8ch: { frame, features: { dialect: "sqal" } } });
    const [out] = await through([sample]);
    assert.deepEqual(out, { ...sample, role: "product", productId: "u0" });
  });

  it("lets samples of a method that does not judge presence pass at once", async () => {
    const frame = frameOf(45);
    const { presence: _, ...analysis }: ShapeAnalysis & { presence?: Presence } = analyseShape(frame, {
      deviceId: "D1",
    });
    assert.deepEqual(roles(await through([sampleOf(0, frame, { vl53l8ch: { frame, analysis } })])), ["product"]);
  });

  it("keeps nothing that comes while it closes: the inbox has it again", async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "foieflow-product-"));
    const inbox = await DurableInbox.open({ directory });
    setCurrentInbox(inbox);
    try {
      await load();
      const product = nodeOf("product");
      const samples = [0, 30, 45, 30, 0, 40, 45].map((height, seq) => sampleOf(seq, frameOf(height)));
      for (const { deviceId } of samples) await append(inbox, deviceId);
      const emitted: string[] = [];
      await new Promise<void>((resolve) => {
        inbox.attach(({ entryId }) => {
          emitted.push(entryId);
          // The fifth frame closes the first product, whose analysis takes a while: the node is not closed at once.
          if (emitted.length <= 5) product.receive({ entryId, payload: samples[emitted.length - 1] });
          if (emitted.length === samples.length) resolve();
        });
      });
      const closing = product.close(false);
      for (const at of [5, 6]) product.receive({ entryId: emitted[at], payload: samples[at] });
      await closing;
      assert.equal(inbox.stats().claimed, 0);
      assert.equal(inbox.stats().waiting, 7);
    } finally {
      setCurrentInbox(undefined);
      await inbox.close();
      rmSync(directory, { recursive: true });
    }
  });
});
