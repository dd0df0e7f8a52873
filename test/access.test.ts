import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import mqtt from "mqtt";
import { WebSocket } from "ws";
import { capturedLines, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { ADMIN_PASSWORD, Line, until } from "./support/line.ts";

const DEVICE_TOKEN = "a-device-token";
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

/** Speaks just enough Engine.IO to see whether the dashboard's socket lets us in: its first answers after the connect packet. */
async function dashboardSocket(line: Line, headers: Record<string, string> = {}): Promise<string> {
  const open = await fetch(`${line.base}/dashboard/socket.io/?EIO=4&transport=polling`, { headers });
  if (open.status !== 200) return `http ${open.status}`;
  const { sid } = JSON.parse((await open.text()).slice(1));
  const url = `${line.base}/dashboard/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  await fetch(url, { method: "POST", body: "40", headers });
  return (await fetch(url, { headers })).text();
}

async function editorToken(line: Line): Promise<string> {
  const answer = await fetch(`${line.base}/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_id: "node-red-admin",
      grant_type: "password",
      scope: "*",
      username: "admin",
      password: ADMIN_PASSWORD,
    }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

async function websocketAnswer(url: string, headers: Record<string, string> = {}): Promise<string> {
  const socket = new WebSocket(url, { headers });
  return new Promise((resolve) => {
    socket.on("message", (data) => {
      socket.close();
      resolve(JSON.parse(String(data)).type);
    });
    socket.on("unexpected-response", (_request, response) => resolve(`http ${response.statusCode}`));
    socket.on("error", () => resolve("closed"));
  });
}

async function mqttAnswer(port: number, options: { username?: string; password?: string }): Promise<string> {
  try {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: 5000,
      ...options,
    });
    await client.endAsync();
    return "connected";
  } catch (error) {
    return error instanceof Error && /not authorized|bad user/i.test(error.message) ? "not authorized" : String(error);
  }
}

