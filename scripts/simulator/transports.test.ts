import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Aedes } from "aedes";
import { WebSocketServer } from "ws";
import { frameCobs } from "../../nodes/broker/cobs.ts";
import { SerialFramer } from "../../nodes/broker/serial-framer.ts";
import { Device } from "./device.ts";
import { Backoff, type Link, type MessageKind } from "./link.ts";
import { MqttLink } from "./mqtt-link.ts";
import { random } from "./random.ts";
import { SerialLink } from "./serial-link.ts";
import type { Wire as Message } from "./source.ts";
import { SqalSource } from "./sqal-source.ts";
import { Station } from "./station.ts";
import { TruthFile, truthOf } from "./truth.ts";
import { WebSocketLink } from "./websocket-link.ts";

const identity = {
  deviceId: "ESP32_DEMO_LL_01",
  macAddress: "24:0A:C4:01:02:03",
  ipAddress: "192.168.1.101",
  location: "Ligne A",
  generation: "new",
  claims: true,
} as const;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
const portOf = (server: { address(): unknown }): number => {
  const address = server.address();
  return typeof address === "object" && address !== null && "port" in address ? Number(address.port) : 0;
};

describe("simulator: a device", () => {
  class Wire implements Link {
    ready = false;
    readonly texts: Array<{ text: string; kind: MessageKind }> = [];
    #onReady = (): void => undefined;
    open(onReady: () => void): void {
      this.#onReady = onReady;
    }
    connect(): void {
      this.ready = true;
      this.#onReady();
    }
    async send(message: Message, kind: MessageKind): Promise<boolean> {
      if (this.ready) this.texts.push({ text: String(message), kind });
      return this.ready;
    }
    async close(): Promise<void> {
      this.ready = false;
    }
    times(): string[] {
      return this.texts.filter(({ kind }) => kind === "sample").map(({ text }) => String(JSON.parse(text).timestamp));
    }
  }
  function start(count: number): { device: Device; wire: Wire } {
    const wire = new Wire();
    const station = new Station(1, identity.deviceId);
    const source = new SqalSource({ identity, station, rate: 40, faults: 0, rng: random(1) });
    const device = new Device({ source, link: wire, count, onTruth: () => undefined });
    device.start();
    return { device, wire };
  }

  it("keeps samples while offline; back online says hello, sends the newest, then the kept ones in order", async () => {
    const { device, wire } = start(12);
    await until(() => device.status.buffered === 6);
    wire.connect();
    await until(() => device.done);
    await device.stop();
    assert.equal(wire.texts[0]?.kind, "hello");
    const times = wire.times();
    assert.equal(times.length, 12);
    assert.equal(new Set(times).size, 12);
    const sorted = [...times].sort();
    assert.ok((times[0] ?? "") > (sorted[5] ?? ""), "the newest goes first");
    const kept = sorted.slice(0, 6);
    assert.deepEqual(
      times.filter((time) => kept.includes(time)),
      kept,
    );
  });

  it("drops the oldest beyond a hundred and says how many", async function () {
    this.timeout(15_000);
    const { device, wire } = start(104);
    await until(() => device.status.measured === 104);
    await until(() => device.status.buffered === 100);
    assert.equal(device.status.dropped, 4);
    await device.stop();
    assert.equal(wire.texts.length, 0);
  });

  it("waits longer after every failed attempt, up to a limit", () => {
    const backoff = new Backoff(100, 500);
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => backoff.next()),
      [100, 200, 400, 500, 500],
    );
    backoff.reset();
    assert.equal(backoff.next(), 100);
  });
});

