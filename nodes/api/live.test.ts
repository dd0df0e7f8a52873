import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import helper from "node-red-node-test-helper";
import { WebSocket } from "ws";
import { registerPeopleGuard } from "../host/people-guard.ts";
import type { Sample } from "../sample/sample.ts";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { Plant } from "./fixture.test.ts";
import liveNode from "./live.ts";
import { type LiveFilter, readLive, wants } from "./live-protocol.ts";
import { LiveServer, type LiveSource } from "./live-server.ts";

type Message = { type: string; [key: string]: unknown };

describe("what live clients say", () => {
  it("is read in every spelling of SQAL's clients", () => {
    const read = (message: object) => readLive(JSON.stringify(message));
    assert.deepEqual(read({ command: "get_latest" }), { kind: "latest" });
    assert.deepEqual(read({ type: "get_latest" }), { kind: "latest" });
    assert.deepEqual(read({ type: "get_history", hours: 3 }), { kind: "history", hours: 3, limit: 100 });
    assert.deepEqual(read({ command: "get_history" }), { kind: "history", hours: 24, limit: 100 });
    assert.deepEqual(read({ command: "subscribe", device_ids: ["a"], grades: null, min_score: 0.5 }), {
      kind: "subscribe",
      filter: { devices: ["a"], minScore: 0.5 },
      spelling: "command",
    });
    assert.deepEqual(read({ type: "subscribe", filters: { min_grade: "A", site_code: "LL", lines: ["line-1"] } }), {
      kind: "subscribe",
      filter: { lines: ["line-1"], sites: ["LL"], grades: ["A+", "A"] },
      spelling: "type",
    });
  });

  it("is refused with a code where it makes no sense", () => {
    const code = (text: string) => {
      const request = readLive(text);
      return request.kind === "bad" ? request.code : request.kind;
    };
    assert.equal(code("{"), "not-json");
    assert.equal(code("[]"), "not-json");
    assert.equal(code('{"type":"__proto__"}'), "unknown-command");
    assert.equal(code('{"type":"get_history","hours":1e309}'), "bad-hours");
    assert.equal(code('{"type":"get_history","hours":"24"}'), "bad-hours");
    assert.equal(code('{"type":"subscribe","filters":{"grades":["Z"]}}'), "bad-filter");
    assert.equal(code('{"type":"subscribe","filters":{"lines":["a b"]}}'), "bad-filter");
    assert.equal(code('{"type":"subscribe","min_score":"high"}'), "bad-filter");
  });

  it("chooses samples; late ones only on demand", () => {
    const sample = makeSample({ lineId: "line-1", deviceId: "d1", lotAbattage: "L", score: 0.8 });
    assert.ok(wants({}, sample));
    assert.ok(wants({ lines: ["line-1"], devices: ["d1"], lots: ["L"], grades: ["A"], minScore: 0.8 }, sample));
    const others: LiveFilter[] = [
      { lines: ["x"] },
      { devices: ["x"] },
      { lots: ["x"] },
      { grades: ["B"] },
      { minScore: 0.9 },
    ];
    for (const filter of others) assert.equal(wants(filter, sample), false);
    assert.equal(wants({}, { ...sample, isHistorical: true }), false);
    assert.ok(wants({ historical: true }, { ...sample, isHistorical: true }));
  });
});

