import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/support/ports.ts";
import { envOf, execForm, lastOf, stagesOf } from "./dockerfile.ts";
import { copyContext, fingerprint, takeInstalled } from "./tree.ts";

export interface Trial {
  /** Steps that were taken, for people to read. */
  say(text: string): void;
  /** Run `npm ci`, the build and the prune of the Dockerfile; else this tree's installed packages are taken. */
  full: boolean;
}

/**
 * Does what building and running the image does, without an engine: the build stage's steps in a directory of their
 * own, then the health check's and the start's commands under the image's environment and user, on a tree that user
 * cannot write, with a data directory of its own.
 * @throws Error naming the step that failed
 */
export async function tryImage(root: string, trial: Trial): Promise<void> {
  const [build, run] = stagesOf(readFileSync(path.join(root, "Dockerfile"), "utf8"));
  if (!build || !run) throw new Error("the Dockerfile has not two stages");
  const place = mkdtempSync(path.join(tmpdir(), "foieflow-image-"));
  const app = path.join(place, "app");
  const data = path.join(place, "data");
  mkdirSync(app);
  let child: ChildProcess | undefined;
  try {
    for (const { name, text } of build.instructions) {
      if (name === "COPY") copyContext(root, app, text);
      if (name === "RUN" && trial.full) shell(text, app, trial);
    }
    if (!trial.full) takeInstalled(root, app);
    const user = unprivileged(lastOf(run, "USER"), trial);
    mkdirSync(data, { mode: 0o700 });
    if (user.uid !== undefined && user.gid !== undefined) chownSync(data, user.uid, user.gid);
    spawnSync("chmod", ["0755", place, app]);

    const env: NodeJS.ProcessEnv = {
      ...envOf(run),
      PATH: process.env.PATH,
      HOME: "/nonexistent",
      DATA_DIR: data,
      PORT: String(await freePort()),
      MQTT_PORT: String(await freePort()),
      DEVICE_TOKEN: "trial-device-token",
      FOIEFLOW_ADMIN_PASSWORD: "a-long-trial-phrase",
    };
    const before = fingerprint(app);
    const command = (text: string) => {
      const [program = "", ...parameters] = execForm(text);
      // The image's Node is the one that runs here.
      return { program: program === "node" ? process.execPath : program, parameters };
    };
    const start = command(lastOf(run, "CMD") ?? "");
    const output: string[] = [];
    child = spawn(start.program, start.parameters, { cwd: app, env, ...user, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        output.push(chunk.toString());
        if (output.length > 1000) output.shift();
      });
    const check = command((lastOf(run, "HEALTHCHECK") ?? "").replace(/^.*?CMD\s+/, ""));
    await healthy(
      child,
      () => spawnSync(check.program, check.parameters, { cwd: app, env, ...user }).status === 0,
      output,
    );
    trial.say("healthy");

    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child?.kill("SIGKILL"), 45_000);
    const [code] = await ended;
    clearTimeout(late);
    if (code !== 0) throw new Error(`SIGTERM ended it with ${code}:\n${output.join("")}`);
    const log = output.join("").split("\n").filter(Boolean);
    const notJson = log.find((line) => !line.startsWith("{"));
    if (notJson !== undefined) throw new Error(`the console is not JSON: ${notJson}`);
    trial.say("stopped by SIGTERM");
    const after = fingerprint(app);
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (file) => before.get(file) !== after.get(file),
    );
    if (changed.length > 0) throw new Error(`it wrote outside its data directory: ${changed.slice(0, 5).join(", ")}`);
    trial.say("wrote nothing outside its data directory");
  } finally {
    child?.kill("SIGKILL");
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  }
}

function shell(text: string, cwd: string, trial: Trial): void {
  trial.say(`RUN ${text}`);
  // `npm run` puts its own variables into the environment; a build must not find them.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  const { status } = spawnSync("sh", ["-euc", text], {
    cwd,
    env: { ...env, npm_config_prefer_offline: "true" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`RUN ${text} ended with ${status}`);
}

/** The image's user, where this process may become it. */
function unprivileged(user: string | undefined, trial: Trial): { uid?: number; gid?: number } {
  const [uid, gid] = (user ?? "").split(":").map(Number);
  if (process.getuid?.() === 0 && uid && gid) return { uid, gid };
  trial.say("not root here: runs as this user, and whether the tree may be written is not tried");
  return {};
}

async function healthy(child: ChildProcess, check: () => boolean, output: readonly string[]): Promise<void> {
  const deadline = performance.now() + 180_000;
  while (!check()) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended:\n${output.join("")}`);
    if (performance.now() > deadline) throw new Error(`it did not become healthy:\n${output.join("")}`);
    await sleep(500);
  }
}
