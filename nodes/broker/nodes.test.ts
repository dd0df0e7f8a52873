import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import mqtt from "mqtt";
import type { Node } from "node-red";
import helper from "node-red-node-test-helper";
import { WebSocket } from "ws";
import { ownDataDir } from "../../test/support/data-dir.ts";
import { closeServices, openServices } from "../host/service.ts";
import inboxNode from "../inbox/inbox.ts";
import { currentInbox } from "../inbox/service.ts";
import siteNode, { type SiteNode } from "../inbox/site.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import mqttNode from "./mqtt-door.ts";
import type { DeviceEvent } from "./reception.ts";
import serialNode from "./serial-door.ts";
import { happens, until } from "./support.test.ts";
import websocketNode from "./websocket-door.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

/** A field that names an environment variable. */
const variable = (name: string) => `\${${name}}`;

const TAB = { id: "tab", type: "tab", label: "ingest" };
const SITE = {
  id: "site",
  type: "foieflow-site",
  siteId: "plant",
  lineId: "belt",
  timeZone: "",
  shifts: variable("SHIFTS"),
};
const NODES = [siteNode, inboxNode, websocketNode, mqttNode, serialNode];
const SINK = { id: "events", z: "tab", type: "helper" };
const ENTRIES = { id: "entries", z: "tab", type: "helper" };
const INBOX = { id: "inbox", z: "tab", type: "foieflow-inbox", site: "site", wires: [["entries"]] };

interface EntryMessage {
  entryId: string;
  topic: string;
  payload: InboxEntry;
}

