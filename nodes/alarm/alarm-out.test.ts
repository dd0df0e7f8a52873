import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type Server as HttpServer, type IncomingHttpHeaders } from "node:http";
import { createRequire } from "node:module";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import mqtt, { type MqttClient } from "mqtt";
import type { Node } from "node-red";
import helper from "node-red-node-test-helper";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { ownDataDir } from "../../test/support/data-dir.ts";
import { until } from "../../test/support/line.ts";
import { nodeOf } from "../../test/support/nodes.ts";
import { freePort } from "../../test/support/ports.ts";
import { brokerKey } from "../broker/embedded-broker.ts";
import mqttDoor from "../broker/mqtt-door.ts";
import { closeServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import alarmMail from "./alarm-mail.ts";
import alarmMqtt from "./alarm-mqtt.ts";
import alarmWebhook from "./alarm-webhook.ts";
import alarms from "./alarms.ts";
import type { AlarmMessage } from "./out-state.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const FLOW = [
  { id: "tab", type: "tab", label: "t" },
  { id: "site", type: "foieflow-site", siteId: "plant", lineId: "belt", timeZone: "Europe/Paris" },
  { id: "alarms", type: "foieflow-alarms", z: "tab", site: "site", positions: 1, wires: [[], [], ["out"]] },
];
const load = (nodes: object[], credentials: Record<string, Record<string, string>> = {}) =>
  helper.load([siteNode, mqttDoor, alarms, alarmMqtt, alarmMail, alarmWebhook], [...FLOW, ...nodes], credentials);
const signal = (payload: object) => nodeOf("alarms").receive({ payload } as never);
const raise = (code: string, more: object = {}) => signal({ event: "alarm-raise", code, ...more });
const acknowledge = (id: string) =>
  nodeOf("alarms").receive({
    payload: { action: "alarm.ack", request: "r", id },
    _client: { user: { name: "Léa", role: "operator" } },
  } as never);
const statusTexts = () => {
  const { status } = nodeOf("out") as Node & { status: { args: [{ text: string }][] } };
  return status.args.map(([{ text }]) => text);
};

/** Everything a subscriber is told of alarms. */
async function subscribe(port: number): Promise<{ client: MqttClient; told: (AlarmMessage & { topic: string })[] }> {
  const told: (AlarmMessage & { topic: string })[] = [];
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  client.on("message", (topic, payload) => told.push({ topic, ...JSON.parse(payload.toString()) }));
  await client.subscribeAsync("foieflow/plant/alarms/+", { qos: 1 });
  return { client, told };
}

