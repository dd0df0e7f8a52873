import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { MqttBroker, type MqttBrokerOptions } from "./mqtt-broker.ts";
import { Reception } from "./reception.ts";
import { attachment, Clients, GatedInbox, happens, pause, until } from "./support.test.ts";
import { trustPolicy } from "./trust.ts";

const SAMPLE = "foieflow/plant-2/line-b/dev-1/sample";

describe("broker/mqtt-broker", () => {
  let broker: MqttBroker;
  let reception: Reception;
  let inbox: GatedInbox;
  const clients = new Clients(() => broker.port);

  beforeEach(() => {
    inbox = new GatedInbox();
  });
  afterEach(async () => {
    await clients.end();
    await broker.close();
  });

  async function open(options: Partial<MqttBrokerOptions> = {}, held = attachment(inbox)) {
    reception = new Reception("mqtt");
    broker = await MqttBroker.open({ host: "127.0.0.1", port: 0, ...options }, reception);
    return { held, ...reception.attach(held) };
  }

  it("stamps samples with the topic's names and acknowledges only what the inbox has", async () => {
    await open();
    const device = await clients.connected();
    inbox.hold();
    let acknowledged = false;
    const publish = device.publishAsync(SAMPLE, "one", { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await pause();
    assert.equal(acknowledged, false);
    inbox.letThrough();
    await publish;
    await device.publishAsync(SAMPLE, "two", { qos: 2 });
    await device.publishAsync(SAMPLE, Buffer.from([0xff, 0]), { qos: 0 });
    await until(() => inbox.taken.length === 3);
    assert.deepEqual(
      inbox.taken.map(({ bytes }) => bytes),
      [Buffer.from("one"), Buffer.from("two"), Buffer.from([0xff, 0])],
    );
    const { transport, siteId, lineId, defaultLineId, provenDeviceId, problem } = inbox.taken[0] ?? {};
    assert.deepEqual(
      { transport, siteId, lineId, defaultLineId, provenDeviceId, problem },
      {
        transport: "mqtt",
        siteId: "plant-2",
        lineId: "line-b",
        defaultLineId: "belt",
        provenDeviceId: "dev-1",
        problem: undefined,
      },
    );
  });

  it("keeps each device's order while it holds many", async () => {
    await open();
    const device = await clients.connected();
    inbox.hold();
    const texts = Array.from({ length: 300 }, (_, index) => `{"n":${index}}`);
    const publishes = texts.map((text) => device.publishAsync(SAMPLE, text, { qos: 1 }));
    await pause(20);
    inbox.letThrough();
    await Promise.all(publishes);
    assert.deepEqual(inbox.texts(), texts);
  });

  it("does not acknowledge while the inbox is full, and takes it again when there is room", async () => {
    inbox = new GatedInbox({ maxEntries: 2 });
    await open();
    const device = await clients.connected();
    const done: number[] = [];
    const publishes = [0, 1, 2, 3].map((index) =>
      device.publishAsync(SAMPLE, `${index}`, { qos: 1 }).then(() => done.push(index)),
    );
    await until(() => done.length === 2);
    await pause(100);
    assert.equal(done.length, 2);
    inbox.attach((entry) => setImmediate(() => inbox.settle(entry.entryId, { kind: "stored" })));
    await Promise.all(publishes);
    assert.deepEqual(inbox.texts(), ["0", "1", "2", "3"]);
  });

  it("gives up what it holds when the device has gone, and takes it once when it comes again", async () => {
    inbox = new GatedInbox({ maxEntries: 1 });
    await open();
    const first = await clients.connected();
    await first.publishAsync(SAMPLE, "a", { qos: 1 });
    first.publish(SAMPLE, "b", { qos: 1 });
    await pause();
    await first.endAsync(true);
    await until(() => inbox.refused()["inbox-full"] === 1);
    inbox.attach((entry) => inbox.settle(entry.entryId, { kind: "stored" }));
    const again = await clients.connected();
    await again.publishAsync(SAMPLE, "b", { qos: 1 });
    assert.deepEqual(inbox.texts(), ["a", "b"]);
  });

  it("destroys a connection at the header of a 50 MB publish and serves the others", async () => {
    await open();
    const other = await clients.connected();
    const flood = await clients.connected();
    flood.publish(SAMPLE, Buffer.alloc(50 * 1024 * 1024), { qos: 1 });
    await until(() => !flood.connected && inbox.refused().oversize === 1);
    await other.publishAsync(SAMPLE, "fine", { qos: 1 });
    assert.deepEqual(inbox.texts(), ["fine"]);
  });

  it("survives what is not MQTT, and a connection that says nothing", async () => {
    await open({ connectTimeoutMs: 50 });
    const talk = async (bytes: Buffer | string) => {
      const socket = connectTcp(broker.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(bytes);
      await once(socket, "close");
    };
    await talk("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await talk(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await talk(Buffer.from([0x10, 4, 0xff, 0xff, 0xff, 0xff]));
    await talk("");
    assert.deepEqual(inbox.refused(), { "bad-packet": 1, oversize: 1 });
    const device = await clients.connected();
    await device.publishAsync(SAMPLE, "fine", { qos: 1 });
  });

  it("takes a malformed topic of ours for quarantine, with the site's defaults", async () => {
    await open();
    const device = await clients.connected();
    await device.publishAsync("foieflow/plant/line/dev ice/sample", "x", { qos: 1 });
    await device.publishAsync("foieflow/sample", "y", { qos: 1 });
    assert.deepEqual(
      inbox.taken.map(({ siteId, lineId, provenDeviceId, problem }) => [siteId, lineId, provenDeviceId, problem]),
      [
        ["plant", undefined, undefined, "bad-topic"],
        ["plant", undefined, undefined, "bad-topic"],
      ],
    );
  });

  it("closes without an acknowledgement on a topic that is not ours", async () => {
    await open();
    for (const topic of ["other/topic", "$SYS/x"]) {
      const device = await clients.connected();
      device.publish(topic, "x", { qos: 1 });
      await happens(device, "close");
    }
    assert.equal(inbox.refused()["foreign-topic"], 2);
    assert.equal(inbox.taken.length, 0);
  });

  it("tells hello, heartbeat, online, offline and the last will", async () => {
    const { held } = await open();
    const status = "foieflow/plant/line/dev-1/status";
    const device = await clients.connected({
      will: { topic: status, payload: Buffer.from("offline"), qos: 1, retain: true },
    });
    await device.publishAsync(status, "online", { qos: 1, retain: true });
    await device.publishAsync(status, JSON.stringify({ type: "hello", device_id: "dev-1", location: "Ligne B" }), {
      qos: 1,
    });
    await device.publishAsync(
      "foieflow/plant/line/dev-1/sample",
      JSON.stringify({ type: "heartbeat", device_id: "dev-1" }),
    );
    await device.publishAsync(status, JSON.stringify({ type: "hello", device_id: "dev-2" }), { qos: 1 });
    await device.publishAsync(status, "{ not json", { qos: 1 });
    device.stream.destroy();
    await until(() => held.events.length === 5);
    assert.deepEqual(
      held.events.map(({ event, deviceId, siteId, lineId, reason }) => [event, deviceId, siteId, lineId, reason]),
      [
        ["connected", "dev-1", "plant", "line", undefined],
        ["hello", "dev-1", "plant", "line", undefined],
        ["heartbeat", "dev-1", "plant", "line", undefined],
        ["refused", "dev-1", "plant", "belt", "identity-mismatch"],
        ["disconnected", "dev-1", "plant", "line", undefined],
      ],
    );
    assert.equal(inbox.taken.length, 0);
  });

  it("gives samples to who subscribes, retains states and not samples", async () => {
    await open();
    const device = await clients.connected();
    await device.publishAsync("foieflow/plant/line/dev-1/status", "online", { qos: 1, retain: true });
    await device.publishAsync(SAMPLE, "old", { qos: 1, retain: true });
    const listener = await clients.connected();
    const heard: string[] = [];
    listener.on("message", (topic, payload) => heard.push(`${topic.split("/").at(-1)} ${payload}`));
    const grants = await listener.subscribeAsync(["foieflow/#", "$SYS/#"], { qos: 1 });
    assert.ok(grants.every(({ qos }) => qos < 3));
    await device.publishAsync(SAMPLE, "new", { qos: 1 });
    await until(() => heard.includes("sample new"));
    assert.ok(heard.includes("status online"));
    assert.ok(!heard.includes("sample old"));
  });

  it("asks for device id and token on any other bind, and keeps a device below its name", async () => {
    await open({}, attachment(inbox, trustPolicy({ host: "0.0.0.0", deviceToken: "s3cret" })));
    for (const options of [{}, { username: "dev-1", password: "wrong" }]) await happens(clients.make(options), "error");
    assert.deepEqual(inbox.refused(), { "no-credential": 1, "bad-token": 1 });
    const device = await clients.connected({ username: "dev-1", password: "s3cret" });
    await device.publishAsync(SAMPLE, "mine", { qos: 1 });
    assert.equal(inbox.taken[0]?.provenDeviceId, "dev-1");
    await assert.rejects(device.subscribeAsync("foieflow/#"));
    await device.subscribeAsync("foieflow/plant/line/dev-1/set");
    device.publish(SAMPLE.replace("dev-1", "dev-2"), "not mine", { qos: 1 });
    await happens(device, "close");
    assert.equal(inbox.taken.length, 1);
    assert.equal(inbox.refused()["forbidden-topic"], 2);
  });

  it("refuses an empty client id with a lasting session, and connections beyond its bound", async () => {
    await open({ maxConnections: 1 });
    const socket = connectTcp(broker.port, "127.0.0.1");
    socket.write(Buffer.from([0x10, 12, 0, 4, ...Buffer.from("MQTT"), 4, 0, 0, 0, 0, 0]));
    const [connack] = await once(socket, "data");
    assert.deepEqual(connack, Buffer.from([0x20, 2, 0, 2]));
    await until(() => broker.connections === 0);
    await clients.connected();
    await happens(clients.make(), "close");
    assert.equal(inbox.refused()["too-many-connections"], 1);
  });

  it("keeps connections through a deploy", async () => {
    const { detach } = await open();
    const device = await clients.connected();
    detach();
    await device.publishAsync(SAMPLE, "between", { qos: 1 });
    reception.attach(attachment(inbox));
    await device.publishAsync(SAMPLE, "after", { qos: 1 });
    assert.deepEqual(inbox.texts(), ["between", "after"]);
    assert.equal(device.connected, true);
  });

  it("says so when its port is taken", async () => {
    await open();
    await assert.rejects(MqttBroker.open({ host: "127.0.0.1", port: broker.port }, reception), { code: "EADDRINUSE" });
  });
});