describe("LiveServer", function () {
  this.timeout(20_000);
  let http: Server;
  let live: LiveServer;
  let url: string;
  let port: number;
  const source: LiveSource = {
    latest: async (filter) => ({ sample_id: "newest", filter }),
    history: async (_filter, hours) => [{ hours }],
  };

  beforeEach(async () => {
    http = createServer();
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    const address = http.address();
    port = typeof address === "object" && address ? address.port : 0;
    url = `ws://127.0.0.1:${port}/ws/dashboard`;
    live = new LiveServer({
      server: http,
      path: "/ws/dashboard/",
      maxClients: 3,
      maxBufferedBytes: 256 * 1024,
      pingIntervalMs: 2000,
    });
    live.attach(source);
  });
  afterEach(async () => {
    registerPeopleGuard(undefined);
    await live.close();
    http.closeAllConnections();
    http.close();
  });

  /** A client that keeps what it hears. */
  async function join(headers: Record<string, string> = {}) {
    const socket = new WebSocket(`${url}/`, { headers });
    const heard: Message[] = [];
    socket.on("message", (data) => heard.push(JSON.parse(String(data))));
    socket.on("error", () => {});
    const next = async (type: string): Promise<Message> => {
      for (;;) {
        const index = heard.findIndex((message) => message.type === type);
        const [found] = index < 0 ? [] : heard.splice(index, 1);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await next("connection_established");
    return { socket, heard, next, say: (message: object) => socket.send(JSON.stringify(message)) };
  }
  const status = async (headers: Record<string, string>) => {
    const socket = new WebSocket(url, { headers });
    socket.on("error", () => {});
    const [, response] = await once(socket, "unexpected-response");
    socket.terminate();
    return response.statusCode;
  };

  it("greets, answers, and broadcasts what a client asked for", async () => {
    const { say, next, heard, socket } = await join();
    say({ command: "get_latest" });
    assert.deepEqual((await next("latest_data")).data, { sample_id: "newest", filter: {} });
    say({ type: "get_history", hours: 2 });
    assert.deepEqual((await next("history_data")).data, [{ hours: 2 }]);
    say({ type: "nonsense" });
    assert.equal((await next("error")).code, "unknown-command");
    say({ type: "subscribe", filters: { lots: ["L2"] } });
    await next("subscribe_ack");
    live.broadcast(makeSample({ lotAbattage: "L1" }));
    const wanted = makeSample({ lotAbattage: "L2" });
    live.broadcast(wanted);
    const { grade: _grade, ...ungraded } = makeSample({ lotAbattage: "L2" });
    live.broadcast(ungraded as Sample);
    const update = await next("sensor_update");
    assert.equal((update.fusion as Message).sample_uid, wanted.sampleUid);
    assert.equal(update.sample_id, wanted.sampleId);
    say({ type: "ping" });
    await next("pong");
    assert.deepEqual(heard, []);
    socket.close();
  });

  it("stays open through its own pings, and lets in no more than it may", async () => {
    const clients = [await join(), await join(), await join()];
    assert.equal(await status({}), 503);
    await new Promise((resolve) => setTimeout(resolve, 4500));
    assert.equal(live.clients, 3);
    for (const { socket } of clients) socket.close();
  });

  it("cuts off who does not read, and goes on for the others", async () => {
    const slow = connect(port, "127.0.0.1");
    slow.on("error", () => {});
    slow.write(
      `GET /ws/dashboard/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    await once(slow, "data");
    slow.pause();
    const reader = await join();
    const sample = makeSample({ metadata: {} });
    for (let n = 0; live.cutOff === 0; n += 1) {
      live.broadcast(sample);
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(live.cutOff, 1);
    await reader.next("sensor_update");
    assert.equal(reader.socket.readyState, WebSocket.OPEN);
    slow.destroy();
    reader.socket.terminate();
  });

  it("closes on a message that is too long, and survives bytes that are none", async () => {
    const { socket } = await join();
    const closing = once(socket, "close");
    socket.send("x".repeat(20_000));
    assert.equal((await closing)[0], 1009);
    const other = await join();
    other.socket.send(Buffer.from([0xff, 0xfe]));
    assert.equal((await other.next("error")).code, "not-json");
    other.socket.close();
  });

  it("without a sign-in lets in this machine only; with one, whom it lets in, as long as it does", async () => {
    assert.equal(await status({ origin: "http://evil.example" }), 403);
    assert.equal(await status({ "x-forwarded-for": "10.0.0.9" }), 401);
    let standing = true;
    registerPeopleGuard({
      judge: async ({ headers }) =>
        headers.cookie === "right"
          ? { allowed: true, person: () => (standing ? { name: "lea", role: "operator" } : undefined) }
          : { allowed: false, status: 401 },
    });
    assert.equal(await status({}), 401);
    const { socket } = await join({ cookie: "right" });
    const closing = once(socket, "close");
    standing = false;
    assert.equal((await closing)[0], 4401);
  });
});

describe("foieflow-live", function () {
  this.timeout(60_000);
  it("tells of stored samples, answers out of the database, and keeps its clients through a deploy", async () => {
    const plant = await Plant.open();
    try {
      const flow = [{ id: "live", type: "foieflow-live", z: "tab", database: "db", wires: [] }];
      await plant.load(flow, [liveNode]);
      const stored = makeSample({ measuredAt: new Date().toISOString() });
      await plant.store([stored]);
      const socket = new WebSocket(`${helper.url().replace("http", "ws")}/ws/dashboard/`);
      const heard: Message[] = [];
      socket.on("message", (data) => heard.push(JSON.parse(String(data))));
      const until = async (type: string): Promise<Message> => {
        for (;;) {
          const found = heard.find((message) => message.type === type);
          if (found) return found;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await until("connection_established");
      socket.send('{"command":"get_latest"}');
      const latest = (await until("latest_data")).data as Record<string, unknown>;
      assert.deepEqual([latest.sample_uid, latest.final_grade], [stored.sampleUid, stored.grade?.grade]);
      assert.ok(latest.vl53l8ch && latest.as7341);
      socket.send('{"type":"get_history","hours":1}');
      assert.equal((await until("history_data")).count, 1);
      helper.getNode("live").receive({ payload: stored });
      assert.equal((await until("sensor_update")).sample_id, stored.sampleId);
      await helper.setFlows([...plant.flow(), ...flow]);
      heard.length = 0;
      helper.getNode("live").receive({ payload: makeSample() });
      await until("sensor_update");
      socket.close();
    } finally {
      await plant.close();
    }
  });
});
