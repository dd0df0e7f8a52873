import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import mqtt, { type MqttClient } from "mqtt";
import { WebSocket } from "ws";
import { MqttBroker } from "./mqtt-broker.ts";
import { Reception } from "./reception.ts";
import { attachment, GatedInbox, until } from "./support.test.ts";
import { WebSocketDoor } from "./websocket-server.ts";

setFlagsFromString("--expose-gc");

const DEVICES = 500;
const MOST_GROWTH_BYTES = 64 * 1024 * 1024;
const all = Array.from({ length: DEVICES }, (_, index) => index);
const within = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.random() * ms));

// The times are for `npm run bench`; what is held here is that nobody is turned away, lost or forgotten.
describe("broker: many devices, and bad ones", function () {
  this.timeout(120_000);
  let inbox: GatedInbox;
  beforeEach(() => {
    inbox = new GatedInbox();
    inbox.attach((entry) => inbox.settle(entry.entryId, { kind: "stored" }));
  });

  it("takes five hundred WebSocket devices back that come within a second, and a sample of each", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const door = new WebSocketDoor({ server });
    door.reception.attach(attachment(inbox));
    const sockets = new Set<WebSocket>();
    async function visit(index: number): Promise<void> {
      await within(1000);
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/sensors/`, { perMessageDeflate: false });
      sockets.add(socket);
      await new Promise((resolve, reject) => socket.once("message", resolve).once("error", reject));
      socket.send(JSON.stringify({ v: 1, device: `dev-${index}`, hello: true, ack: true }));
      const answered = new Promise((resolve) => socket.once("message", resolve));
      socket.send(JSON.stringify({ v: 1, device: `dev-${index}`, boot: 1, seq: inbox.taken.length }));
      await answered;
    }
    for (const round of [1, 2]) {
      await Promise.all(all.map(visit));
      assert.deepEqual([door.connections, inbox.taken.length], [DEVICES, round * DEVICES]);
      for (const socket of sockets) socket.terminate();
      sockets.clear();
      await until(() => door.connections === 0);
    }
    assert.deepEqual(inbox.refused(), {});
    await door.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it("takes five hundred MQTT devices back that come within a second, and a sample of each", async () => {
    const reception = new Reception("mqtt");
    const broker = await MqttBroker.open({ host: "127.0.0.1", port: 0 }, reception);
    reception.attach(attachment(inbox));
    const clients: MqttClient[] = [];
    async function visit(index: number): Promise<void> {
      await within(1000);
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
        clientId: `dev-${index}`,
        reconnectPeriod: 0,
        connectTimeout: 60_000,
      });
      clients.push(client);
      await client.publishAsync(`foieflow/s/l/dev-${index}/sample`, "x", { qos: 1 });
    }
    for (const round of [1, 2]) {
      await Promise.all(all.map(visit));
      assert.deepEqual([broker.connections, inbox.taken.length], [DEVICES, round * DEVICES]);
      for (const client of clients.splice(0)) client.stream.destroy();
      await until(() => broker.connections === 0);
    }
    assert.deepEqual(inbox.refused(), {});
    await broker.close();
  });

  it("serves devices on while a subscriber never reads, and holds no more than a bound for it", async () => {
    const reception = new Reception("mqtt");
    const broker = await MqttBroker.open({ host: "127.0.0.1", port: 0 }, reception);
    reception.attach(attachment(inbox));
    // CONNECT, then SUBSCRIBE to everything, then silence.
    const frozen: Socket = connectTcp(broker.port, "127.0.0.1");
    frozen.on("error", () => undefined);
    frozen.write(Buffer.from("101000044d5154540402000000046b616c74", "hex"));
    await new Promise((resolve) => frozen.once("data", resolve));
    frozen.write(Buffer.from("8206000100012300", "hex"));
    await new Promise((resolve) => frozen.once("data", resolve));
    frozen.pause();
    const device = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
    const payload = Buffer.alloc(256 * 1024, 1);
    const before = process.memoryUsage().external;
    let taken = 0;
    for (let sent = 0; sent < 400; sent += 1) {
      await device.publishAsync("foieflow/s/l/dev-1/sample", payload, { qos: 1 });
      taken += inbox.taken.splice(0).length;
    }
    // 100 MB went by; what the frozen one left unread was let go of with it.
    assert.deepEqual([taken, inbox.refused()], [400, { unread: 1 }]);
    const collect: unknown = runInNewContext("gc");
    if (typeof collect === "function") collect();
    const grown = process.memoryUsage().external - before;
    assert.ok(grown < MOST_GROWTH_BYTES, `${grown} bytes`);
    await device.endAsync();
    frozen.destroy();
    await broker.close();
  });
});
