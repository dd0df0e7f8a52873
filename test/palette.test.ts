import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const LANGUAGES = ["en-US", "fr"] as const;

interface NodeFile {
  workspace: string;
  name: string;
  /** Source folder and base name of the node. */
  folder: string;
  base: string;
}

const nodeFiles: NodeFile[] = ["nodes", "dashboards"].flatMap((workspace) => {
  const manifest = JSON.parse(readFileSync(path.join(root, workspace, "package.json"), "utf8"));
  return Object.entries<string>(manifest["node-red"].nodes).map(([name, file]) => {
    const source = file.replace(/^dist\//, "").replace(/\.js$/, "");
    return { workspace, name, folder: path.join(root, workspace, path.dirname(source)), base: path.basename(source) };
  });
});

function keys(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null) return [prefix];
  return Object.entries(value)
    .flatMap(([key, inner]) => keys(inner, prefix ? `${prefix}.${key}` : key))
    .sort();
}

describe("the palette", () => {
  it("has nodes in both workspaces", () => {
    assert.ok(nodeFiles.some(({ workspace }) => workspace === "nodes"));
    assert.ok(nodeFiles.some(({ workspace }) => workspace === "dashboards"));
  });

  for (const { workspace, name, folder, base } of nodeFiles) {
    describe(`${workspace}/${name}`, () => {
      const read = (file: string) => readFileSync(path.join(folder, file), "utf8");

      it("has runtime, editor, labels and help in every language", () => {
        for (const file of [`${base}.ts`, `${base}.html`])
          assert.ok(existsSync(path.join(folder, file)), `${file} is missing`);
        for (const language of LANGUAGES)
          for (const ending of ["json", "html"])
            assert.ok(existsSync(path.join(folder, "locales", language, `${base}.${ending}`)), `${language} ${ending}`);
      });

      it("says the same things in every language", () => {
        const [english, french] = LANGUAGES.map((language) =>
          keys(JSON.parse(read(`locales/${language}/${base}.json`))),
        );
        assert.deepEqual(french, english);
        for (const language of LANGUAGES) assert.match(read(`locales/${language}/${base}.html`), /data-help-name="/);
      });

      it("carries a version in its saved configuration", () => {
        assert.match(read(`${base}.html`), /version:\s*\{\s*value:\s*\d+/);
      });

      it("uses only labels that exist", () => {
        const labels = new Set(keys(JSON.parse(read(`locales/en-US/${base}.json`))));
        for (const match of read(`${base}.html`).matchAll(/data-i18n="(?:\[[^\]]*\])?([^"]+)"/g))
          for (const key of (match[1] ?? "").split(";").map((part) => part.replace(/^\[[^\]]*\]/, ""))) {
            if (key.includes(":")) continue; // a label of Node-RED itself
            assert.ok(labels.has(key), `${key} has no label`);
          }
      });
    });
  }
});

describe("the shipped flows", () => {
  const files = globSync("flows/*.json", { cwd: root }).sort();
  const flow = files.flatMap((file) =>
    JSON.parse(readFileSync(path.join(root, file), "utf8")).map((node: object) => ({ ...node, file })),
  );
  const ids = new Set(flow.map((node) => node.id));
  const CONFIG =
    /^(tab|subflow|group|ui-base|ui-page|ui-group|ui-theme|serial-port|foieflow-(site|timescaledb|grade-spec))$/;

  it("exist", () => assert.ok(files.length >= 5));

  it("have unique ids, and positions on every wired node", () => {
    assert.equal(ids.size, flow.length);
    for (const node of flow) {
      if (CONFIG.test(node.type)) continue;
      assert.ok(
        node.z && typeof node.x === "number" && typeof node.y === "number",
        `${node.file}: ${node.id} (${node.type}) has no z, x or y`,
      );
    }
  });

  it("wire and link only to nodes that exist", () => {
    for (const node of flow) {
      for (const target of [...(node.wires ?? []).flat(), ...(node.links ?? [])])
        assert.ok(ids.has(target), `${node.file}: ${node.id} leads to ${target}`);
      if (node.z) assert.ok(ids.has(node.z), `${node.file}: ${node.id} lies on ${node.z}`);
    }
  });

  it("are linked from both ends, as the editor shows them", () => {
    const links = new Map(flow.filter((node) => node.links).map((node) => [node.id, node.links as string[]]));
    for (const [id, targets] of links)
      for (const target of targets) assert.ok(links.get(target)?.includes(id), `${target} does not know of ${id}`);
  });

  it("have no node whose id is a word of another node's configuration", () => {
    // Node-RED takes any value equal to a node's id for a dependency on that node.
    for (const node of flow)
      for (const [property, value] of Object.entries(node))
        if (property !== "id" && value === node.id)
          assert.fail(`${node.file}: ${node.id} stands in its own ${property}`);
    for (const word of ["site", "line", "database", "serial-port", "site-1", "line-1"]) assert.ok(!ids.has(word), word);
  });

  it("hold no secret and no machine's path", () => {
    for (const file of files) {
      const text = readFileSync(path.join(root, file), "utf8");
      assert.doesNotMatch(text, /password"\s*:\s*"[^"]|"\/(home|root|work|tmp)\//i, file);
    }
  });
});
