import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { NodeAPI, NodeMessage } from "node-red";
import helper from "node-red-node-test-helper";
import { SECTIONS, type ViewSection } from "./view.ts";
import widgets, { trim } from "./widgets.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const STAMP = { view: "site-1/line-1", serverMs: 1, timeZone: "Europe/Paris" };
const LIVE: ViewSection = {
  section: "live",
  ...STAMP,
  product: {
    uid: "u",
    sampleId: "s",
    device: "d",
    atMs: 0,
    grade: "A",
    score: 0.8,
    scoreGrade: "A",
    vetoes: [],
    spec: "sqal 1",
    tof: { side: 8, heightMm: [], occupied: "", marks: [] },
    spectrum: { counts: [], reconstructed: [], saturated: [] },
    reasons: [],
  },
};

interface Registered {
  config: { passthru?: boolean };
  events: { beforeSend(msg: NodeMessage): NodeMessage; onAction?: boolean };
}

describe("widgets", () => {
  const registered = new Map<string, Registered>();
  const group = (RED: NodeAPI) => {
    RED.nodes.registerType("test-group", function (this: object, config: object) {
      RED.nodes.createNode(this as never, config as never);
      Object.assign(this, {
        register: (node: { type: string }, nodeConfig: Registered["config"], events: Registered["events"]) =>
          registered.set(node.type, { config: nodeConfig, events }),
      });
    } as never);
  };
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8"));
  const types: string[] = Object.keys(manifest["node-red-dashboard-2"].widgets);

  before(() => helper.startServer());
  after(() => helper.stopServer());
  afterEach(() => helper.unload());

  it("registers a runtime side for every widget the package names", async () => {
    const flow = types.map((type) => ({ id: type, type, z: "tab", group: "cards", x: 1, y: 1, wires: [[]] }));
    await helper.load(
      [group, widgets] as never,
      [{ id: "tab", type: "tab", label: "test" }, { id: "cards", type: "test-group" }, ...flow] as never,
    );
    assert.deepEqual([...registered.keys()].sort(), [...types].sort());
    for (const { config } of registered.values()) assert.equal(config.passthru, false);
  });

  it("lets each widget take its own section and warns of any other", async () => {
    for (const [type, { events }] of registered) {
      const taken = [
        ...SECTIONS,
        "calibration" as const,
        "quarantine" as const,
        "health" as const,
        "alarms" as const,
        "lots" as const,
      ].filter((section) => {
        const payload = section === "live" ? LIVE : { section, ...STAMP };
        try {
          events.beforeSend({ payload } as NodeMessage);
          return true;
        } catch (error) {
          assert.equal((error as { type?: string }).type, "warn");
          return false;
        }
      });
      assert.equal(taken.length, /-(people|audit|lots)$/.test(type) ? 0 : 1, type);
    }
    assert.equal(registered.size, types.length);
  });

  it("passes an operator's action on, from the widgets alone that have one", () => {
    const action = { payload: { action: "sample.inspect", uid: "u" } } as NodeMessage;
    assert.equal(registered.get("ui-foieflow-samples")?.events.beforeSend(action), action);
    assert.equal(registered.get("ui-foieflow-calibration")?.events.beforeSend(action), action);
    assert.throws(() => registered.get("ui-foieflow-grade")?.events.beforeSend(action));
  });

  it("sends a widget only the parts of the product it draws", () => {
    const trimmed = trim(LIVE, ["tof"]);
    assert.ok(trimmed.section === "live" && trimmed.product);
    assert.deepEqual(
      Object.keys(trimmed.product).filter((key) => ["tof", "spectrum", "reasons"].includes(key)),
      ["tof"],
    );
    assert.equal(trimmed.product.grade, "A");
  });
});
