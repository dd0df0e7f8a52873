import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");

function run(program: string, ...parameters: string[]): void {
  const { status, stdout, stderr } = spawnSync(program, parameters, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, `${program} ${parameters.join(" ")}\n${stdout}${stderr}`);
}

describe("the house", function () {
  this.timeout(120_000);

  it("is linted and formatted", () => run(process.execPath, "scripts/biome.mjs", "check", "--error-on-warnings"));
  it("type-checks: nodes, dashboards, scripts, tests", () =>
    run(process.execPath, "node_modules/typescript-7/bin/tsc", "-b"));
  it("type-checks its Vue components", () =>
    run("node_modules/.bin/vue-tsc", "--noEmit", "-p", "dashboards/src/tsconfig.json"));

  it("documents every variable it reads, in the README and in .env.example", () => {
    const read = (pattern: string) =>
      globSync(pattern, { cwd: root })
        .filter((file) => !file.endsWith(".test.ts"))
        .map((file) => readFileSync(path.join(root, file), "utf8"))
        .join("\n");
    const names = new Set([
      ...[...read("flows/*.json").matchAll(/\$\{([A-Z][A-Z_]+)\}/g)].map((match) => match[1] ?? ""),
      ...[...read("distribution/*.ts").matchAll(/(?:(?:text|port|id|number)\("|env\.)([A-Z][A-Z_]+)/g)].map(
        (match) => match[1] ?? "",
      ),
    ]);
    assert.ok(names.size > 15);
    for (const file of ["README.md", ".env.example"]) {
      const documented = readFileSync(path.join(root, file), "utf8");
      for (const name of names) assert.match(documented, new RegExp(`\\b${name}\\b`), `${name} is not in ${file}`);
    }
  });

  it("names no registry and no machine's path in what it ships", () => {
    for (const file of ["package.json", "nodes/package.json", "dashboards/package.json", "package-lock.json"])
      assert.doesNotMatch(
        readFileSync(path.join(root, file), "utf8"),
        /registry\.|https?:\/\/[^"]*\.tgz|"\/(home|root|work|tmp)\//,
      );
  });
});
