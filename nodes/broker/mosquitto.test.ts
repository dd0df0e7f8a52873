import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { freePort } from "../../test/support/ports.ts";
import { MqttUplink } from "./mqtt-client.ts";
import { attachment, GatedInbox, pause, until } from "./support.test.ts";

/** Debian keeps it out of a user's PATH. */
const PROGRAM = ["mosquitto", "/usr/sbin/mosquitto"].find((name) => !spawnSync(name, ["-h"]).error);
const SAMPLE = "foieflow/plant/belt/dev-1/sample";

/** A real Mosquitto with persistence, in a directory and on a port of its own. */
class Mosquitto {
  readonly directory = mkdtempSync(path.join(tmpdir(), "foieflow-mosquitto-"));
  readonly port: number;
  #process: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${this.directory}/`,
      "user root",
    ];
    writeFileSync(path.join(this.directory, "mosquitto.conf"), `${lines.join("\n")}\n`);
  }

  async start(): Promise<void> {
    this.#process = spawn(PROGRAM ?? "", ["-c", path.join(this.directory, "mosquitto.conf")], { stdio: "ignore" });
    for (let listens = false; !listens; await pause(20)) {
      listens = await new Promise<boolean>((resolve) => {
        const probe = connect(this.port, "127.0.0.1", () => {
          probe.destroy();
          resolve(true);
        });
        probe.on("error", () => resolve(false));
      });
    }
  }

  async stop(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    await ended;
  }
}

describe("broker: an external Mosquitto", function () {
  this.timeout(60_000);
  let broker: Mosquitto;
  let inbox: GatedInbox;
  const uplinks: MqttUplink[] = [];
  const devices: MqttClient[] = [];

  before(async function () {
    if (!PROGRAM) this.skip();
    broker = new Mosquitto(await freePort());
    await broker.start();
  });
  after(async () => {
    await broker?.stop();
    if (broker) rmSync(broker.directory, { recursive: true, force: true });
  });
  beforeEach(() => {
    inbox = new GatedInbox();
  });
  afterEach(async () => {
    await Promise.all(uplinks.splice(0).map((uplink) => uplink.close()));
    await Promise.all(devices.splice(0).map((client) => client.endAsync(true)));
  });

  async function open(clientId: string, connections: number): Promise<MqttUplink> {
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const uplink = new MqttUplink({ url, clientId, connections, reconnectMinMs: 50, reconnectMaxMs: 500 });
    uplinks.push(uplink);
    uplink.reception.attach(attachment(inbox));
    uplink.start();
    await until(() => uplink.connected === connections && uplink.shared !== undefined);
    return uplink;
  }

  async function device(): Promise<MqttClient> {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
    devices.push(client);
    return client;
  }

  /** Publishes until a subscription is in force. */
  async function subscribed(client: MqttClient): Promise<void> {
    while (inbox.taken.length === 0) {
      await client.publishAsync(SAMPLE, "probe", { qos: 1 });
      await pause(30);
    }
    await pause(100);
  }
  const texts = () => inbox.texts().filter((text) => text !== "probe");

  it("shares the samples among connections, and gets again all that was not in the inbox when it died", async () => {
    const uplink = await open("shared", 4);
    assert.equal(uplink.shared, true);
    const client = await device();
    await subscribed(client);
    const sent = Array.from({ length: 40 }, (_, index) => String(index));
    const before = inbox;
    inbox.hold();
    for (const text of sent) await client.publishAsync(SAMPLE, text, { qos: 1 });
    await pause(200);
    assert.deepEqual(texts(), []);
    // Dies with what each connection holds unacknowledged; what it handed over afterwards is lost with its memory.
    await uplink.close();
    uplinks.length = 0;
    inbox = new GatedInbox();
    before.close();
    before.letThrough();
    await open("shared", 4);
    await until(() => new Set(texts()).size === sent.length);
    assert.deepEqual(new Set(texts()), new Set(sent));
  });

  it("keeps the order on one connection, over a restart of the broker and through an absence", async () => {
    let uplink = await open("single", 1);
    const client = await device();
    await subscribed(client);
    for (let index = 0; index < 5; index += 1) await client.publishAsync(SAMPLE, `${index}`, { qos: 1 });
    await until(() => texts().length >= 5);
    await uplink.close();
    for (let index = 5; index < 10; index += 1) await client.publishAsync(SAMPLE, `${index}`, { qos: 1 });
    await broker.stop();
    await broker.start();
    uplink = await open("single", 1);
    await until(() => texts().length >= 10);
    assert.deepEqual(texts(), [..."0123456789"]);
    // And with the broker gone while we stay.
    await broker.stop();
    await until(() => uplink.connected === 0);
    await broker.start();
    await until(() => uplink.connected === 1);
    await (await device()).publishAsync(SAMPLE, "after", { qos: 1 });
    await until(() => texts().includes("after"));
  });
});
