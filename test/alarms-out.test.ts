import assert from "node:assert/strict";
import mqtt, { type MqttClient } from "mqtt";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";
import type { AlarmMessage } from "../nodes/alarm/out-state.ts";
import type { Role } from "../nodes/sample/roles.ts";
import { SampleMaker } from "../scripts/load/samples.ts";
import { WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";
import { freePort } from "./support/ports.ts";

const DEVICE_TOKEN = "a-device-token";
const DEVICE = "ESP32_OUT_01";
const ALARM = `uncalibrated:${DEVICE}`;

/** The shipped flows, beyond loopback: what other systems hear of alarms, and may do about them. */
describe("the alarms of a running line, elsewhere", function () {
  this.timeout(120_000);
  let line: Line;
  let server: SMTPServer;
  let subscriber: MqttClient;
  const mails: Email[] = [];
  const told: AlarmMessage[] = [];
  const stateTold = (alarm: string) => told.findLast((message) => message.alarm === alarm);
  const ask = async (method: string, what: string, body: object | undefined, cookie?: string) => {
    const answer = await fetch(`${line.base}/api/alarms/${encodeURIComponent(ALARM)}/${what}`, {
      method,
      headers: { ...(cookie && { cookie }), ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  const connect = (username: string, password: string) =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${line.mqttPort}`, { username, password, reconnectPeriod: 0 });

  before(async () => {
    const smtpPort = await freePort();
    server = new SMTPServer({
      disabledCommands: ["STARTTLS"],
      authOptional: true,
      disableReverseLookup: true,
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () =>
          PostalMime.parse(Buffer.concat(chunks)).then((mail) => {
            mails.push(mail);
            done();
          }, done),
        );
      },
    });
    server.on("error", () => undefined);
    await new Promise<void>((resolve) => server.listen(smtpPort, "127.0.0.1", resolve));
    line = await Line.create({
      HOST: "0.0.0.0",
      DEVICE_TOKEN,
      ALARM_SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
      ALARM_MAIL_FROM: "ligne@plant.example",
      ALARM_MAIL_TO: "atelier@plant.example",
    });
    await line.start();
    const issued = await fetch(`${line.base}/api/devices/other-system/credential`, {
      method: "POST",
      headers: { cookie: await line.signIn("engineer") },
    });
    const { token } = (await issued.json()) as { token: string };
    subscriber = await connect("other-system", token);
    subscriber.on("message", (_topic, payload) => told.push(JSON.parse(payload.toString())));
    await subscriber.subscribeAsync("foieflow/+/alarms/+", { qos: 1 });
    const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/?token=${DEVICE_TOKEN}`);
    const maker = new SampleMaker("raw", DEVICE, 1, 1);
    for (let index = 0; index < 6; index += 1) await device.send(maker.next(Date.now()).bytes);
    await device.close();
  });
  after(async () => {
    await subscriber?.endAsync(true);
    await line?.remove();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it("are heard on MQTT", async () => {
    const { state, priority, site } = await until("the alarm on MQTT", () => stateTold(ALARM), 60_000);
    assert.deepEqual([state, priority, site], ["unacknowledged", "medium", "site-1"]);
  });

  it("are heard by who has a token of their own, which shows them nothing else; the shared one shows no alarms", async () => {
    for (const filter of ["foieflow/#", "foieflow/+/alarms/#", "foieflow/+/+/+", "foieflow/+/+/+/sample"])
      await assert.rejects(subscriber.subscribeAsync(filter), /Subscribe error/, filter);
    const device = await connect(DEVICE, DEVICE_TOKEN);
    await assert.rejects(device.subscribeAsync("foieflow/+/alarms/+"), /Subscribe error/);
    await device.endAsync();
  });

  it("are acknowledged and shelved over the API by who may, and MQTT hears by whom", async () => {
    const shelf = { minutes: 30, reason: "plaque blanche commandée" };
    assert.equal((await fetch(`${line.base}/api/alarms/x/acknowledge`, { method: "POST" })).status, 401);
    for (const [role, what, method, body, expected] of [
      ["viewer", "acknowledge", "POST", undefined, 403],
      ["viewer", "shelf", "PUT", shelf, 403],
      ["operator", "out-of-service", "PUT", { reason: "r" }, 403],
      ["operator", "acknowledge", "POST", undefined, 200],
      ["operator", "acknowledge", "POST", undefined, 409],
      ["operator", "shelf", "PUT", shelf, 200],
    ] as [Role, string, string, object | undefined, number][]) {
      const { status } = await ask(method, what, body, await line.signIn(role));
      assert.equal(status, expected, `${role} ${what}`);
    }
    const told = await until("the shelf on MQTT", () => {
      const message = stateTold(ALARM);
      return message?.state === "shelved" ? message : undefined;
    });
    assert.deepEqual([told.by, told.reason], ["operator", shelf.reason]);
    const { body } = await ask("PUT", "out-of-service", { reason: "démontée" }, await line.signIn("engineer"));
    assert.equal(body.state, "out-of-service");
    const rows = await until("the audit log", async () => {
      const found = await line.query(
        "SELECT actor, action, result FROM audit_log WHERE action LIKE 'alarm.%' AND actor <> 'viewer' ORDER BY seq",
      );
      return found.length >= 5 && found;
    });
    assert.deepEqual(
      rows.map(({ actor, action, result }) => `${actor} ${action} ${result}`),
      [
        "operator alarm.service refused",
        "operator alarm.ack done",
        "operator alarm.ack failed",
        "operator alarm.shelve done",
        "engineer alarm.service done",
      ],
    );
  });

  it("come by mail, in French, where they are high", async () => {
    const mail = await until("the mail of the silent device", () => mails[0], 90_000);
    assert.match(mail.subject ?? "", new RegExp(`^\\[FoieFlow site-1\\] Alarme haute : Capteur silencieux, ${DEVICE}`));
    assert.match(mail.text ?? "", /À faire : Vérifiez son alimentation/);
    assert.equal(mail.to?.[0]?.address, "atelier@plant.example");
  });
});
