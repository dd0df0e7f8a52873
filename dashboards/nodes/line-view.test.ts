import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { sampleFiguresOf } from "@foieflow/node-red-foieflow/sample/figures.js";
import type { NodeAPI } from "node-red";
import helper from "node-red-node-test-helper";
import lineViewNode from "./line-view.ts";
import type { ViewSection } from "./view.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const SETTINGS = { siteId: "site-1", lineId: "line-1", timeZone: "Europe/Paris", shifts: [] };
const SAMPLE = {
  sampleUid: "uid-1",
  sampleId: "s-1",
  deviceId: "dev-1",
  siteId: "site-1",
  lineId: "line-1",
  transport: "mqtt",
  isHistorical: false,
  shift: "",
  productionDay: "2026-11-22",
  grade: {
    grade: "A",
    score: 0.8,
    scoreGrade: "A",
    vetoes: [],
    reasons: [],
    metrics: {},
    specId: "sqal",
    specVersion: "1",
  },
};

/** Stand-ins for the two config nodes of the other package, by the shape the line view reads. */
function configNodes(database: unknown) {
  return (RED: NodeAPI) => {
    RED.nodes.registerType("test-site", function (this: object, config: object) {
      RED.nodes.createNode(this as never, config as never);
      Object.assign(this, { settings: SETTINGS, inbox: { stats: () => ({ waiting: 4, quarantined: 2 }) } });
    } as never);
    RED.nodes.registerType("test-database", function (this: object, config: object) {
      RED.nodes.createNode(this as never, config as never);
      Object.assign(this, { database: { value: Promise.resolve(database) } });
    } as never);
  };
}

const FLOW = [
  { id: "tab", type: "tab", label: "test" },
  { id: "site", type: "test-site" },
  { id: "database", type: "test-database" },
  {
    id: "view",
    type: "foieflow-line-view",
    z: "tab",
    site: "site",
    database: "database",
    maxRateHz: 10,
    x: 1,
    y: 1,
    wires: [["out"], ["out"], ["out"], ["out"], ["out"]],
  },
  { id: "out", type: "helper", z: "tab", x: 2, y: 1 },
];

async function started(database: unknown) {
  await helper.load([configNodes(database), lineViewNode] as never, FLOW as never);
  const view = helper.getNode("view");
  const sections: ViewSection[] = [];
  const waiters: (() => void)[] = [];
  helper.getNode("out").on("input", (msg) => {
    sections.push(msg.payload as ViewSection);
    for (const wake of waiters.splice(0)) wake();
  });
  /** The first section, seen or to come, that fits. */
  const until = async <S extends ViewSection["section"]>(
    name: S,
    fits: (section: Extract<ViewSection, { section: S }>) => boolean,
  ) => {
    for (;;) {
      const found = sections.find((section) => section.section === name && fits(section as never));
      if (found) return found as Extract<ViewSection, { section: S }>;
      await new Promise<void>((resolve) => waiters.push(resolve));
    }
  };
  return { view, until };
}

describe("foieflow-line-view", () => {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  const now = () => new Date().toISOString();
  const silent = { query: () => Promise.resolve({ rows: [] }) };

  it("turns a stored sample into the live section, the rows and a device", async () => {
    const { view, until } = await started(silent);
    view.receive({
      stored: true,
      topic: "site-1/line-1/dev-1",
      payload: { ...SAMPLE, measuredAt: now(), receivedAt: now() },
    });
    const live = await until("live", (section) => section.product !== null);
    assert.equal(live.product?.grade, "A");
    assert.equal(live.view, "site-1/line-1");
    assert.equal((await until("samples", (section) => section.rows.length > 0)).rows[0]?.uid, "uid-1");
    assert.equal((await until("devices", (section) => section.devices.length > 0)).devices[0]?.transport, "mqtt");
  });

  it("shows a graded product at once, and lists it when it is stored", async () => {
    const { view, until } = await started(silent);
    const payload = { ...SAMPLE, measuredAt: now(), receivedAt: now() };
    view.receive({ payload });
    await until("live", (section) => section.product !== null);
    assert.equal((await until("samples", () => true)).rows.length, 0);
    view.receive({ payload: sampleFiguresOf(payload as never) } as never);
    assert.equal((await until("samples", (section) => section.rows.length > 0)).rows[0]?.uid, "uid-1");
  });

  it("answers an inspection, and passes over what it does not know", async () => {
    const { view, until } = await started(silent);
    view.receive({ stored: true, payload: { ...SAMPLE, measuredAt: now(), receivedAt: now() } });
    for (const payload of [null, 7, "x", { rows: 3 }, { action: "sample.inspect" }, { event: 7 }])
      view.receive({ payload });
    view.receive({ payload: { action: "sample.inspect", uid: "uid-1" } });
    const answer = await until("samples", (section) => section.inspected !== undefined);
    assert.equal(answer.inspected?.sampleId, "s-1");
  });

  it("takes device events of its own line only", async () => {
    const { view, until } = await started(silent);
    view.receive({ topic: "site-1/line-2/dev-8", payload: { event: "hello", deviceId: "dev-8", transport: "serial" } });
    view.receive({ topic: "site-1/line-1/dev-9", payload: { event: "hello", transport: "serial", firmware: "1.2.3" } });
    const { devices } = await until("devices", (section) => section.devices.length > 0);
    assert.deepEqual(
      devices.map(({ id, firmware }) => [id, firmware]),
      [["dev-9", "1.2.3"]],
    );
  });

  it("says in the heartbeat how the database and the inbox are", async () => {
    const { until } = await started({ state: () => "away", pool: silent });
    const state = await until("state", (section) => section.database === "down");
    assert.equal(state.waiting, 4);
    assert.equal(state.quarantined, 2);
    assert.equal(state.site, "site-1");
  });

  it("counts what the database has of the shift", async () => {
    const rows = [{ final_grade: "A+", products: 31, newest: null }];
    const query = (text: string) => Promise.resolve({ rows: /GROUP BY/.test(text) ? rows : [] });
    const { until } = await started({ state: () => "ready", pool: { query } });
    const shift = await until("shift", (section) => section.complete);
    assert.equal(shift.counts["A+"], 31);
    assert.equal((await until("state", (section) => section.database === "up")).database, "up");
  });

  it("says that the database is down when it does not answer, and unknown while it opens", async () => {
    const failing = await started({ query: () => Promise.reject(new Error("gone")) });
    assert.equal((await failing.until("state", (section) => section.database === "down")).database, "down");
    await helper.unload();
    const opening = await started({ state: () => "connecting", pool: silent });
    assert.equal((await opening.until("state", () => true)).database, "unknown");
  });
});
