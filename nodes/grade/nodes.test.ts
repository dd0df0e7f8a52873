import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { type Capture, capturedSamples, differences } from "../../test/sqal-captures.ts";
import { nextMessage, nodeOf } from "../../test/support/nodes.ts";
import as7341Node from "../as7341/as7341.ts";
import decodeNode from "../device/decode.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import vl53l8chNode from "../vl53l8ch/vl53l8ch.ts";
import { builtinSpec } from "./builtin.ts";
import gradeNode from "./grade.ts";
import gradeSpecNode from "./grade-spec.ts";

const settings = {
  siteId: "LL",
  lineId: "L1",
  timeZone: "Europe/Paris",
  shifts: [],
  historicalAfterS: 1e9,
  futureToleranceS: 300,
};
/** Stands in for the site's config node, of which `foieflow-decode` reads the settings alone. */
const siteNode: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-site", function (this, config) {
    RED.nodes.createNode(this, config);
    Object.assign(this, { settings });
  });
};
const core = createRequire(import.meta.url);
const catchNode: NodeInitializer = core("@node-red/nodes/core/common/25-catch.js");
const completeNode: NodeInitializer = core("@node-red/nodes/core/common/24-complete.js");
const inits = [catchNode, completeNode, siteNode, gradeSpecNode, decodeNode, vl53l8chNode, as7341Node, gradeNode];

function flow(spec: object = { source: "sqal" }, more: { site?: string } = {}) {
  const nodes: Record<string, unknown>[] = [
    { id: "tab", type: "tab", label: "grade" },
    { id: "site", type: "foieflow-site" },
    { id: "spec", type: "foieflow-grade-spec", version: 1, ...spec },
    { id: "decode", z: "tab", type: "foieflow-decode", site: "site", wires: [["vl"], ["bad"]], ...more },
    { id: "vl", z: "tab", type: "foieflow-vl53l8ch", spec: "spec", wires: [["as"]] },
    { id: "as", z: "tab", type: "foieflow-as7341", spec: "spec", wires: [["grade"]] },
    { id: "grade", z: "tab", type: "foieflow-grade", spec: "spec", wires: [["out"]] },
    { id: "out", z: "tab", type: "helper" },
    { id: "bad", z: "tab", type: "helper" },
    { id: "catch", z: "tab", type: "catch", wires: [["caught"]] },
    { id: "caught", z: "tab", type: "helper" },
    { id: "complete", z: "tab", type: "complete", scope: ["decode", "vl", "as", "grade"], wires: [["completed"]] },
    { id: "completed", z: "tab", type: "helper" },
  ];
  // Without a place on its tab a node counts as a config node.
  return nodes.map((node) => (node.z ? { x: 100, y: 100, ...node } : node));
}

function entryOf(bytes: Buffer) {
  return {
    entryId: "7",
    attempts: 0,
    transport: "mqtt",
    receivedAt: "2026-11-22T11:00:00Z",
    siteId: "LL",
    defaultLineId: "L1",
    bytes,
  };
}

const [first, legacy] = [capturedSamples()[0], capturedSamples().at(-1)] as [Capture, Capture];

