import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { formatFlowFile } from "./flow-files.ts";
import { FlowStore } from "./flow-store.ts";
import { repairFiles, repairFlows } from "./repair.ts";

const AT = new Date("2026-01-02T03:04:05.678Z");
const KEPT = "damaged/2026-01-02T03-04-05-678Z";

describe("repair at start", () => {
  let directory: string;
  const put = (file: string, text: string | Buffer, mode = 0o600) => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), text, { mode });
  };
  const get = (file: string) => readFileSync(path.join(directory, file), "utf8");

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "repair-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("leaves what is whole, and a directory that is not there", () => {
    put("secrets.json", '{"a":1}');
    put("node-red/.config.nodes.json", "{}");
    put("node-red/lib/flows/half.json", "{");
    put("database/lock.sqlite", "");
    assert.deepEqual(repairFiles(directory, AT), []);
    assert.deepEqual(repairFiles(path.join(directory, "none"), AT), []);
    assert.ok(!existsSync(path.join(directory, "damaged")));
  });

  for (const [name, content] of [
    ["empty", ""],
    ["cut", '{"nodes": {"a": ['],
    ["zeroed", Buffer.alloc(64)],
    ["of another kind", "null"],
  ] as const)
    it(`sets aside a file that is ${name}`, () => {
      put("node-red/.config.nodes.json", content);
      put("node-red/context/global/global.json", content);
      const repairs = repairFiles(directory, AT);
      assert.deepEqual(
        repairs.map(({ code, file }) => [code, file]),
        [
          ["set-aside", "node-red/.config.nodes.json"],
          ["set-aside", "node-red/context/global/global.json"],
        ],
      );
      assert.ok(repairs[0]?.message.includes(`${KEPT}/node-red/.config.nodes.json`));
      assert.equal(get(`${KEPT}/node-red/.config.nodes.json`), content.toString());
      assert.ok(!existsSync(path.join(directory, "node-red/.config.nodes.json")));
    });

  it("puts the last good copy in place, Node-RED's and ours, as private as it was", () => {
    put("secrets.json", '{"a":1}');
    put("node-red/flows_cred.json", "{");
    put("node-red/.flows_cred.json.backup", '{"$":"x"}');
    put("node-red/.config.users.json", "");
    put("node-red/.config.users.json.backup", '{"b":2}');
    assert.deepEqual(
      repairFiles(directory, AT).map(({ code }) => code),
      ["restored-copy", "restored-copy"],
    );
    assert.equal(get("node-red/flows_cred.json"), '{"$":"x"}');
    assert.equal(get("node-red/.config.users.json"), '{"b":2}');
    put("secrets.json", "");
    const [repair] = repairFiles(directory, new Date(AT.getTime() + 1));
    assert.equal(repair?.code, "restored-copy");
    assert.equal(get("secrets.json"), '{"a":1}');
    assert.equal(statSync(path.join(directory, "secrets.json")).mode & 0o777, 0o600);
  });

  it("frees a lock that could never be taken again", () => {
    put("database/lock.sqlite", "garbage");
    put("inbox/lock.sqlite", "");
    assert.deepEqual(
      repairFiles(directory, AT).map(({ file }) => file),
      ["database/lock.sqlite"],
    );
  });

  it("replaces a damaged flow by the release's, and says which it cannot replace", () => {
    const release = new Map([["10-ingest.json", [{ id: "tab", type: "tab", label: "shipped" }]]]);
    const store = new FlowStore(path.join(directory, "flows"));
    store.follow(release);
    put("flows/10-ingest.json", '[{"id":"tab"');
    put("flows/60-own.json", "");
    const repairs = repairFlows(directory, release, AT);
    assert.deepEqual(
      repairs.map(({ code, file }) => [code, file]),
      [
        ["restored-release", "flows/10-ingest.json"],
        ["set-aside", "flows/60-own.json"],
      ],
    );
    assert.equal(get("flows/10-ingest.json"), formatFlowFile(release.get("10-ingest.json") ?? []));
    assert.deepEqual(store.follow(release), { updated: [], kept: [] });
    assert.deepEqual(readdirSync(path.join(directory, KEPT, "flows")), ["10-ingest.json", "60-own.json"]);
  });

  it("keeps a bounded number of what it set aside", () => {
    for (let n = 0; n < 25; n += 1) {
      put("devices.json", "{");
      repairFiles(directory, new Date(AT.getTime() + n));
    }
    const kept = readdirSync(path.join(directory, "damaged"));
    assert.equal(kept.length, 20);
    assert.ok(kept.includes("2026-01-02T03-04-05-702Z"));
  });
});
