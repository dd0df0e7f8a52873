import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { attachment, GatedInbox, pause, until } from "./support.test.ts";
import { trustPolicy } from "./trust.ts";
import { WebSocketDoor, type WebSocketDoorOptions } from "./websocket-server.ts";

const HELLO = { type: "esp32_hello", device_id: "ESP32_LL_01", location: "Ligne A" };

describe("broker/websocket-server", () => {
  let server: Server;
  let door: WebSocketDoor;
  let inbox: GatedInbox;
  const clients: WebSocket[] = [];

  beforeEach(async () => {
    server = createServer((_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    inbox = new GatedInbox();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.terminate();
    await door.close();
    await new Promise((resolve) => server.close(resolve));
  });

  function open(options: Partial<WebSocketDoorOptions> = {}, held = attachment(inbox)) {
    door = new WebSocketDoor({ server, ...options });
    return { held, ...door.reception.attach(held) };
  }

  function url(path = "/ws/sensors/"): string {
    const { port } = server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}${path}`;
  }

  /** A connected client with everything it received; the greeting has arrived. */
  async function connect(path?: string, headers: Record<string, string> = {}) {
    const socket = new WebSocket(url(path), { headers });
    clients.push(socket);
    const received: Record<string, unknown>[] = [];
    socket.on("message", (data) => received.push(JSON.parse(String(data))));
    await until(() => received.length > 0);
    return { socket, received, send: (message: unknown) => socket.send(JSON.stringify(message)) };
  }

  /** The HTTP status a client is turned away with. */
  async function turnedAway(path?: string, headers: Record<string, string> = {}): Promise<number | undefined> {
    const socket = new WebSocket(url(path), { headers });
    socket.on("error", () => undefined);
    const [, response] = await once(socket, "unexpected-response");
    socket.terminate();
    return response.statusCode;
  }

  it("greets first, takes text and binary, and never answers a client that did not ask", async () => {
    const { held } = open();
    const { socket, received, send } = await connect("/ws/sensors");
    assert.equal(received[0]?.type, "connection_established");
    send(HELLO);
    send({ type: "sensor_data", sample_id: "s-1" });
    socket.send(Buffer.from("\x01binary"));
    send("not a sample");
    send({ type: "heartbeat", device_id: "ESP32_LL_01" });
    await until(() => inbox.taken.length === 3 && held.events.length === 3);
    await pause();
    assert.equal(received.length, 1);
    assert.deepEqual(inbox.texts(), ['{"type":"sensor_data","sample_id":"s-1"}', "\x01binary", '"not a sample"']);
    const [first] = inbox.taken;
    assert.equal(first?.transport, "websocket");
    assert.equal(first?.siteId, "plant");
    assert.equal(first?.lineId, "Ligne-A");
    assert.equal(first?.defaultLineId, "belt");
    assert.equal(first?.provenDeviceId, undefined);
    assert.deepEqual(
      held.events.map(({ event, deviceId, lineId }) => [event, deviceId, lineId]),
      [
        ["connected", undefined, "belt"],
        ["hello", "ESP32_LL_01", "Ligne-A"],
        ["heartbeat", "ESP32_LL_01", "Ligne-A"],
      ],
    );
    socket.close();
    await until(() => held.events.length === 4);
    assert.equal(held.events[3]?.event, "disconnected");
    assert.equal(held.events[3]?.deviceId, "ESP32_LL_01");
  });

  it("acknowledges each sample to a client that asks, and only when the inbox has it", async () => {
    open();
    const { received, send } = await connect();
    send({ ...HELLO, ack: true });
    send({ type: "ping" });
    inbox.hold();
    send({ type: "sensor_data", sample_id: "s-1" });
    send("bare");
    await until(() => received.length === 2);
    await pause();
    assert.equal(received[1]?.type, "pong");
    assert.equal(received.length, 2);
    inbox.letThrough();
    await until(() => received.length === 4);
    assert.deepEqual(received.slice(2), [
      { type: "ack", sample_id: "s-1", entryId: inbox.ids[0] },
      { type: "ack", entryId: inbox.ids[1] },
    ]);
  });

  it("keeps the lines of several devices on one connection apart", async () => {
    open();
    const { send } = await connect();
    send(HELLO);
    send({ ...HELLO, device_id: "ESP32_LL_02", location: "Ligne B" });
    for (const device_id of ["ESP32_LL_01", "ESP32_LL_02", "ESP32_LL_03"]) send({ type: "sensor_data", device_id });
    send("whose?");
    await until(() => inbox.taken.length === 4);
    assert.deepEqual(
      inbox.taken.map(({ lineId }) => lineId),
      ["Ligne-A", "Ligne-B", undefined, undefined],
    );
  });

  it("closes 1009 on a message that is too large, counts it, and serves the others", async () => {
    open({ maxPayloadBytes: 1000 });
    const { socket, send } = await connect();
    const other = await connect();
    send("x".repeat(1000));
    const [code] = await once(socket, "close");
    assert.equal(code, 1009);
    assert.equal(inbox.refused().oversize, 1);
    other.send("still here");
    await until(() => inbox.taken.length === 1);
  });

  it("refuses 50 MB at the default limit", async () => {
    open();
    const { socket } = await connect();
    socket.on("error", () => undefined);
    socket.send(Buffer.alloc(50 * 1024 * 1024));
    await once(socket, "close");
    assert.equal(inbox.refused().oversize, 1);
    assert.equal(inbox.taken.length, 0);
  });

  it("stops reading while the inbox is full, loses nothing, keeps the order", async () => {
    inbox = new GatedInbox({ maxEntries: 5 });
    open({ maxPayloadBytes: 64 * 1024 });
    const { socket, send } = await connect();
    const texts = Array.from({ length: 200 }, (_, index) => JSON.stringify(`${index} ${"x".repeat(60_000)}`));
    for (const text of texts) send(JSON.parse(text));
    await until(() => inbox.taken.length === 5);
    await pause(100);
    assert.equal(inbox.taken.length, 5);
    assert.ok(socket.bufferedAmount > 0, "the client is held back");
    inbox.attach((entry) => setImmediate(() => inbox.settle(entry.entryId, { kind: "stored" })));
    await until(() => inbox.taken.length === 200);
    assert.deepEqual(inbox.texts(), texts);
    assert.equal(inbox.refused()["inbox-full"], undefined);
  });

  it("keeps what a client that asks for nothing has sent before it left", async () => {
    inbox = new GatedInbox({ maxEntries: 1 });
    const { held } = open();
    const { socket, send } = await connect();
    for (const text of ["a", "b", "c"]) send(text);
    socket.close();
    await until(() => held.events.some(({ event }) => event === "disconnected"));
    await until(() => inbox.taken.length > 0);
    await pause(80);
    assert.equal(inbox.taken.length, 1);
    inbox.attach((entry) => setImmediate(() => inbox.settle(entry.entryId, { kind: "stored" })));
    await until(() => inbox.taken.length === 3);
    assert.deepEqual(inbox.texts(), ['"a"', '"b"', '"c"']);
  });

  it("keeps its connections through a deploy, with the new node's settings", async () => {
    const { held, detach } = open();
    const { socket, send } = await connect();
    send(HELLO);
    await until(() => held.events.length === 2);
    assert.throws(() => door.reception.attach(attachment(inbox)), { code: "door-busy" });
    detach();
    send("while nobody is attached");
    await until(() => inbox.taken.length === 1);
    const later = { ...attachment(inbox), settings: { ...held.settings, siteId: "other" } };
    door.reception.attach(later);
    send("after");
    await until(() => inbox.taken.length === 2);
    assert.deepEqual(
      inbox.taken.map(({ siteId, lineId }) => [siteId, lineId]),
      [
        ["plant", "Ligne-A"],
        ["other", "Ligne-A"],
      ],
    );
    assert.equal(socket.readyState, socket.OPEN);
    assert.equal(server.listenerCount("upgrade"), 1);
    assert.equal(held.events.length, 2);
  });

  it("asks for a credential on any other bind, and refuses strangers with a reason that is counted", async () => {
    const { held } = open({}, attachment(inbox, trustPolicy({ host: "0.0.0.0", deviceToken: "s3cret" })));
    assert.equal(await turnedAway(), 401);
    assert.equal(await turnedAway("/ws/sensors/?token=wrong"), 401);
    assert.equal(await turnedAway("/ws/sensors/?token=s3cret", { origin: "http://evil.example" }), 403);
    const basic = `Basic ${Buffer.from("dev-7:s3cret").toString("base64")}`;
    const { send } = await connect("/ws/sensors/", { authorization: basic });
    await connect("/ws/sensors/?token=s3cret");
    send("x");
    send(HELLO); // another device's name
    await until(() => inbox.taken.length === 1 && inbox.refused()["identity-mismatch"] === 1);
    assert.equal(inbox.taken[0]?.provenDeviceId, "dev-7");
    assert.deepEqual(inbox.refused(), { "no-credential": 1, "bad-token": 1, "bad-origin": 1, "identity-mismatch": 1 });
    assert.ok(held.events.some(({ event, reason }) => event === "refused" && reason === "bad-token"));
  });

  it("trusts no forwarded header, foreign origin or foreign host name on a loopback bind", async () => {
    open();
    assert.equal(await turnedAway(undefined, { "x-forwarded-for": "127.0.0.1" }), 401);
    assert.equal(await turnedAway(undefined, { origin: "http://evil.example" }), 403);
    assert.equal(await turnedAway(undefined, { host: "evil.example" }), 401);
    assert.deepEqual(inbox.refused(), { forwarded: 1, "bad-origin": 1, "no-credential": 1 });
  });

  it("bounds its connections, and leaves other paths to others", async () => {
    open({ maxConnections: 1 });
    server.on("upgrade", (request, socket) => {
      if (request.url === "/other") socket.end("HTTP/1.1 418 Teapot\r\n\r\n");
    });
    await connect();
    assert.equal(await turnedAway(), 503);
    assert.equal(await turnedAway("/other"), 418);
    assert.deepEqual(inbox.refused(), { "too-many-connections": 1 });
  });

  it("cuts off a peer that does not answer pings", async () => {
    open({ pingIntervalMs: 40 });
    const silent = new WebSocket(url(), { autoPong: false });
    clients.push(silent);
    const { socket } = await connect();
    await once(silent, "close");
    await pause(100);
    assert.equal(socket.readyState, socket.OPEN);
    assert.equal(door.connections, 1);
  });

  it("terminates a device whose sample could not be kept, without an acknowledgement", async () => {
    open();
    const { socket, received, send } = await connect();
    send({ ...HELLO, ack: true });
    await inbox.close();
    send("lost");
    await once(socket, "close");
    assert.equal(received.length, 1);
    assert.equal(inbox.refused()["inbox-closed"], 1);
  });
});
