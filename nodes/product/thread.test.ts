import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mock } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { nodeOf } from "../../test/support/nodes.ts";
import { builtinSpec } from "../grade/builtin.ts";
import gradeSpecNode from "../grade/grade-spec.ts";
import { figuresOfProduct } from "../grade/product-figures.ts";
import { acquireProductThreads } from "../grade/product-thread.ts";
import { parseGradeSpec } from "../grade/spec.ts";
import { closeServices, openServices } from "../host/service.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import type { Sample, SpectralReading, TofFrame } from "../sample/sample.ts";
import type { ProductAnalyst } from "../sample/spec.ts";
import { CHANNELS } from "../sample/units.ts";
import { fuseProduct, gatherProduct } from "./fuse.ts";
import productNode from "./product.ts";

const spec = parseGradeSpec(builtinSpec("duck"));

/** proc(5): the nineteenth field; the second one, in brackets, may hold anything. */
const niceness = (stat: string) => Number(readFileSync(stat, "utf8").split(") ").at(-1)?.split(" ")[16]);

/** A frame of a dome 45 mm high that has come so many columns along, on a belt 300 mm below. */
function frameOf(middle: number): TofFrame {
  const all = (value: number) => new Array<number>(64).fill(value);
  return {
    side: 8,
    distanceMm: all(0).map((_, zone) => {
      const distance2 = (Math.floor(zone / 8) - middle) ** 2 + ((zone % 8) - 3.5) ** 2;
      return 300 - 45 * Math.sqrt(Math.max(0, 1 - distance2 / 7));
    }),
    reflectancePercent: all(50),
    signal: all(60),
    ambient: all(1),
    signalUnit: "kcps/SPAD",
    status: all(5),
    validStatuses: [5, 9],
  };
}

function sampleOf(seq: number, middle: number, deviceId = "D1"): Sample {
  const context = { deviceId };
  const frame = frameOf(middle);
  const level = (value: number) => Object.fromEntries(CHANNELS.map((channel) => [channel, value]));
  const reading: SpectralReading = {
    counts: Object.assign({ F1: 0, F2: 0, F3: 0, F4: 0, F5: 0, F6: 0, F7: 0, F8: 0, Clear: 0, NIR: 0 }, level(1000)),
    basicCounts: level(1 + seq / 10),
    gain: 16,
    integrationMs: 50,
    reconstructed: [],
    saturated: [],
  };
  return {
    sampleUid: `${deviceId}-${seq}`,
    sampleId: `s${seq}`,
    deviceId,
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
    vl53l8ch: { frame, analysis: spec.analyseShape(frame, {}, context) },
    as7341: { reading, analysis: spec.analyseSpectrum(reading, context) },
  };
}

const EMPTY = 99;
/** A product's passage, in view in every frame, and the empty frame behind it. */
const passage = (first: number, deviceId = "D1") =>
  [...Array.from({ length: 18 }, (_, index) => index * 0.6 - 1.6), EMPTY].map((middle, index) =>
    sampleOf(first + index, middle, deviceId),
  );
const isOccupied = ({ vl53l8ch }: Sample) => vl53l8ch?.analysis?.presence !== "NO_PRODUCT";

/** Same as the node, in this thread. */
function synchronously(samples: readonly Sample[], productId = ""): Sample[] {
  const product = gatherProduct(samples, productId);
  assert.ok(product);
  return fuseProduct(product, figuresOfProduct(product.evidence, spec));
}

/** Counts what a timer of this event loop gets to do meanwhile. */
async function ticksDuring(work: () => unknown): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  await work();
  clearInterval(timer);
  return ticks;
}

