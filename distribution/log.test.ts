import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Log, type LogOptions } from "./log.ts";
import { withoutSecrets } from "./log-line.ts";
import { nodeRedLogging } from "./node-red-log.ts";

describe("the log", () => {
  let directory: string;
  let shown: string[];
  let log: Log;
  const open = (options: Partial<LogOptions> = {}) => {
    log = new Log({
      directory: path.join(directory, "logs"),
      fileLevel: "info",
      consoleLevel: "warn",
      console: "text",
      write: (line) => shown.push(line),
      ...options,
    });
  };
  const files = () => readdirSync(path.join(directory, "logs")).sort();
  const lines = (file = "foieflow.log") =>
    readFileSync(path.join(directory, "logs", file), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "log-"));
    shown = [];
    open();
  });
  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  it("writes JSON lines into a private file, and words on the console", async () => {
    log.info("line running", { code: "running" });
    log.error(Object.assign(new Error("taken"), { code: "EADDRINUSE" }));
    await log.close();
    const [first, second] = lines();
    assert.deepEqual(Object.keys(first), ["time", "level", "component", "message", "code"]);
    assert.equal(new Date(first.time).toISOString(), first.time);
    assert.deepEqual(
      [second.level, second.component, second.message, second.code],
      ["error", "line", "taken", "EADDRINUSE"],
    );
    assert.deepEqual(shown, ["FoieFlow: line running", "FoieFlow: taken"]);
    assert.equal(statSync(path.join(directory, "logs", "foieflow.log")).mode & 0o077, 0);
  });

  it("takes Node-RED's messages with the node that said them, by level", async () => {
    const { handler } = nodeRedLogging(log, "info").foieflow;
    const say = handler();
    say({ level: 40, msg: "Started flows" });
    say({ level: 30, msg: new Error("no answer"), type: "foieflow-store", id: "n1", name: "store", z: "tab" });
    say({ level: 60, msg: "too much" });
    await log.close();
    assert.deepEqual(
      lines().map(({ time: _, ...rest }) => rest),
      [
        { level: "info", component: "node-red", message: "Started flows" },
        {
          level: "warn",
          component: "foieflow-store:store",
          message: "no answer",
          type: "foieflow-store",
          node: "n1",
          flow: "tab",
        },
      ],
    );
    assert.deepEqual(shown, ["FoieFlow: [warn] [foieflow-store:store] no answer"]);
  });

  it("writes JSON on the console too where lines are collected", () => {
    open({ console: "json" });
    log.warn("careful");
    assert.equal(JSON.parse(shown[0] ?? "").message, "careful");
  });

  it("lets no secret through", async () => {
    log.hide("s3cr3t-device-token", undefined, "");
    log.warn("refused s3cr3t-device-token of ws://plc:hunter22@10.0.0.3/ws?token=abcdefgh");
    log.warn('header "authorization":"Bearer abcdefghijkl"', { url: "mqtts://line:hunter22@broker:8883" });
    await log.close();
    const written = JSON.stringify(lines()) + shown.join();
    for (const secret of ["s3cr3t", "hunter22", "abcdefgh"]) assert.ok(!written.includes(secret), secret);
    assert.ok(written.includes("mqtts://line:***@broker:8883"));
    assert.equal(withoutSecrets("token of the device is wrong"), "token of the device is wrong");
  });

  it("rotates by size and keeps a number of files", async () => {
    open({ fileKiB: 2, files: 3 });
    for (let n = 0; n < 60; n += 1) {
      log.info(`${n} ${"x".repeat(300)}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await log.close();
    assert.deepEqual(files(), ["foieflow.1.log", "foieflow.2.log", "foieflow.log"]);
    const kept = ["foieflow.2.log", "foieflow.1.log", "foieflow.log"].flatMap((file) => lines(file));
    const numbers = kept.map((line) => Number.parseInt(line.message, 10));
    assert.equal(numbers.at(-1), 59);
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
      "in order, nothing twice",
    );
  });

  it("begins a new line after one that a crash cut off", async () => {
    mkdirSync(path.join(directory, "logs"));
    writeFileSync(path.join(directory, "logs", "foieflow.log"), '{"time":"2026-');
    log.info("after");
    await log.close();
    const text = readFileSync(path.join(directory, "logs", "foieflow.log"), "utf8").split("\n");
    assert.equal(text[0], '{"time":"2026-');
    assert.equal(JSON.parse(text[1] ?? "").message, "after");
  });

  it("never stops the line when its files cannot be written", async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, "logs"), "a file where the directory should be");
    log.info("first");
    log.info("second");
    await log.close();
    assert.equal(shown.filter((line) => line.includes("cannot be written")).length, 1);
    assert.ok(shown.includes("FoieFlow: second"));
    rmSync(path.join(directory, "logs"));
  });

  it("goes on when nobody reads the console any more", async () => {
    const source = `import { Log } from ${JSON.stringify(new URL("./log.ts", import.meta.url).href)};
      const log = new Log({ directory: ${JSON.stringify(directory)}, fileLevel: "info", consoleLevel: "info", console: "text" });
      process.on("uncaughtException", (error) => log.error(error));
      let said = 0;
      log.warn("first");
      setInterval(async () => {
        log.error("trouble");
        if (++said === 20) { await log.close(); process.exit(7); }
      }, 20);`;
    const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", source]);
    await once(child.stderr, "data");
    child.stdout.destroy();
    child.stderr.destroy();
    const [code] = await once(child, "exit");
    assert.equal(code, 7);
    assert.equal(readFileSync(path.join(directory, "foieflow.log"), "utf8").trim().split("\n").length, 21);
  });
});