describe("simulator: WebSocket", () => {
  it("sends nothing before the greeting, and carries the token", async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await new Promise((resolve) => server.once("listening", resolve));
    const received: string[] = [];
    let greet = (): void => undefined;
    let authorization: string | undefined;
    server.on("connection", (socket, request) => {
      authorization = request.headers.authorization;
      socket.on("message", (data, binary) =>
        received.push(binary && Buffer.isBuffer(data) ? `binary ${data.toString("hex")}` : String(data)),
      );
      greet = () => socket.send('{"type":"connection_established"}');
    });
    const link: Link = new WebSocketLink(`ws://127.0.0.1:${portOf(server)}/ws/sensors/`, "secret");
    let ready = 0;
    link.open(() => {
      ready += 1;
    });
    await until(() => server.clients.size === 1);
    assert.equal(await link.send("early", "sample"), false);
    assert.equal(ready, 0);
    greet();
    await until(() => ready === 1);
    assert.equal(await link.send("one", "sample"), true);
    assert.equal(await link.send(new Uint8Array([0xa1, 0x00, 0xff]), "sample"), true);
    await until(() => received.length === 2);
    assert.deepEqual(received, ["one", "binary a100ff"]);
    assert.equal(authorization, "Bearer secret");
    // Reconnects when the server drops it.
    for (const socket of server.clients) socket.terminate();
    await until(() => !link.ready);
    assert.equal(await link.send("lost", "sample"), false);
    await until(() => server.clients.size === 1);
    greet();
    await until(() => ready === 2);
    await link.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("simulator: MQTT", () => {
  it("publishes samples at QoS 1 below its own name, and its state retained, offline at the end", async () => {
    const broker = await Aedes.createBroker();
    const server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const packets: Array<{ topic: string; qos: number; retain: boolean; text: string }> = [];
    const payloads: string[] = [];
    broker.on("publish", ({ topic, qos, retain, payload }) => {
      if (topic.startsWith("foieflow/")) {
        packets.push({ topic, qos, retain, text: String(payload) });
        payloads.push(Buffer.from(payload).toString("hex"));
      }
    });
    const link = new MqttLink({ url: `mqtt://127.0.0.1:${portOf(server)}`, siteId: "s", lineId: "l", deviceId: "d" });
    await new Promise<void>((resolve) => link.open(resolve));
    assert.equal(await link.send('{"status":"online"}', "hello"), true);
    assert.equal(await link.send("sample", "sample"), true);
    assert.equal(await link.send(new Uint8Array([0xa1, 0x00, 0xff]), "sample"), true);
    await link.close();
    await until(() => packets.length >= 4);
    assert.equal(payloads[2], "a100ff");
    assert.deepEqual(
      packets.map(({ topic, qos, retain }) => [topic, qos, retain]),
      [
        ["foieflow/s/l/d/status", 1, true],
        ["foieflow/s/l/d/sample", 1, false],
        ["foieflow/s/l/d/sample", 1, false],
        ["foieflow/s/l/d/status", 1, true],
      ],
    );
    assert.equal(JSON.parse(packets[3]?.text ?? "").status, "offline");
    await new Promise<void>((resolve) => broker.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("simulator: serial", () => {
  const directory = mkdtempSync(join(tmpdir(), "foieflow-serial-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  it("carries long lines intact through a real pseudo-terminal, and cleans up its link", async () => {
    const path = join(directory, "sub", "serial");
    const link = new SerialLink(path, 4_000_000);
    link.open(() => undefined);
    assert.equal(readlinkSync(path), link.path);
    // Everything a line discipline would act on, and more bytes than any buffer between holds.
    const text = `${"0123456789".repeat(14_000)}é\t\r\u0003\u0004\u0011\u0013\u001a\u007f end`;
    const expected = Buffer.from(`${text}\n${text}\n`);
    const reader = spawn("head", ["-c", String(expected.length), path], { stdio: ["ignore", "pipe", "inherit"] });
    const sent = Promise.all([link.send(text, "sample"), link.send(text, "sample")]);
    const got = await buffer(reader.stdout);
    assert.ok(got.equals(expected), `${got.length} of ${expected.length} bytes`);
    assert.deepEqual(await sent, [true, true]);
    await link.close();
    assert.equal(existsSync(path), false);
    assert.equal(link.ready, false);
  });

  it("carries bytes as COBS frames among lines", async () => {
    const link = new SerialLink(join(directory, "frames"), 4_000_000);
    link.open(() => undefined);
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) % 256);
    const length = frameCobs(bytes).length + 3;
    const reader = spawn("head", ["-c", String(length), link.path ?? ""], { stdio: ["ignore", "pipe", "inherit"] });
    const sent = Promise.all([link.send("{}", "sample"), link.send(bytes, "sample")]);
    const framer = new SerialFramer(10_000);
    const messages = framer.push(await buffer(reader.stdout));
    assert.deepEqual(await sent, [true, true]);
    assert.deepEqual(
      messages.map((message) => message.toString("hex")),
      ["7b7d", Buffer.from(bytes).toString("hex")],
    );
    await link.close();
  });

  it("does not block or pile up when nobody reads, nor replace what is not its link", async () => {
    const path = join(directory, "unread");
    const link = new SerialLink(path);
    link.open(() => undefined);
    const waiting = Array.from({ length: 6 }, () => link.send("x".repeat(1_000_000), "sample"));
    assert.equal(link.ready, false);
    assert.deepEqual(await Promise.all(waiting.slice(4)), [false, false]);
    await link.close();
    assert.deepEqual(await Promise.all(waiting.slice(0, 4)), [false, false, false, false]);
    writeFileSync(path, "a file of the user's");
    assert.throws(() => new SerialLink(path).open(() => undefined), /not a symbolic link/);
  });
});

describe("simulator: truth file", () => {
  it("is bounded: the full one is kept beside, the one before it goes", () => {
    const directory = mkdtempSync(join(tmpdir(), "foieflow-truth-"));
    const path = join(directory, "deep", "truth.ndjson");
    const line = truthOf(identity, new Station(1, identity.deviceId).measure(new Date()));
    const bytes = JSON.stringify(line).length + 1;
    const file = new TruthFile(path, Math.ceil(2.5 * bytes));
    for (let i = 0; i < 7; i++) file.append(line);
    const lines = (name: string) =>
      readFileSync(name, "utf8")
        .trim()
        .split("\n")
        .map((text) => JSON.parse(text));
    assert.equal(lines(path).length, 1);
    assert.equal(lines(`${path}.1`).length, 2);
    assert.deepEqual(lines(path)[0], JSON.parse(JSON.stringify(line)));
    rmSync(directory, { recursive: true });
  });
});