describe("the product node and its thread", () => {
  let out: { payload: unknown; entryId: string }[];
  let finished: string[];
  let onOut: () => void;

  const load = async (specNode: NodeInitializer = gradeSpecNode) => {
    out = [];
    finished = [];
    onOut = () => {};
    await helper.load(
      [specNode, productNode],
      [
        { id: "tab", type: "tab", label: "product" },
        { id: "spec", type: "foieflow-grade-spec", source: "duck" },
        { id: "product", z: "tab", type: "foieflow-product", spec: "spec", x: 1, y: 1, wires: [["out"]] },
        { id: "out", z: "tab", type: "helper", x: 1, y: 1, wires: [] },
      ],
    );
    nodeOf("out").on("input", (msg: { payload?: unknown; entryId?: string }) => {
      out.push({ payload: msg.payload, entryId: String(msg.entryId) });
      onOut();
    });
    // What a node's `done` ends in: Complete nodes are gone while the flow closes.
    Object.assign(nodeOf("product"), {
      _complete: (msg: { entryId: string }) => {
        finished.push(msg.entryId);
      },
    });
  };
  const give = (payloads: readonly object[]) =>
    payloads.forEach((payload, entry) => {
      nodeOf("product").receive({ entryId: String(entry), payload });
    });
  const arrived = (count: number) =>
    new Promise<void>((resolve) => {
      onOut = () => {
        if (out.length >= count) resolve();
      };
      onOut();
    });
  /** A spec whose analyses the test ends, or does not. */
  const stub =
    (analyseProduct: ProductAnalyst): NodeInitializer =>
    (RED) => {
      RED.nodes.registerType("foieflow-grade-spec", function (this, config) {
        RED.nodes.createNode(this, config);
        Object.assign(this, { spec, analyseProduct });
      });
    };

  before((done) => void helper.startServer(done));
  after(async () => {
    await new Promise<void>((done) => helper.stopServer(() => done()));
    await closeServices(openServices());
  });
  afterEach(() => helper.unload());

  it("has the thread find exactly what this one would", async () => {
    await load();
    const samples = passage(0);
    give(samples);
    await arrived(samples.length);
    const products = samples.filter(isOccupied);
    const found = out.map(({ payload }) => payload).filter((payload) => isSample(payload));
    const productId = found.find(({ role }) => role === "product")?.productId;
    assert.ok(productId);
    assert.deepEqual(
      found.filter((sample) => sample.productId !== undefined),
      synchronously(products, productId),
    );
    assert.equal(found.length, samples.length);
  });

  it("leaves the event loop to others meanwhile", async () => {
    await load();
    const [first, second] = [passage(0), passage(100)];
    give(first);
    await arrived(first.length); // the thread runs
    give(second.slice(0, -1));
    const beside = await ticksDuring(async () => {
      give(second.slice(-1));
      await arrived(first.length + second.length);
    });
    const within = await ticksDuring(() => synchronously(second.filter(isOccupied)));
    assert.equal(within, 0);
    assert.ok(beside >= 20, `${beside} ticks`);
  });

  it("gives way to it when there are not processors enough", async function () {
    // Nothing is nicer than 19.
    if (process.platform !== "linux" || niceness("/proc/self/stat") >= 19) this.skip();
    await load();
    const samples = passage(0);
    give(samples);
    await arrived(samples.length);
    const ofThreads = readdirSync("/proc/self/task").map((id) => niceness(`/proc/self/task/${id}/stat`));
    const ofMain = niceness("/proc/self/stat");
    assert.ok(ofThreads.some((one) => one > ofMain));
  });

  it("keeps the order of everything behind a product that is being analysed", async () => {
    await load();
    const [one, two] = [passage(0, "D1"), passage(0, "D2")];
    const single = sampleOf(0, 3.5, "SQAL");
    const sqal: Sample = { ...single, vl53l8ch: { frame: frameOf(3.5), features: { dialect: "sqal" } } };
    const record = { quarantine: true };
    // Each closes with its last frame; what passes at once comes in while the first is being analysed.
    give([...one.slice(0, -1), ...two.slice(0, -1), ...one.slice(-1), sqal, record, ...two.slice(-1)]);
    await arrived(one.length + two.length + 2);
    const uids = (samples: readonly Sample[]) => samples.map(({ sampleUid }) => sampleUid);
    assert.deepEqual(
      out.map(({ payload }) => (isSample(payload) ? payload.sampleUid : payload)),
      [...uids(one), ...uids([sqal]), record, ...uids(two)],
    );
    assert.deepEqual(
      finished,
      out.map(({ entryId }) => entryId),
    );
  });

  it("quarantines the product the thread died over, and goes on with a new thread", async () => {
    await load();
    const lease = acquireProductThreads();
    const thread = await lease.value;
    const [one, two] = [passage(0, "D1"), passage(0, "D2")];
    give([...one, ...two]);
    while (!thread.isBusy) await setImmediate();
    thread.kill("was shot");
    await arrived(one.length + two.length);
    lease.release();
    const records = out.flatMap(({ payload }) => (isQuarantineRecord(payload) ? [payload] : []));
    assert.equal(records.length, one.filter(isOccupied).length);
    for (const { reason, detail, deviceId } of records) {
      assert.deepEqual([reason, deviceId], ["product-failed", "D1"]);
      assert.match(detail, /was shot/);
    }
    const products = out.flatMap(({ payload }) => (isSample(payload) && payload.role === "product" ? [payload] : []));
    assert.deepEqual(
      products.map(({ deviceId }) => deviceId),
      ["D2"],
    );
    assert.equal(new Set(finished).size, one.length + two.length);
    assert.equal(finished.length, one.length + two.length);
  });

  it("waits for the analysis when it closes", async () => {
    let analyses = 0;
    await load(
      stub(async ({ looks, context }) => {
        await setImmediate();
        analyses += 1;
        const [look] = looks;
        assert.ok(look);
        return { shape: spec.analyseShape(look.frame, {}, context) };
      }),
    );
    const samples = passage(0).filter(isOccupied);
    give(samples);
    await helper.unload();
    assert.equal(analyses, 1);
    assert.deepEqual(
      finished,
      samples.map((_, entry) => String(entry)),
    );
  });

  it("hands back unsettled, once, what an analysis that does not end holds when it closes", async () => {
    let answer: () => void = assert.fail;
    await load(
      stub(
        () =>
          new Promise((resolve) => {
            answer = () => resolve({});
          }),
      ),
    );
    const samples = passage(0);
    give(samples);
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const closed = helper.unload();
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
      assert.deepEqual(finished, []);
      mock.timers.tick(10_000);
      await closed;
    } finally {
      mock.timers.reset();
    }
    answer();
    await setImmediate();
    assert.deepEqual(
      finished,
      samples.map((_, entry) => String(entry)),
    );
    assert.deepEqual(out, []);
  });
});
