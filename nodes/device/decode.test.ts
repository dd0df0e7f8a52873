import assert from "node:assert/strict";
import type { NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { rawEnvelope } from "../../test/support/envelopes.ts";
import { nodeOf } from "../../test/support/nodes.ts";
import { figures, MISSING_SAMPLES } from "../host/figures.ts";
import { closeServices, openServices } from "../host/service.ts";
import { isSample } from "../sample/message.ts";
import decodeNode from "./decode.ts";
import { encodeEnvelopeCbor } from "./envelope-encode.ts";

const settings = {
  siteId: "LL",
  lineId: "L1",
  timeZone: "Europe/Paris",
  shifts: [],
  historicalAfterS: 1e9,
  futureToleranceS: 300,
};
const siteNode: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-site", function (this, config) {
    RED.nodes.createNode(this, config);
    Object.assign(this, { settings });
  });
};
const flow = [
  { id: "tab", type: "tab", label: "decode" },
  { id: "site", type: "foieflow-site" },
  {
    id: "decode",
    z: "tab",
    type: "foieflow-decode",
    site: "site",
    x: 1,
    y: 1,
    wires: [["samples"], ["bad"], ["events"]],
  },
  ...["samples", "bad", "events"].map((id) => ({ id, z: "tab", type: "helper", x: 1, y: 1 })),
];

describe("the decode node and numbered samples", () => {
  before((done) => void helper.startServer(done));
  after((done) => void helper.stopServer(done));
  afterEach(async () => {
    await helper.unload();
    await closeServices(openServices());
  });

  function send(seq: number, receivedAt = "2026-11-22T10:24:00.000Z", attempts = 0, t?: string): void {
    const { t: _, ...envelope } = rawEnvelope({ seq });
    if (t !== undefined) Object.assign(envelope, { t });
    const payload = {
      entryId: String(seq),
      attempts,
      transport: "mqtt",
      receivedAt,
      siteId: "LL",
      defaultLineId: "L1",
      bytes: encodeEnvelopeCbor(envelope),
    };
    nodeOf("decode").receive({ entryId: String(seq), payload });
  }

  async function collect(count: number): Promise<Record<"samples" | "events", unknown[]>> {
    const seen: Record<"samples" | "events", unknown[]> = { samples: [], events: [] };
    const came = new Promise<void>((resolve) => {
      for (const id of ["samples", "events"] as const) {
        nodeOf(id).on("input", (msg) => {
          seen[id].push(msg.payload);
          if (seen.samples.length + seen.events.length === count) resolve();
        });
      }
    });
    return came.then(() => seen);
  }

  it("tells of a gap, and of a sample that came late, by the third output", async () => {
    await helper.load([siteNode, decodeNode], flow);
    const seen = collect(6);
    for (const seq of [4, 7, 5, 8]) send(seq);
    const { samples, events } = await seen;
    assert.ok(samples.every(isSample));
    const about = {
      transport: "mqtt",
      at: "2026-11-22T10:24:00.000Z",
      siteId: "LL",
      lineId: "L1",
      deviceId: "ESP32_RAW_01",
      bootId: "17",
    };
    assert.deepEqual(events, [
      { event: "gap", ...about, seq: 7, missing: 2, missingNow: 2 },
      { event: "gap-closed", ...about, seq: 5, missingNow: 1 },
    ]);
    assert.deepEqual(figures(MISSING_SAMPLES), { ESP32_RAW_01: 1 });
  });

  it("remembers a deploy long what came, and when", async () => {
    await helper.load([siteNode, decodeNode], flow);
    const before = collect(1);
    send(4);
    await before;
    await helper.unload();
    await helper.load([siteNode, decodeNode], flow);
    const after = collect(3);
    for (const seq of [4, 6]) send(seq, "2026-11-22T10:25:00.000Z");
    const { samples, events } = await after;
    assert.deepEqual(
      samples.filter(isSample).map(({ seq, measuredAt }) => [seq, measuredAt]),
      [
        [4, "2026-11-22T10:24:00.000Z"],
        [6, "2026-11-22T10:25:00.000Z"],
      ],
    );
    assert.equal(events.length, 1);
  });

  it("marks as historical what was given to the flow before and what came long after a later number", async () => {
    settings.historicalAfterS = 120;
    try {
      await helper.load([siteNode, decodeNode], flow);
      const seen = collect(5);
      const now = (aheadS = 0) => new Date(Date.now() + 1000 * aheadS).toISOString();
      send(20, now());
      send(21, now(), 1);
      send(22, now(), 0, now(200));
      send(19, now(), 0, now());
      send(23, now(), 0, now());
      const { samples } = await seen;
      assert.deepEqual(
        samples.filter(isSample).map(({ seq, isHistorical }) => [seq, isHistorical]),
        [
          [20, false],
          [21, true],
          [22, false],
          [19, true],
          [23, false],
        ],
      );
    } finally {
      settings.historicalAfterS = 1e9;
    }
  });

  it("sends a time to come to quarantine, with its bytes", async () => {
    await helper.load([siteNode, decodeNode], flow);
    const refused = new Promise<unknown>((resolve) => nodeOf("bad").once("input", (msg) => resolve(msg.payload)));
    send(30, new Date().toISOString(), 0, "2100-01-01T00:00:00Z");
    const record = (await refused) as { reason: string; bytes: Buffer };
    assert.equal(record.reason, "future-time");
    assert.ok(record.bytes.length > 1000);
  });
});
