import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { formatFlowFile, parseFlowFile } from "./flow-files.ts";
import { FlowStore } from "./flow-store.ts";

const tab = (id: string, label: string) => ({ id, type: "tab", label });
const inject = (id: string, z: string, name = "") => ({ id, type: "inject", z, name, x: 1, y: 1, wires: [[]] });

describe("flow store", () => {
  let directory: string;
  const names = () =>
    readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .sort();
  const text = (name: string) => readFileSync(path.join(directory, name), "utf8");

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "flows-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("keeps one file per tab, and configuration nodes apart", () => {
    const store = new FlowStore(directory);
    store.write([tab("a", "Réception"), inject("n", "a"), tab("b", "Grade"), { id: "c", type: "mqtt-broker" }]);
    assert.deepEqual(names(), ["00-config.json", "10-reception.json", "20-grade.json"]);
    assert.deepEqual(
      store.read().map((node) => node.id),
      ["c", "a", "n", "b"],
    );
  });

  it("writes nothing when a deploy changes nothing, and only what changed otherwise", () => {
    const store = new FlowStore(directory);
    const flow = [tab("a", "A"), inject("n", "a"), tab("b", "B")];
    store.write(flow);
    assert.deepEqual(store.write([...flow].reverse().reverse()), []);
    assert.deepEqual(store.write([tab("a", "A"), inject("n", "a", "renamed"), tab("b", "B")]), ["10-a.json"]);
  });

  it("keeps a renamed tab in its file and removes the file of a deleted tab", () => {
    const store = new FlowStore(directory);
    store.write([tab("a", "A"), tab("b", "B")]);
    store.write([tab("a", "Another name")]);
    assert.deepEqual(names(), ["10-a.json"]);
  });

  it("remembers the order the engineer gave the tabs", () => {
    const store = new FlowStore(directory);
    store.write([tab("a", "A"), tab("b", "B"), tab("c", "C")]);
    store.write([tab("c", "C"), tab("a", "A"), tab("b", "B")]);
    assert.deepEqual(
      new FlowStore(directory).read().map((node) => node.id),
      ["c", "a", "b"],
    );
  });

  it("finishes a deploy that was cut off after its journal, and forgets one cut off before", () => {
    new FlowStore(directory).write([tab("a", "A"), tab("b", "B")]);
    writeFileSync(path.join(directory, "10-a.json.new"), formatFlowFile([tab("a", "A2")]));
    new FlowStore(directory);
    assert.match(text("10-a.json"), /"A"/, "no journal: the old flow stays");

    writeFileSync(path.join(directory, "10-a.json.new"), formatFlowFile([tab("a", "A2")]));
    writeFileSync(path.join(directory, "20-b.json.new"), formatFlowFile([tab("b", "B2")]));
    writeFileSync(
      path.join(directory, ".deploy.json"),
      JSON.stringify([
        { name: "10-a.json", remove: false },
        { name: "20-b.json", remove: false },
      ]),
    );
    new FlowStore(directory);
    assert.match(text("10-a.json"), /A2/);
    assert.match(text("20-b.json"), /B2/);
    assert.deepEqual(readdirSync(directory).sort(), ["10-a.json", "20-b.json"]);
  });

  it("writes none of the files when one of them cannot be written", () => {
    const store = new FlowStore(directory);
    store.write([tab("a", "A"), tab("b", "B")]);
    const circular: Record<string, unknown> = { id: "n", type: "inject", z: "b" };
    circular.self = circular;
    assert.throws(() => store.write([tab("a", "changed"), tab("b", "B"), circular as never]));
    assert.match(text("10-a.json"), /"A"/);
  });

  it("refuses a file that is not a flow, naming it", () => {
    assert.throws(() => parseFlowFile("x.json", "{"), /x\.json is not JSON/);
    assert.throws(() => parseFlowFile("x.json", "[{}]"), /entry 0/);
  });

  describe("following a release", () => {
    const shipped = (label: string) => new Map([["10-a.json", [tab("a", label)]]]);

    it("seeds a new site, and updates what the site did not touch", () => {
      const store = new FlowStore(directory);
      assert.deepEqual(store.follow(shipped("v1")), { updated: ["10-a.json"], kept: [] });
      assert.deepEqual(store.follow(shipped("v1")), { updated: [], kept: [] });
      assert.deepEqual(store.follow(shipped("v2")), { updated: ["10-a.json"], kept: [] });
      assert.match(text("10-a.json"), /v2/);
    });

    it("keeps what the site changed and says so until it is settled", () => {
      const store = new FlowStore(directory);
      store.follow(shipped("v1"));
      store.write([tab("a", "ours")]);
      assert.deepEqual(store.follow(shipped("v1")), { updated: [], kept: [] });
      assert.deepEqual(store.follow(shipped("v2")), { updated: [], kept: ["10-a.json"] });
      assert.deepEqual(store.follow(shipped("v2")), { updated: [], kept: ["10-a.json"] });
      assert.match(text("10-a.json"), /ours/);
      store.write([tab("a", "v1")]);
      assert.deepEqual(store.follow(shipped("v2")), { updated: ["10-a.json"], kept: [] });
    });

    it("leaves a tab deleted that the site deleted, and drops one the release dropped", () => {
      const store = new FlowStore(directory);
      store.follow(new Map([...shipped("v1"), ["20-b.json", [tab("b", "B")]]]));
      store.write([tab("b", "B")]);
      assert.deepEqual(store.follow(new Map([...shipped("v2"), ["20-b.json", [tab("b", "B")]]])).updated, []);
      assert.deepEqual(names(), ["20-b.json"]);
      store.follow(shipped("v2"));
      assert.deepEqual(names(), []);
    });
  });
});
