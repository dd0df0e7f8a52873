import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { Aedes, type AedesOptions } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import { MqttUplink, type MqttUplinkOptions } from "./mqtt-client.ts";
import { supportsSharedSubscriptions } from "./mqtt-probe.ts";
import { attachment, GatedInbox, happens, pause, until } from "./support.test.ts";

const SAMPLE = "foieflow/plant-2/line-b/dev-1/sample";

/** A stock broker at a port of its own, which can be stopped and come back with its sessions. */
class OtherBroker {
  readonly #aedes: Aedes;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  port = 0;

  constructor(aedes: Aedes) {
    this.#aedes = aedes;
  }

  static async open(options: AedesOptions = {}): Promise<OtherBroker> {
    const broker = new OtherBroker(await Aedes.createBroker(options));
    await broker.listen();
    return broker;
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      this.#aedes.handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async unplug(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  async close(): Promise<void> {
    await this.unplug();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
  }
}

describe("broker/mqtt-client", () => {
  let broker: OtherBroker;
  let inbox: GatedInbox;
  const uplinks: MqttUplink[] = [];
  const clients: MqttClient[] = [];

  beforeEach(() => {
    inbox = new GatedInbox();
  });
  afterEach(async () => {
    await Promise.all(uplinks.splice(0).map((uplink) => uplink.close()));
    await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
    await broker.close();
  });

  function open(options: Partial<MqttUplinkOptions> = {}) {
    const uplink = new MqttUplink({
      url: `mqtt://127.0.0.1:${broker.port}`,
      clientId: "line",
      connections: 2,
      probeMs: 100,
      reconnectMinMs: 20,
      ...options,
    });
    uplinks.push(uplink);
    const held = attachment(inbox);
    uplink.reception.attach(held);
    uplink.start();
    return { uplink, held };
  }

  async function device(): Promise<MqttClient> {
    const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
    clients.push(client);
    await happens(client, "connect");
    return client;
  }

  /** Publishes until the uplink's subscription is in force. */
  async function subscribed(client: MqttClient): Promise<void> {
    while (inbox.taken.length === 0) {
      await client.publishAsync(SAMPLE, "probe", { qos: 1 });
      await pause(20);
    }
  }

  /** What arrived besides probes; one of those may come late, or again after a cut link (at least once is the promise). */
  const samples = () => inbox.taken.filter(({ bytes }) => bytes.toString() !== "probe");
  const texts = () => samples().map(({ bytes }) => bytes.toString());

  it("falls back to one plain subscription and keeps the order", async () => {
    broker = await OtherBroker.open();
    const { uplink } = open();
    const client = await device();
    await subscribed(client);
    assert.equal(uplink.shared, false);
    const sent = Array.from({ length: 50 }, (_, index) => `${index}`);
    for (const text of sent) client.publish(SAMPLE, text, { qos: 1 });
    await until(() => samples().length >= 50);
    await pause(30);
    assert.deepEqual(texts(), sent);
    const { siteId, lineId, provenDeviceId } = samples()[0] ?? {};
    assert.deepEqual([siteId, lineId, provenDeviceId], ["plant-2", "line-b", "dev-1"]);
  });

  it("shares among its connections where the broker delivers shared subscriptions", async () => {
    // A broker that refuses `$share` outright is told from one that takes it, and that from one that delivers.
    broker = await OtherBroker.open({
      authorizeSubscribe: (_client, subscription, done) => {
        done(null, subscription.topic.startsWith("$share/") ? null : subscription);
      },
    });
    assert.equal(await supportsSharedSubscriptions(`mqtt://127.0.0.1:${broker.port}`, {}, "g", 2000), false);
    await broker.close();
    broker = await OtherBroker.open({
      authorizeSubscribe: (client, subscription, done) => {
        // Stands in for the real thing: one member of the group gets everything (by a filter of another spelling).
        const [share, , ...topic] = subscription.topic.split("/");
        if (share === "$share" && client.id !== "line-1") subscription.topic = topic.join("/").replace(/sample$/, "#");
        done(null, subscription);
      },
    });
    const { uplink } = open({ probeMs: 2000 });
    const client = await device();
    await subscribed(client);
    assert.equal(uplink.shared, true);
    assert.equal(uplink.connected, 2);
  });

  it("holds the acknowledgement until the inbox has it: what was not safe comes again", async () => {
    broker = await OtherBroker.open();
    const { uplink } = open();
    const client = await device();
    await subscribed(client);
    inbox.hold();
    await client.publishAsync(SAMPLE, "precious", { qos: 1 });
    await pause();
    await uplink.close(); // dies with the sample unacknowledged
    uplinks.length = 0;
    inbox = new GatedInbox();
    open();
    await until(() => samples().length > 0);
    assert.deepEqual(texts(), ["precious"]);
  });

  it("receives what was published while the link was down, and while the inbox was full", async () => {
    inbox = new GatedInbox({ maxEntries: 3 });
    broker = await OtherBroker.open();
    const { uplink } = open();
    const client = await device();
    const consumer = inbox.attach((entry) => inbox.settle(entry.entryId, { kind: "stored" }));
    await subscribed(client);
    consumer.detach();
    await broker.unplug();
    await until(() => uplink.connected === 0);
    await broker.listen();
    await until(() => uplink.connected === 2);
    const again = await device();
    for (let index = 0; index < 10; index += 1) await again.publishAsync(SAMPLE, `${index}`, { qos: 1 });
    await pause(100);
    assert.equal(inbox.stats().waiting, 3);
    inbox.attach((entry) => inbox.settle(entry.entryId, { kind: "stored" }));
    await until(() => texts().includes("9"));
    assert.deepEqual(texts(), [..."0123456789"]);
  });

  it("acknowledges and counts what is too large, and goes on", async () => {
    broker = await OtherBroker.open();
    open({ maxPayloadBytes: 1000 });
    const client = await device();
    await subscribed(client);
    await client.publishAsync(SAMPLE, "x".repeat(1001), { qos: 1 });
    await client.publishAsync("foieflow/plant/bad id/dev/sample", "y", { qos: 1 });
    await client.publishAsync(SAMPLE, "z", { qos: 1 });
    await until(() => samples().length === 2);
    assert.deepEqual(texts(), ["y", "z"]);
    assert.equal(samples()[0]?.problem, "bad-topic");
    assert.equal(inbox.refused().oversize, 1);
  });

  it("tells states, and control messages among the samples", async () => {
    broker = await OtherBroker.open();
    const { held } = open();
    const client = await device();
    await subscribed(client);
    const heartbeat = JSON.stringify({ type: "heartbeat", device_id: "dev-1" });
    await client.publishAsync(SAMPLE, heartbeat, { qos: 1 });
    await client.publishAsync(SAMPLE.replace("sample", "status"), "offline", { qos: 1 });
    await until(() => held.events.length === 2);
    assert.deepEqual(
      held.events.map(({ event, deviceId }) => [event, deviceId]),
      [
        ["heartbeat", "dev-1"],
        ["disconnected", "dev-1"],
      ],
    );
    assert.equal(samples().length, 0);
  });
});
