// Makes `npm start` and `npm test` self-sufficient on a fresh clone. Runs on any Node >= 18, before Node 24 is there,
// so it is plain JavaScript without a dependency.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "..");
process.chdir(root);
const npm = process.env.npm_execpath;

function runNpm(args) {
  try {
    // npm_execpath is npm's own script: works without a shell and with the npm that was called.
    if (npm) execFileSync(process.execPath, [npm, ...args], { stdio: "inherit" });
    else execFileSync("npm", args, { stdio: "inherit", shell: process.platform === "win32" });
  } catch {
    console.error("FoieFlow: the dependencies could not be installed; npm says why above.");
    process.exit(1);
  }
}

function installedStamp() {
  return createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
}

const marker = "node_modules/.foieflow-lock";
const installed = existsSync(marker) && readFileSync(marker, "utf8") === installedStamp();
const lockTime = statSync("package-lock.json").mtimeMs;
const treeTime = statSync("node_modules/.package-lock.json", { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (!installed && treeTime < lockTime) {
  console.log("FoieFlow: installing dependencies (first start only, about a minute) …");
  runNpm(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}
if (!installed) writeFileSync(marker, installedStamp());

const node = path.join(root, "node_modules/.bin/node");
const runner = existsSync(node) ? node : process.execPath;
const major = Number(execFileSync(runner, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" }));
if (major < 24) {
  console.error(
    `FoieFlow needs Node 24, which comes with its dependencies on Linux x64 and arm64. ` +
      `On this platform (${process.platform} ${process.arch}) please install Node 24 or newer; this is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
if (process.argv.includes("--build")) {
  const { status } = spawnSync(runner, [path.join(root, "scripts/build.mjs"), "--if-stale"], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
