import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import { WebSocket } from "ws";
import { capturedLines, messageOf, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";

const SHARED = "a-shared-device-token";

describe("each device has a credential of its own", function () {
  this.timeout(120_000);
  let line: Line;
  const [sample = ""] = samplesOf(capturedLines().current);
  const deviceId = messageOf(sample).device_id;

  before(async () => {
    line = await Line.create({ HOST: "0.0.0.0", DEVICE_TOKEN: SHARED });
    await line.start();
  });
  after(() => line.remove());

  /** Runs the command on the running line. */
  const command = (...parameters: string[]): string =>
    execFileSync(process.execPath, [path.resolve(import.meta.dirname, "../scripts/device.ts"), ...parameters], {
      env: line.env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const url = () => `ws://127.0.0.1:${line.port}/ws/sensors/`;
  const publish = (client: MqttClient, device: string, text: string) =>
    client.publishAsync(`foieflow/site-1/line-1/${device}/sample`, text, { qos: 1 });
  async function connect(username: string, password: string): Promise<MqttClient> {
    return mqtt.connectAsync(`mqtt://127.0.0.1:${line.mqttPort}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: 10_000,
      username,
      password,
    });
  }
  const closed = (client: MqttClient) => new Promise<void>((resolve) => client.once("close", () => resolve()));
  const refused = (attempt: Promise<unknown>) => assert.rejects(attempt, /HTTP 401|[Nn]ot authorized|[Bb]ad/);

  it("lets it in below its own name alone, over WebSocket and MQTT, as soon as it is issued", async () => {
    const token = command("add", deviceId);
    await until("the token", () =>
      WebSocketDevice.connect(`${url()}?token=${token}`).then(
        (device) => device.close().then(() => true),
        () => false,
      ),
    );
    await refused(WebSocketDevice.connect(url(), { authorization: `Basic ${btoa(`other:${token}`)}` }));
    await refused(connect("other", token));
    const client = await connect(deviceId, token);
    await publish(client, deviceId, sample);
    await until("the sample", async () => (await line.query("SELECT 1 FROM fusion_results")).length === 1);
    const cut = closed(client);
    client.publish("foieflow/site-1/line-1/other/sample", sample, { qos: 1 }, () => undefined);
    await cut;
    client.on("error", () => undefined);
    await client.endAsync(true);
    // Its use is noted behind the connection.
    const inUse = new RegExp(`^${deviceId}\\tissued .* at the console\\tin use since`);
    await until("its use to be noted", () => inUse.test(command("list")));
  });

  it("no longer lets it in with the shared token, which still serves the others", async () => {
    await refused(connect(deviceId, SHARED));
    await (await connect("a-new-one", SHARED)).endAsync();
    await (await WebSocketDevice.connect(`${url()}?token=${SHARED}`)).close();
  });

  it("cuts its connections when it is revoked or replaced, and only those", async () => {
    const old = command("add", deviceId);
    const open = () => WebSocketDevice.connect(url(), { authorization: `Bearer ${old}` });
    const device = await until("the new token", () => open().catch(() => undefined));
    const client = await connect(deviceId, old);
    const other = await WebSocketDevice.connect(`${url()}?token=${SHARED}`);
    const ends = Promise.all([once(device.socket, "close"), closed(client)]);
    const replaced = command("add", deviceId);
    const [[code]] = await ends;
    assert.equal(code, 1008);
    const again = await connect(deviceId, replaced);
    const cut = closed(again);
    command("revoke", deviceId);
    await cut;
    await refused(connect(deviceId, replaced));
    await refused(open());
    assert.equal(other.socket.readyState, WebSocket.OPEN);
    await other.close();
    await Promise.all([client.endAsync(true), again.endAsync(true)]);
    assert.match(command("list"), /\trevoked /);
  });

  it("can be the only way in", async () => {
    await line.stop();
    line.env.DEVICE_TOKEN = "off";
    const token = command("add", deviceId);
    await line.start();
    for (const wrong of [SHARED, "off"]) {
      await refused(WebSocketDevice.connect(`${url()}?token=${wrong}`));
      await refused(connect("a-new-one", wrong));
    }
    await (await WebSocketDevice.connect(`${url()}?token=${token}`)).close();
    await (await connect(deviceId, token)).endAsync();
  });
});