describe("the alarms' ways out", function () {
  this.timeout(60_000);
  before(() => helper.startServer());
  after(() => helper.stopServer());
  ownDataDir();
  beforeEach(() => helper.settings({ uiHost: "127.0.0.1" }));
  afterEach(() => helper.unload());

  describe("on MQTT", () => {
    let port: number;
    const out = (more: object = {}) => ({
      id: "out",
      type: "foieflow-alarm-mqtt",
      z: "tab",
      site: "site",
      host: "127.0.0.1",
      port,
      ...more,
    });
    const door = () => ({
      id: "door",
      type: "foieflow-mqtt",
      z: "tab",
      site: "site",
      host: "127.0.0.1",
      port,
      wires: [[]],
    });
    before(async () => {
      port = await freePort();
    });

    it("tell each change on the embedded broker, and its last state to who subscribes later", async () => {
      await load([out(), door()]);
      const early = await until("the broker", () => subscribe(port).catch(() => undefined));
      raise("device-silent", { subject: "esp/1+", priority: "high", value: 42, limit: 30, unit: "s" });
      const first = await until("the alarm", () => early.told[0]);
      assert.equal(first.topic, "foieflow/plant/alarms/device-silent:esp%2F1%2B");
      const { at, topic: _, ...rest } = first;
      assert.deepEqual(rest, {
        alarm: "device-silent:esp/1+",
        site: "plant",
        code: "device-silent",
        subject: "esp/1+",
        priority: "high",
        event: "raised",
        state: "unacknowledged",
        value: 42,
        limit: 30,
        unit: "s",
      });
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 10_000);
      acknowledge("device-silent:esp/1+");
      const second = await until("the acknowledgement", () => early.told[1]);
      assert.deepEqual([second.state, second.by], ["acknowledged", "Léa"]);
      const late = await subscribe(port);
      const kept = await until("what the broker keeps", () => late.told[0]);
      assert.deepEqual([kept.state, late.told.length], ["acknowledged", 1]);
      await Promise.all([early.client.endAsync(), late.client.endAsync()]);
      await until("the status", () => statusTexts().some((text) => text.startsWith("alarm-mqtt.status.sent")));
    });

    it("let nobody else tell of alarms on the embedded broker", async () => {
      await load([out(), door()]);
      const listener = await until("the broker", () => subscribe(port).catch(() => undefined));
      const liar = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
      const gone = new Promise((resolve) => liar.once("close", () => resolve(undefined)));
      liar.publish("foieflow/plant/alarms/disk-low", "{}", { qos: 1, retain: true }, () => undefined);
      await gone;
      raise("disk-low");
      await until("the true one", () => listener.told.length > 0);
      assert.deepEqual(
        listener.told.map(({ state }) => state),
        ["unacknowledged"],
      );
      await listener.client.endAsync();
    });

    it("tell all states again when the broker comes anew, and only from the priority wanted", async () => {
      await load([out({ least: "high" }), door()]);
      const { client } = await until("the broker", () => subscribe(port).catch(() => undefined));
      raise("disk-low", { priority: "critical" });
      raise("saturation", { priority: "low" });
      await until("both", () => statusTexts().length > 1);
      await client.endAsync();
      await closeServices([brokerKey("127.0.0.1", port)]);
      await helper.setFlows([...FLOW, out({ least: "high" }), door()] as never);
      const again = await until("the broker again", () => subscribe(port).catch(() => undefined));
      await until("what stands", () => again.told.length > 0);
      assert.deepEqual(
        [...new Set(again.told.map(({ alarm, state }) => `${alarm} ${state}`))],
        ["disk-low unacknowledged"],
      );
      await again.client.endAsync();
    });

    it("wait for an external broker that is away, count that, and tell the last state when it comes", async () => {
      const external = await freePort();
      await load([out({ url: `mqtt://127.0.0.1:${external}` })]);
      raise("disk-low");
      await until("the failure on the status", () =>
        statusTexts().some((text) => text.startsWith("alarm-mqtt.status.failing")),
      );
      acknowledge("disk-low");
      const aedes = await Aedes.createBroker();
      const server = createServer((socket) => aedes.handle(socket)).listen(external, "127.0.0.1");
      await once(server, "listening");
      try {
        const { client, told } = await subscribe(external);
        const state = await until("the state", () => told[0], 30_000);
        assert.deepEqual([state.alarm, state.state], ["disk-low", "acknowledged"]);
        await client.endAsync();
      } finally {
        await helper.unload();
        await new Promise<void>((resolve) => aedes.close(() => resolve()));
        server.close();
      }
    });
  });

  describe("by mail", () => {
    let servers: SMTPServer[] = [];
    let mails: (Email & { envelopeTo: string[] })[] = [];
    const out = (more: object = {}) => ({
      id: "out",
      type: "foieflow-alarm-mail",
      z: "tab",
      site: "site",
      from: "ligne@plant.example",
      to: "atelier@plant.example, qualite@plant.example",
      everyS: 0,
      ...more,
    });
    const listen = async (port: number, options: SMTPServerOptions = {}): Promise<void> => {
      const server = new SMTPServer({
        disabledCommands: ["STARTTLS"],
        authOptional: true,
        disableReverseLookup: true,
        onData(stream, session, done) {
          const chunks: Buffer[] = [];
          stream.on("data", (chunk: Buffer) => chunks.push(chunk));
          stream.on("end", () => {
            PostalMime.parse(Buffer.concat(chunks)).then((mail) => {
              mails.push({ ...mail, envelopeTo: session.envelope.rcptTo.map(({ address }) => address) });
              done();
            }, done);
          });
        },
        ...options,
      });
      servers.push(server);
      // A client that goes away in the middle is no error here.
      server.on("error", () => undefined);
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    };
    afterEach(async () => {
      await helper.unload();
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
      [servers, mails] = [[], []];
    });

    it("say in French what happened, to all who are to know, with what came together in one", async () => {
      const port = await freePort();
      await listen(port);
      await load([out({ url: `smtp://127.0.0.1:${port}` })]);
      raise("device-silent", { subject: "ESP32_01", priority: "high", value: 42, limit: 30, unit: "s" });
      raise("disk-low", { priority: "critical", value: 900, limit: 2048, unit: "MiB" });
      raise("saturation", { priority: "low" });
      const mail = await until("the mail", () => mails[0]);
      assert.equal(mail.subject, "[FoieFlow plant] Alarme critique : Le disque se remplit et 1 autre");
      assert.match(
        mail.text ?? "",
        /Alarme haute : Capteur silencieux, ESP32_01\n {2}Valeur : 42 s \(limite 30 s\)\n {2}À faire : Vérifiez/,
      );
      assert.match(mail.text ?? "", /900 Mio \(limite 2.048 Mio\)/);
      assert.doesNotMatch(mail.text ?? "", /saturées/);
      assert.deepEqual(mail.envelopeTo, ["atelier@plant.example", "qualite@plant.example"]);
      assert.equal(mail.from?.address, "ligne@plant.example");
      assert.equal(mail.headers.find(({ key }) => key === "auto-submitted")?.value, "auto-generated");
      signal({ event: "alarm-clear", code: "disk-low" });
      const over = await until("its end", () => mails[1]);
      assert.equal(over.subject, "[FoieFlow plant] Fin d’alarme : Le disque se remplit");
      await until("the status", () => statusTexts().some((text) => text.startsWith("alarm-mail.status.sent")));
    });

    it("sign in with the node's credentials, and never write them into the flow", async () => {
      const port = await freePort();
      const signedIn: unknown[] = [];
      await listen(port, {
        authOptional: false,
        allowInsecureAuth: true,
        onAuth({ username, password }, _session, done) {
          signedIn.push([username, password]);
          done(null, { user: username });
        },
      });
      await load([out({ url: `smtp://127.0.0.1:${port}`, language: "en" })], {
        out: { username: "line", password: "se/cret" },
      });
      raise("disk-low", { priority: "critical" });
      const mail = await until("the mail", () => mails[0]);
      assert.equal(mail.subject, "[FoieFlow plant] Critical alarm: The disk fills up");
      assert.deepEqual(signedIn, [["line", "se/cret"]]);
    });

    it("show that a server is away, never stall the flow, and go when it comes", async () => {
      const port = await freePort();
      await load([out({ url: `smtp://127.0.0.1:${port}` })]);
      raise("disk-low", { priority: "high" });
      await until("the failure on the status", () =>
        statusTexts().some((text) => text.startsWith("alarm-mail.status.failing")),
      );
      const before = performance.now();
      for (let index = 0; index < 200; index += 1) raise(`own-${index}`, { priority: "high" });
      assert.ok(performance.now() - before < 2000);
      await listen(port);
      await until("what waited", () => mails.length >= 2, 30_000);
      assert.match(mails[0]?.subject ?? "", /Le disque se remplit$/);
      // One more with what came meanwhile, the last hundred in full.
      assert.match(mails[1]?.subject ?? "", /own \d+ et 199 autres$/);
      assert.match(mails[1]?.text ?? "", /100 changements plus anciens : voir l’historique\./);
      assert.equal(mails.length, 2);
    });

    it("do not insist where the server refuses the message, and say what was given up", async () => {
      const port = await freePort();
      let asked = 0;
      await listen(port, {
        onRcptTo(_address, _session, done) {
          asked += 1;
          done(Object.assign(new Error("no such user"), { responseCode: 550 }));
        },
      });
      await load([out({ url: `smtp://127.0.0.1:${port}`, to: "nobody@plant.example" })]);
      const failed = new Promise<unknown>((resolve) => {
        nodeOf("out").once("call:error" as never, (call: { firstArg: unknown }) => resolve(call.firstArg));
      });
      raise("disk-low", { priority: "high" });
      assert.match(String(await failed), /alarm-mail\.errors\.given-up/);
      assert.equal(asked, 1);
    });

    it("give a server that says nothing its time, and do not trust a certificate nobody vouches for", async () => {
      const port = await freePort();
      const sockets = new Set<Socket>();
      const silent: Server = createServer((socket) => sockets.add(socket)).listen(port, "127.0.0.1");
      await once(silent, "listening");
      const secure = await freePort();
      await listen(secure, { secure: true });
      try {
        await load([out({ url: `smtps://127.0.0.1:${secure}` })]);
        raise("disk-low", { priority: "high" });
        await until("the refusal", () => statusTexts().some((text) => text.startsWith("alarm-mail.status.failing")));
        await helper.unload();
        await load([out({ url: `smtp://127.0.0.1:${port}` })]);
        raise("reject-rate", { priority: "high" });
        await until("the connection", () => sockets.size === 1);
        // A deploy does not wait for it.
        const before = performance.now();
        await helper.unload();
        assert.ok(performance.now() - before < 2000);
        assert.equal(mails.length, 0);
      } finally {
        for (const socket of sockets) socket.destroy();
        silent.close();
      }
    });

    it("are off without a server or an addressee, and say what is wrong with a setting", async () => {
      await load([out({ url: "", to: "" })]);
      await until("it to say so", () => statusTexts().includes("alarm-mail.status.off"));
      raise("disk-low", { priority: "critical" });
      await helper.unload();
      await load([out({ url: "smtp://user:secret@127.0.0.1:1" })]);
      await until("it to say so", () => statusTexts().includes("alarm-mail.status.bad-config"));
    });
  });

  describe("to a webhook", () => {
    interface Call {
      headers: IncomingHttpHeaders;
      body: AlarmMessage & { recordId: string };
    }
    let server: HttpServer | undefined;
    let calls: Call[] = [];
    /** What the server answers, call by call; 204 once they are used up. */
    let statuses: number[] = [];
    const out = (port: number, more: object = {}) => ({
      id: "out",
      type: "foieflow-alarm-webhook",
      z: "tab",
      site: "site",
      url: `http://127.0.0.1:${port}/alarms`,
      ...more,
    });
    const listen = async (port: number) => {
      server = createHttpServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        calls.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
        const status = statuses.shift() ?? 204;
        response.writeHead(status, status === 302 ? { location: `http://127.0.0.1:${port}/elsewhere` } : {});
        response.end();
      }).listen(port, "127.0.0.1");
      await once(server, "listening");
    };
    afterEach(async () => {
      await helper.unload();
      server?.closeAllConnections();
      server?.close();
      [server, calls, statuses] = [undefined, [], []];
    });
    const told = () => calls.map(({ body: { alarm, event } }) => `${alarm} ${event}`);

    it("tell each change in order, under a key of its own, with the node's token", async () => {
      const port = await freePort();
      await listen(port);
      await load([out(port, { least: "high" })], { out: { token: "se/cret" } });
      raise("device-silent", { subject: "ESP32_01", priority: "high", value: 42, limit: 30, unit: "s" });
      raise("saturation", { priority: "medium" });
      acknowledge("device-silent:ESP32_01");
      await until("both", () => calls.length === 2);
      const [first, second] = calls;
      assert.ok(first && second);
      const { recordId, at, ...rest } = first.body;
      assert.deepEqual(rest, {
        alarm: "device-silent:ESP32_01",
        site: "plant",
        code: "device-silent",
        subject: "ESP32_01",
        priority: "high",
        event: "raised",
        state: "unacknowledged",
        value: 42,
        limit: 30,
        unit: "s",
      });
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 10_000);
      const { authorization, "content-type": type, "idempotency-key": key } = first.headers;
      assert.deepEqual([authorization, type, key], ["Bearer se/cret", "application/json", recordId]);
      assert.deepEqual([second.body.event, second.body.by], ["acknowledged", "Léa"]);
      assert.notEqual(second.headers["idempotency-key"], key);
      await until("the status", () => statusTexts().some((text) => text.startsWith("alarm-webhook.status.sent")));
    });

    it("try again, with the same key and in order, until a server that is away or busy takes it", async () => {
      const port = await freePort();
      await load([out(port)]);
      raise("disk-low");
      await until("the failure on the status", () =>
        statusTexts().some((text) => text.startsWith("alarm-webhook.status.failing")),
      );
      acknowledge("disk-low");
      statuses = [503, 302];
      await listen(port);
      await until("what waited", () => calls.length === 4, 30_000);
      assert.deepEqual(told(), [...new Array(3).fill("disk-low raised"), "disk-low acknowledged"]);
      assert.equal(new Set(calls.slice(0, 3).map(({ headers }) => headers["idempotency-key"])).size, 1);
    });

    it("do not insist where the server says that the message is wrong, say so, and go on with the next", async () => {
      const port = await freePort();
      await listen(port);
      statuses = [422];
      await load([out(port)]);
      const failed = new Promise<unknown>((resolve) => {
        nodeOf("out").once("call:error" as never, (call: { firstArg: unknown }) => resolve(call.firstArg));
      });
      raise("disk-low");
      assert.match(String(await failed), /alarm-webhook\.errors\.given-up/);
      raise("reject-rate");
      await until("the next", () => calls.length === 2);
      assert.deepEqual(told(), ["disk-low raised", "reject-rate raised"]);
    });

    it("are off without an address, and say what is wrong with one", async () => {
      await load([out(0, { url: "" })]);
      await until("it to say so", () => statusTexts().includes("alarm-webhook.status.off"));
      raise("disk-low");
      for (const url of ["ftp://127.0.0.1/", "http://user:secret@127.0.0.1/"]) {
        await helper.unload();
        await load([out(0, { url })]);
        await until("it to say so", () => statusTexts().includes("alarm-webhook.status.bad-config"));
      }
    });
  });
});
