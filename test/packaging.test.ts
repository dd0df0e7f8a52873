import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { supportsSharedSubscriptions } from "../nodes/broker/mqtt-probe.ts";
import { composeFaults, servicesOf } from "../scripts/package/compose.ts";
import { tryImage } from "../scripts/package/container.ts";
import { dockerfileFaults, execForm, stagesOf } from "../scripts/package/dockerfile.ts";
import { startArguments, startFaults } from "../scripts/package/start-command.ts";
import { documentedIn, unitFaults } from "../scripts/package/variables.ts";
import { faults } from "../scripts/package-check.ts";
import { until } from "./support/line.ts";
import { freePort } from "./support/ports.ts";

const root = path.resolve(import.meta.dirname, "..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

describe("packaging", function () {
  this.timeout(300_000);

  it("has no fault in Dockerfile, compose.yaml and the systemd unit", () => assert.deepEqual(faults(), []));

  it("would see faults", () => {
    const dockerfile = read("Dockerfile");
    assert.ok(dockerfileFaults(dockerfile.replace(/^USER .*$/m, "USER root")).length > 0);
    assert.ok(dockerfileFaults(dockerfile.replaceAll("node:24-slim", "node")).length > 0);
    assert.ok(dockerfileFaults(dockerfile.replace("npm ci", "npm install")).length > 0);
    assert.ok(dockerfileFaults(dockerfile.replace("ENV NODE_ENV", "ENV DB_PASSWORD=x NODE_ENV")).length > 0);
    const compose = read("compose.yaml");
    for (const [text, other] of [
      ["read_only: true", "read_only: false"],
      ["127.0.0.1}:1880", "0.0.0.0}:1880"],
      [":?set MQTT_PASSWORD in .env", ":-foieflow"],
      ['user: "1883:1883"', 'user: "0:0"'],
    ] as const) {
      assert.ok(compose.includes(text), text);
      assert.notDeepEqual(composeFaults(compose.replace(text, other)), [], text);
    }
    const unit = read("packaging/foieflow.service");
    assert.ok(unitFaults(unit.replace("TimeoutStopSec=45", "TimeoutStopSec=20")).length > 0);
    const asNpm = ["node", ...startArguments()];
    assert.deepEqual(startFaults(asNpm, asNpm.join(" ")), []);
    assert.equal(startFaults(["node", "scripts/start.ts"], "node scripts/start.ts --x").length, 2);
    assert.ok(documentedIn(read("README.md")).has("LINE"));
  });

  it("reads a Dockerfile's continuation lines, stages and exec forms", () => {
    const stages = stagesOf('# x\nFROM a:1 AS build\nRUN one \\\n && two\nFROM b:2\nCMD ["node", "x"]\n');
    assert.deepEqual(stages[0], { from: "a:1", name: "build", instructions: [{ name: "RUN", text: "one && two" }] });
    assert.deepEqual(execForm(stages[1]?.instructions[0]?.text ?? ""), ["node", "x"]);
  });

  it("satisfies systemd", function () {
    const verify = spawnSync("systemd-analyze", ["--version"]);
    if (verify.error) return this.skip();
    const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", path.join(root, "packaging/foieflow.service")], {
      encoding: "utf8",
    });
    // Where it is installed is no matter here.
    const complaints = (stdout + stderr).split("\n").filter((line) => line && !/is not executable/.test(line));
    assert.deepEqual(
      complaints.filter((line) => line.includes("foieflow")),
      [],
    );
  });

  it("starts as in its container: without development's packages, on a tree it cannot write", async () => {
    const said: string[] = [];
    await tryImage(root, { full: false, say: (text) => said.push(text) });
    assert.deepEqual(said.slice(-3), ["healthy", "stopped by SIGTERM", "wrote nothing outside its data directory"]);
  });

  describe("the broker of compose.yaml", () => {
    let directory: string;
    let broker: ChildProcess | undefined;
    let url: string;
    const clients: MqttClient[] = [];

    before(async function () {
      if (!existsSync("/usr/sbin/mosquitto")) return this.skip();
      directory = mkdtempSync(path.join(tmpdir(), "mosquitto-"));
      const port = await freePort();
      const here = (text: string) =>
        text
          .replaceAll("/mosquitto/config/", `${directory}/`)
          .replaceAll("/mosquitto/data/", `${directory}/`)
          .replaceAll("/tmp/passwd", `${directory}/passwd`)
          .replace("listener 1883", `listener ${port} 127.0.0.1${process.getuid?.() === 0 ? "\nuser root" : ""}`);
      for (const file of ["mosquitto.conf", "mosquitto.acl"])
        writeFileSync(path.join(directory, file), here(read(`packaging/${file}`)));
      const { command } = servicesOf(read("compose.yaml")).broker ?? {};
      assert.ok(Array.isArray(command));
      const [program, ...parameters] = command.map((part) => here(String(part)).replaceAll("$$", "$"));
      broker = spawn(String(program), parameters, {
        env: {
          PATH: `${process.env.PATH}:/usr/sbin`,
          MQTT_PASSWORD: "server-password",
          MQTT_DEVICES: "ESP32_1:device-password ESP32_2:other-password",
        },
        stdio: "ignore",
      });
      url = `mqtt://127.0.0.1:${port}`;
      await until("the broker", () =>
        mqtt
          .connectAsync(url, { username: "foieflow", password: "server-password", reconnectPeriod: 0 })
          .then((client) => clients.push(client))
          .catch(() => undefined),
      );
    });
    after(async () => {
      await Promise.all(clients.map((client) => client.endAsync(true)));
      broker?.kill();
      if (directory) rmSync(directory, { recursive: true, force: true });
    });

    it("lets a device write below its own name only, and nobody without a password", async () => {
      const [server] = clients;
      assert.ok(server);
      const seen: string[] = [];
      server.on("message", (topic) => seen.push(topic));
      await server.subscribeAsync("foieflow/#", { qos: 1 });
      const device = await mqtt.connectAsync(url, {
        username: "ESP32_1",
        password: "device-password",
        reconnectPeriod: 0,
      });
      clients.push(device);
      await device.publishAsync("foieflow/site/line/ESP32_2/sample", "x", { qos: 1 });
      await device.publishAsync("foieflow/site/line/ESP32_1/sample", "x", { qos: 1 });
      await until("the device's message", () => seen.includes("foieflow/site/line/ESP32_1/sample"));
      assert.deepEqual(seen, ["foieflow/site/line/ESP32_1/sample"]);
      await assert.rejects(mqtt.connectAsync(url, { reconnectPeriod: 0 }), /not authorized/i);
      await assert.rejects(
        mqtt.connectAsync(url, { username: "ESP32_1", password: "wrong", reconnectPeriod: 0 }),
        /not authorized/i,
      );
    });

    it("gives FoieFlow the shared subscriptions it looks for", async () => {
      const credentials = { username: "foieflow", password: "server-password" };
      assert.equal(await supportsSharedSubscriptions(url, credentials, "foieflow", 5_000), true);
    });

    it("keeps its passwords hashed, for itself alone", () => {
      const passwords = readFileSync(path.join(directory, "passwd"), "utf8");
      assert.ok(!/-password/.test(passwords) && passwords.startsWith("foieflow:$"));
      assert.deepEqual(servicesOf(read("compose.yaml")).broker?.user, "1883:1883");
    });
  });
});
