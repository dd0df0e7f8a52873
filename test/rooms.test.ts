import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");

/**
 * Which rooms a room's pure modules may import from (design: the data's way runs one way). `host` holds what every
 * adapter shares; `host/errors.ts` alone is pure and open to all.
 */
const PURE: Record<string, string[]> = {
  sample: [],
  device: ["sample"],
  vl53l8ch: ["sample"],
  as7341: ["sample"],
  grade: ["sample", "vl53l8ch", "as7341"],
  calibration: ["sample"],
  product: ["sample"],
  lot: ["sample"],
  report: ["sample"],
  spc: [],
  api: ["sample", "lot", "report", "spc", "alarm"],
  alarm: ["sample"],
};

/** Modules of other rooms that a pure room may import besides: each sensor room's one entry for raw bytes, the shape of figures. */
const ENTRIES: Record<string, string[]> = {
  device: ["nodes/vl53l8ch/read-tof.ts", "nodes/as7341/read-spectral.ts"],
  // The shape of the health figures that alarm rules watch: types only.
  alarm: ["nodes/health/snapshot.ts"],
};

/** Which rooms a room's adapters (nodes, services) may import from besides. */
const ADAPTERS: Record<string, string[]> = {
  host: ["sample"],
  inbox: ["sample", "host"],
  broker: ["sample", "host", "inbox", "device"],
  device: ["sample", "host", "inbox"],
  vl53l8ch: ["sample", "host", "grade"],
  as7341: ["sample", "host", "grade"],
  grade: ["sample", "host", "vl53l8ch", "as7341"],
  product: ["sample", "host"],
  timescaledb: ["sample", "host", "inbox"],
  calibration: ["sample", "host", "inbox", "timescaledb", "as7341"],
  audit: ["sample", "host", "timescaledb"],
  health: ["sample", "host", "inbox", "timescaledb"],
  lot: ["sample", "host", "inbox", "timescaledb"],
  alarm: ["sample", "host", "inbox", "timescaledb", "health", "broker"],
  quarantine: ["sample", "host", "inbox", "timescaledb", "device"],
  report: ["sample", "host"],
  api: ["sample", "host", "inbox", "timescaledb", "broker", "lot", "report", "spc", "calibration", "alarm"],
};

/** Libraries and platform modules that pure code must not know. */
const IMPURE = /^(node-red|pg|mqtt|aedes|ws|postgrator|node:(fs|fs\/promises|net|http|worker_threads|child_process))$/;

interface Module {
  file: string;
  room: string;
  imports: { from: string; typeOnly: boolean }[];
  /** A node file or something only node files use: it registers a type or touches Node-RED. */
  adapter: boolean;
}

function importsOf(text: string): Module["imports"] {
  const found: Module["imports"] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"/gm))
    found.push({ from: match[2] ?? "", typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(/(?:^import\s+|\bimport\()"([^"]+)"/gm))
    found.push({ from: match[1] ?? "", typeOnly: false });
  return found;
}

const modules: Module[] = globSync("nodes/*/**/*.ts", { cwd: root })
  .filter((file) => !/\.test\.ts$|\/dist\/|\/node_modules\//.test(file) && !/^nodes\/(dist|node_modules)\//.test(file))
  .map((file) => {
    const text = readFileSync(path.join(root, file), "utf8");
    const imports = importsOf(text);
    return {
      file,
      room: file.split("/")[1] ?? "",
      imports,
      adapter:
        imports.some(({ from }) => from === "node-red") ||
        imports.some(({ from }) => /\/host\/(?!errors\.ts)/.test(from)),
    };
  });

describe("the rooms of the house", () => {
  it("are all named in the rules, and each pure room has modules", () => {
    const rooms = new Set(modules.map(({ room }) => room));
    for (const room of rooms)
      assert.ok(room in PURE || room in ADAPTERS, `nodes/${room} is not in the rules of test/rooms.test.ts`);
    for (const room of Object.keys(PURE))
      assert.ok(
        modules.some((module) => module.room === room && !module.adapter),
        `nodes/${room} has no pure module`,
      );
  });

  for (const module of modules) {
    it(`${module.file} imports only along the data's way`, () => {
      const pure = module.room in PURE && !module.adapter;
      const allowed = pure ? (PURE[module.room] ?? []) : (ADAPTERS[module.room] ?? []);
      for (const { from, typeOnly } of module.imports) {
        if (pure) assert.ok(typeOnly || !IMPURE.test(from), `pure module imports ${from}`);
        if (!from.startsWith(".")) continue;
        const target = path.posix.join(path.posix.dirname(module.file), from);
        const room = target.split("/")[1] ?? "";
        if (target === "nodes/host/errors.ts" || room === module.room) continue;
        if (pure && ENTRIES[module.room]?.includes(target)) continue;
        assert.ok(allowed.includes(room), `${module.room} must not import ${target}${pure ? " (pure)" : ""}`);
      }
    });
  }

  it("keeps the tests of the rules honest: the scanner sees the imports that are there", () => {
    assert.deepEqual(
      importsOf(
        'import type { A } from "../a.ts";\nimport {\n  b,\n} from "./b.ts";\nimport "./c.ts";\nexport * from "./d.ts";',
      ),
      [
        { from: "../a.ts", typeOnly: true },
        { from: "./b.ts", typeOnly: false },
        { from: "./d.ts", typeOnly: false },
        { from: "./c.ts", typeOnly: false },
      ],
    );
  });
});
