// Compiles the two workspaces and lays their editor files, locales and SQL beside the JavaScript.
// `--if-stale` does nothing when no source changed since the last build.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
process.chdir(root);
const stampFile = "nodes/dist/.build-stamp";

const ASSETS = /\.(html|json|sql|svg|png|md)$/;
const skip = (file) => /(^|\/)(dist|node_modules|resources)(\/|$)/.test(file);
const filesOf = (workspace) =>
  globSync(`${workspace}/**/*`, { exclude: (name) => skip(String(name)) })
    .filter((file) => !skip(file) && statSync(file).isFile())
    .sort();

function stamp() {
  const hash = createHash("sha256");
  for (const file of [
    ...filesOf("nodes"),
    ...filesOf("dashboards"),
    ...globSync("types/**/*.d.ts").sort(),
    "tsconfig.base.json",
    "package-lock.json",
    "scripts/build.mjs",
  ]) {
    if (file.endsWith(".test.ts")) continue;
    hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

function run(program, parameters, cwd = root) {
  const { status } = spawnSync(program, parameters, { stdio: "inherit", cwd });
  if (status === 0) return;
  console.error("FoieFlow: the build failed; the messages above say where.");
  process.exit(1);
}

const wanted = stamp();
const fresh =
  process.argv.includes("--if-stale") && existsSync(stampFile) && readFileSync(stampFile, "utf8") === wanted;
if (!fresh) {
  console.log("FoieFlow: building …");
  const started = Date.now();
  const bin = (name) => path.join(root, "node_modules/.bin", name);
  rmSync(stampFile, { force: true });
  run(process.execPath, ["node_modules/typescript-7/bin/tsc", "-b", "nodes", "dashboards"]);
  for (const workspace of ["nodes", "dashboards"]) {
    for (const file of filesOf(workspace)) {
      const inside = path.relative(workspace, file);
      if (!ASSETS.test(inside) || /^(src|examples)\//.test(inside) || !inside.includes("/")) continue;
      const target = path.join(workspace, "dist", inside);
      mkdirSync(path.dirname(target), { recursive: true });
      cpSync(file, target);
    }
  }
  // The API's viewer: browser files only, so that the palette needs no further package where it is installed.
  for (const file of ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"]) {
    mkdirSync("nodes/dist/api/viewer", { recursive: true });
    cpSync(path.join("node_modules/swagger-ui-dist", file), path.join("nodes/dist/api/viewer", file));
  }
  if (existsSync("dashboards/vite.config.ts")) {
    run(bin("vite"), ["build", "--config", "vite.config.ts", "--logLevel", "warn"], path.join(root, "dashboards"));
  }
  writeFileSync(stampFile, wanted);
  console.log(`FoieFlow: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