describe("broker and inbox nodes", () => {
  before(() => helper.startServer());
  after(() => helper.stopServer());
  ownDataDir();
  beforeEach(() => helper.settings({ uiHost: "127.0.0.1" }));
  afterEach(async () => {
    await helper.unload();
    await closeServices(openServices());
  });

  async function load(...nodes: object[]) {
    const flow = [TAB, SITE, SINK, ENTRIES, INBOX, ...nodes];
    await helper.load(NODES, flow, {});
    return { flow, ...listen() };
  }

  /** Entries and events that reach the flow's ends from now on. */
  function listen() {
    const entries: EntryMessage[] = [];
    const events: DeviceEvent[] = [];
    helper.getNode("entries").on("input", (message) => entries.push(message as unknown as EntryMessage));
    helper.getNode("events").on("input", (message) => events.push(message.payload as DeviceEvent));
    return { entries, events };
  }

  const site = () => helper.getNode("site") as unknown as SiteNode;
  const statusTexts = (id: string) => {
    const { status } = helper.getNode(id) as Node & { status: { args: [{ text: string }][] } };
    return status.args.map(([{ text }]) => text);
  };

  it("carry a WebSocket sample to the flow, keep the connection through a deploy, and emit again what was not settled", async () => {
    const { flow, entries, events } = await load({
      id: "door",
      z: "tab",
      type: "foieflow-websocket",
      site: "site",
      path: "/ws/sensors/",
      deviceNets: variable("NO_SUCH_NETS"),
      wires: [["events"]],
    });
    await until(() => openServices().includes("door:websocket:/ws/sensors/"));
    await until(() => statusTexts("door").includes("websocket.status.connected"));
    const socket = new WebSocket(`${helper.url().replace("http", "ws")}/ws/sensors/`);
    await once(socket, "message");
    socket.send(JSON.stringify({ type: "hello", device_id: "dev-1", location: "Ligne C" }));
    socket.send("first");
    await until(() => entries.length === 1 && events.length === 2);
    const [message] = entries;
    assert.equal(message?.topic, "plant/Ligne-C");
    assert.equal(message?.payload.bytes.toString(), "first");
    assert.equal(message?.entryId, message?.payload.entryId);
    assert.equal(typeof message?.entryId, "string");
    assert.deepEqual(
      events.map(({ event, deviceId }) => [event, deviceId]),
      [
        ["connected", undefined],
        ["hello", "dev-1"],
      ],
    );

    await helper.setFlows(flow, "full");
    const later = listen();
    socket.send("second");
    await until(() => later.entries.length === 2);
    assert.deepEqual(
      later.entries.map(({ payload }) => [payload.bytes.toString(), payload.attempts]),
      [
        ["first", 1],
        ["second", 0],
      ],
    );
    assert.equal(later.entries[0]?.entryId, message?.entryId);
    for (const { entryId } of later.entries) site().inbox.settle(entryId, { kind: "stored" });
    assert.equal(await site().inbox.drain(100), 0);
    assert.equal(socket.readyState, socket.OPEN);
    socket.close();
    await until(() => later.events.some(({ event }) => event === "disconnected"));
  });

  it("open the embedded broker, and say so when its port is taken", async () => {
    const broker = {
      z: "tab",
      type: "foieflow-mqtt",
      site: "site",
      url: variable("NO_MQTT_URL"),
      host: "",
      wires: [["events"]],
    };
    const { entries } = await load({ ...broker, id: "door", port: "0" });
    await until(() => statusTexts("door").includes("mqtt.status.listening"));
    assert.ok(openServices().includes("door:mqtt:127.0.0.1:0"));
    const { createServer } = await import("node:net");
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    await helper.setFlows([TAB, SITE, SINK, ENTRIES, INBOX, { ...broker, id: "door", port: String(port) }], "full");
    await until(() => statusTexts("door").includes("mqtt.status.failed"));
    taken.close();
    assert.equal(entries.length, 0);
  });

  it("take samples by MQTT", async () => {
    const { createServer } = await import("node:net");
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const { entries } = await load({
      id: "door",
      z: "tab",
      type: "foieflow-mqtt",
      site: "site",
      port,
      wires: [["events"]],
    });
    await until(() => statusTexts("door").includes("mqtt.status.listening"));
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`);
    await happens(client, "connect");
    await client.publishAsync("foieflow/plant/line/dev-1/sample", "x", { qos: 1 });
    await until(() => entries.length === 1);
    assert.equal(entries[0]?.topic, "plant/line/dev-1");
    await client.endAsync(true);
  });

  it("refuse an external broker that is not one, and a list of networks that is none", async () => {
    await load(
      { id: "door", z: "tab", type: "foieflow-mqtt", site: "site", url: "http://x", wires: [["events"]] },
      {
        id: "door-2",
        z: "tab",
        type: "foieflow-websocket",
        site: "site",
        deviceNets: "everybody",
        wires: [["events"]],
      },
      { id: "door-3", z: "tab", type: "foieflow-websocket", wires: [["events"]] },
    );
    await until(() => statusTexts("door").includes("mqtt.status.bad-config"));
    assert.ok(statusTexts("door-2").includes("websocket.status.bad-config"));
    assert.ok(statusTexts("door-3").includes("websocket.status.no-site"));
    assert.deepEqual(openServices(), ["inbox"]);
  });

  it("take serial bytes in any pieces, remember each device's line, count what is dropped", async () => {
    const { entries, events } = await load({
      id: "door",
      z: "tab",
      type: "foieflow-serial",
      site: "site",
      wires: [["events"]],
    });
    await until(() => statusTexts("door").includes("serial.status.silent"));
    const hello = JSON.stringify({ type: "esp32_hello", device_id: "dev-1", location: "Ligne A" });
    const sample = (device: string) => JSON.stringify({ type: "sensor_data", device_id: device, x: "é" });
    const bytes = Buffer.from(`boot...\r\n${hello}\r\n${sample("dev-1")}\n${sample("dev-2")}\nrubbish\n`);
    const door = helper.getNode("door");
    for (const byte of bytes) door.receive({ payload: Buffer.from([byte]) });
    await until(() => entries.length === 2 && currentInbox()?.stats().refused.noise === 2);
    assert.deepEqual(
      entries.map(({ topic, payload }) => [topic, payload.bytes.toString()]),
      [
        ["plant/Ligne-A", sample("dev-1")],
        ["plant/belt", sample("dev-2")],
      ],
    );
    assert.deepEqual(
      events.map(({ event, deviceId, reason }) => [event, deviceId, reason]),
      [
        ["refused", undefined, "noise"],
        ["hello", "dev-1", undefined],
      ],
    );
  });

  it("give up an unfinished serial line and a line that is too long, and go on", async () => {
    const { entries } = await load({
      id: "door",
      z: "tab",
      type: "foieflow-serial",
      site: "site",
      maxLineKiB: 1,
      partialTimeoutMs: "50",
      wires: [["events"]],
    });
    await until(() => statusTexts("door").includes("serial.status.silent"));
    const door = helper.getNode("door");
    door.receive({ payload: '{"torn":' });
    await until(() => currentInbox()?.stats().refused["partial-line"] === 1);
    door.receive({ payload: `{"long":"${"x".repeat(2000)}"}\n{"good":1}\n` });
    await until(() => entries.length === 1);
    assert.equal(entries[0]?.payload.bytes.toString(), '{"good":1}');
    assert.equal(currentInbox()?.stats().refused.oversize, 1);
  });

  it("read the site from the environment, fall back where it is empty, and name what is wrong", async () => {
    process.env.TEST_SITE = "Nord Est";
    try {
      await helper.load(
        NODES,
        [
          {
            ...SITE,
            siteId: variable("TEST_SITE"),
            lineId: variable("NO_SUCH_LINE"),
            timeZone: "Mars/Olympus",
            shifts: "a 06:00, b 6:00",
          },
          TAB,
        ],
        {},
      );
    } finally {
      delete process.env.TEST_SITE;
    }
    const { settings, problems } = site();
    assert.equal(settings.siteId, "Nord-Est");
    assert.equal(settings.lineId, "line-1");
    assert.equal(settings.timeZone, "Europe/Paris");
    assert.equal(settings.shifts.length, 3);
    assert.deepEqual(problems, ["site.errors.time-zone", "site.errors.shifts"]);
  });

  it("say so when a second reader wants the inbox", async () => {
    await load({ ...INBOX, id: "inbox-2" });
    await until(() => [...statusTexts("inbox"), ...statusTexts("inbox-2")].includes("inbox.status.failed"));
  });
});