describe("the nodes from inbox entry to grade", () => {
  before((done) => void helper.startServer(done));
  after((done) => void helper.stopServer(done));
  afterEach(() => helper.unload());

  for (const capture of [first, legacy]) {
    it(`carry a ${capture.generation} message to its grade`, async () => {
      await helper.load(inits, flow());
      const out = nextMessage("out");
      nodeOf("decode").receive({ entryId: "7", topic: "x", payload: entryOf(capture.bytes) });
      const msg = await out;
      assert.ok(isSample(msg.payload));
      assert.deepEqual([msg.entryId, msg.topic], ["7", `LL/Ligne-A/${msg.payload.deviceId}`]);
      assert.deepEqual(differences(capture, msg.payload), []);
      assert.equal(msg.payload.grade?.specId, "sqal");
    });
  }

  it("send what cannot be read to quarantine by the second output, with its entry", async () => {
    await helper.load(inits, flow());
    const bad = nextMessage("bad");
    nodeOf("decode").receive({ entryId: "7", payload: entryOf(Buffer.from("{")) });
    const { payload, entryId, topic } = await bad;
    assert.ok(isQuarantineRecord(payload));
    assert.deepEqual([payload.reason, entryId, topic], ["not-json", "7", "LL/L1/unknown"]);
  });

  it("say what is missing: an entry, a site, a sample", async () => {
    await helper.load(inits, flow());
    for (const [id, message] of [
      ["decode", "decode.errors.not-an-entry"],
      ["vl", "vl53l8ch.errors.not-a-sample"],
      ["as", "as7341.errors.not-a-sample"],
      ["grade", "grade.errors.not-a-sample"],
    ] as const) {
      const caught = nextMessage("caught");
      nodeOf(id).receive({ payload: "text" });
      assert.match(JSON.stringify(await caught), new RegExp(message));
    }
    await helper.unload();
    await helper.load(inits, flow({ source: "sqal" }, { site: "nowhere" }));
    const caught = nextMessage("caught");
    nodeOf("decode").receive({ payload: entryOf(first.bytes) });
    assert.match(JSON.stringify(await caught), /decode\.errors\.no-site/);
  });

  it("take an edited document as the spec", async () => {
    const document = {
      ...Object(builtinSpec("sqal")),
      id: "mine",
      version: "2.0.1",
      devices: { ESP32_LL_01: "foiegras_bloc" },
    };
    await helper.load(inits, flow({ source: "document", document: JSON.stringify(document) }));
    const out = nextMessage("out");
    nodeOf("decode").receive({ payload: entryOf(first.bytes) });
    const { payload } = await out;
    assert.ok(isSample(payload));
    assert.deepEqual([payload.grade?.specId, payload.grade?.specVersion], ["mine", "2.0.1"]);
    assert.equal(payload.vl53l8ch?.analysis?.zoneSideMm, 31.25);
  });

  it("quarantine samples while the spec is invalid, and let the record pass to the end", async () => {
    await helper.load(inits, flow({ source: "document", document: '{"method":"sqal"}' }));
    const out = nextMessage("out");
    nodeOf("decode").receive({ entryId: "7", payload: entryOf(first.bytes) });
    const { payload, entryId } = await out;
    assert.ok(isQuarantineRecord(payload));
    assert.deepEqual([payload.reason, payload.deviceId, entryId], ["no-spec", "ESP32_LL_01", "7"]);
    assert.deepEqual(payload.bytes, first.bytes);
    const errors = helper.log().args.filter((args) => JSON.stringify(args).includes('"id":"spec"'));
    assert.match(JSON.stringify(errors), /grade-spec\.errors\.invalid/);
  });

  it("quarantine what cannot be graded", async () => {
    await helper.load(inits, flow());
    const out = nextMessage("out");
    const sample = {
      sampleUid: "u",
      sampleId: "s",
      deviceId: "d",
      siteId: "LL",
      lineId: "L1",
      measuredAt: "x",
      receivedAt: "y",
      transport: "serial",
    };
    nodeOf("grade").receive({ entryId: "7", payload: sample });
    const { payload } = await out;
    assert.ok(isQuarantineRecord(payload));
    assert.deepEqual([payload.reason, payload.transport], ["not-analysed", "serial"]);
  });

  it("finish each message once", async () => {
    await helper.load(inits, flow());
    let completed = 0;
    nodeOf("completed").on("input", () => {
      completed += 1;
    });
    const out = nextMessage("out");
    nodeOf("decode").receive({ payload: entryOf(first.bytes) });
    await out;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(completed, 4);
  });

  it("offer the editor the document to start from", async () => {
    await helper.load(inits, flow());
    const get = (id: string) => helper.request().get(`/foieflow/grade-specs/${id}`);
    assert.deepEqual((await get("sqal")).body, builtinSpec("sqal"));
    assert.equal((await get("none")).status, 404);
  });
});