describe("trust follows the bind", function () {
  this.timeout(120_000);
  let line: Line;

  describe("on loopback", () => {
    before(async () => {
      line = await Line.create();
      await line.start();
    });
    after(() => line.remove());

    it("lets this machine read the page and its socket, but asks at the editor", async () => {
      assert.equal((await fetch(`${line.base}/dashboard/line`)).status, 200);
      assert.match(await dashboardSocket(line), /^40\{/);
      assert.equal((await fetch(`${line.base}/flows`)).status, 401);
      assert.equal((await fetch(`${line.base}/settings`)).status, 401);
    });

    it("trusts nobody who comes through a proxy or from another site's page", async () => {
      assert.equal(
        (await fetch(`${line.base}/dashboard/line`, { headers: { "x-forwarded-for": "10.1.2.3" } })).status,
        401,
      );
      assert.equal(
        (await fetch(`${line.base}/dashboard/line`, { headers: { forwarded: "for=10.1.2.3" } })).status,
        401,
      );
      assert.equal(
        (await fetch(`${line.base}/api/line/accounts`, { headers: { origin: "http://evil.example" } })).status,
        403,
      );
      assert.doesNotMatch(await dashboardSocket(line, { origin: "http://evil.example" }), /^40\{/);
      const url = `ws://127.0.0.1:${line.port}/ws/sensors/`;
      assert.match(await websocketAnswer(url, { origin: "http://evil.example" }), /^http 40[13]$/);
      assert.match(await websocketAnswer(url, { "x-forwarded-for": "10.1.2.3" }), /^http 40[13]$/);
      assert.equal(await websocketAnswer(url), "connection_established");
    });

    it("keeps its secrets to itself", async () => {
      assert.equal(statSync(path.join(line.dataDir, "secrets.json")).mode & 0o777, 0o600);
      assert.equal(statSync(line.dataDir).mode & 0o077, 0);
      const secrets = readFileSync(path.join(line.dataDir, "secrets.json"), "utf8");
      assert.ok(!secrets.includes(ADMIN_PASSWORD));
      assert.doesNotMatch(line.output, new RegExp(ADMIN_PASSWORD));
    });

    it("stores a deploy in one file per tab, and only what changed", async () => {
      const authorization = `Bearer ${await editorToken(line)}`;
      const flows = path.join(line.dataDir, "flows");
      const api = async (method: string, body?: unknown) => {
        const answer = await fetch(`${line.base}/flows`, {
          method,
          headers: { authorization, "content-type": "application/json", "node-red-api-version": "v2" },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        assert.equal(answer.status, 200);
        return answer.json();
      };
      const files = [
        "00-config.json",
        "10-ingest.json",
        "20-grade.json",
        "30-store.json",
        "40-line-page.json",
        "50-api.json",
      ];
      const texts = () => files.map((file) => readFileSync(path.join(flows, file), "utf8"));
      const before = texts();
      const deployed = await api("GET");
      await api("POST", deployed);
      assert.deepEqual(texts(), before, "a deploy that changes nothing writes nothing");

      const changed = await api("GET");
      changed.flows.find((node: { id: string }) => node.id === "grade").name = "renamed";
      await api("POST", changed);
      const after = texts();
      assert.deepEqual(
        files.filter((_, index) => before[index] !== after[index]),
        ["20-grade.json"],
      );

      // A device that is connected meanwhile is not dropped by a deploy.
      const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
      await api("POST", await api("GET"));
      const [sample] = samplesOf(capturedLines().current);
      await device.send(sample ?? "");
      await until("the sample", async () => (await line.query("SELECT 1 FROM fusion_results")).length === 1);
      assert.equal(device.socket.readyState, WebSocket.OPEN);
      await device.close();
    });

    it("keeps a site's changed flow over a release, and says so", async () => {
      await line.stop();
      const marker = path.join(line.dataDir, "flows", ".shipped.json");
      const shipped = JSON.parse(readFileSync(marker, "utf8"));
      writeFileSync(marker, JSON.stringify({ ...shipped, "20-grade.json": "hash-of-an-older-release" }));
      await line.start();
      assert.match(line.output, /20-grade\.json was changed on this site/);
      assert.match(readFileSync(path.join(line.dataDir, "flows", "20-grade.json"), "utf8"), /"renamed"/);
    });
  });

  describe("on any other bind", () => {
    before(async () => {
      line = await Line.create({ HOST: "0.0.0.0", DEVICE_TOKEN });
      await line.start();
    });
    after(() => line.remove());

    it("asks people, this machine too, and takes the cookie afterwards", async () => {
      for (const url of ["/dashboard/line", "/dashboard/_setup", "/api/line/accounts"])
        assert.equal((await fetch(line.base + url)).status, 401, url);
      assert.doesNotMatch(await dashboardSocket(line), /^40\{/);
      assert.equal(
        (await fetch(`${line.base}/dashboard/line`, { headers: { authorization: basic("admin", "wrong") } })).status,
        401,
      );
      const signedIn = await fetch(`${line.base}/dashboard/line`, {
        headers: { authorization: basic("admin", ADMIN_PASSWORD) },
      });
      assert.equal(signedIn.status, 200);
      const cookie = signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";
      assert.equal((await fetch(`${line.base}/api/line/accounts`, { headers: { cookie } })).status, 200);
      assert.match(await dashboardSocket(line, { cookie }), /^40\{/);
    });

    it("asks devices on WebSocket", async () => {
      const url = `ws://127.0.0.1:${line.port}/ws/sensors/`;
      assert.equal(await websocketAnswer(url), "http 401");
      assert.equal(await websocketAnswer(`${url}?token=wrong`), "http 401");
      assert.equal(await websocketAnswer(`${url}?token=${DEVICE_TOKEN}`), "connection_established");
      assert.equal(await websocketAnswer(url, { authorization: `Bearer ${DEVICE_TOKEN}` }), "connection_established");
    });

    it("asks devices on MQTT", async () => {
      assert.equal(await mqttAnswer(line.mqttPort, {}), "not authorized");
      assert.equal(await mqttAnswer(line.mqttPort, { username: "ESP32_LL_01", password: "wrong" }), "not authorized");
      assert.equal(await mqttAnswer(line.mqttPort, { username: "ESP32_LL_01", password: DEVICE_TOKEN }), "connected");
    });
  });
});
