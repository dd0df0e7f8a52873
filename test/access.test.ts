import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { WebSocket } from "ws";
import { openAccounts } from "../distribution/people-setup.ts";
import type { Role } from "../nodes/sample/roles.ts";
import { capturedLines, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { ADMIN_PASSWORD, Line, PERSON_PASSWORD, until } from "./support/line.ts";

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

async function editorSignIn(line: Line, username: string, password: string): Promise<Response> {
  return fetch(`${line.base}/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_id: "node-red-editor", grant_type: "password", scope: "", username, password }),
  });
}

async function editorToken(line: Line): Promise<string> {
  const answer = await editorSignIn(line, "admin", ADMIN_PASSWORD);
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

/** Presses something on a page, and returns what the page is told: a refusal, or `done` when the widget was reached. */
async function act(line: Line, widget: string, payload: object, headers: Record<string, string>): Promise<string> {
  const url = `ws://127.0.0.1:${line.port}/dashboard/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { headers });
  try {
    return await new Promise((resolve) => {
      socket.on("error", () => resolve("closed"));
      socket.on("close", () => resolve("closed"));
      socket.on("message", (data) => {
        const text = String(data);
        if (text.startsWith("0")) socket.send("40");
        else if (text.startsWith("44")) resolve("refused connection");
        else if (text.startsWith("40")) {
          socket.send(`42${JSON.stringify(["widget-action", widget, { payload }])}`);
          // Events are handled in order: the answer to this one comes after the refusal, had there been one.
          socket.send(`42${JSON.stringify(["widget-load", widget])}`);
        } else if (text.startsWith('42["foieflow-refused"')) resolve(`needs ${JSON.parse(text.slice(2))[1].needed}`);
        else if (text.startsWith('42["widget-load:')) resolve("done");
      });
    });
  } finally {
    socket.close();
  }
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

    it("lets who has not signed in do nothing but look", async () => {
      assert.equal((await (await fetch(`${line.base}/auth/me`)).json()).role, "viewer");
      assert.equal(await act(line, "line-samples", { action: "sample.inspect", uid: "u" }, {}), "done");
      const calibrate = { action: "calibration.cancel", device: "d" };
      assert.equal(await act(line, "calibration-widget", calibrate, {}), "needs quality");
      assert.equal(await act(line, "calibration-widget", calibrate, { cookie: await line.signIn("quality") }), "done");
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
      assert.equal(statSync(line.dataDir).mode & 0o077, 0);
      await line.signIn();
      for (const file of ["secrets.json", "people.json", "sessions.json"]) {
        assert.equal(statSync(path.join(line.dataDir, file)).mode & 0o777, 0o600);
        assert.ok(!readFileSync(path.join(line.dataDir, file), "utf8").includes(ADMIN_PASSWORD));
      }
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

    it("asks people, this machine too: scripts with 401, a browser that goes to a page by leading it to the sign-in", async () => {
      for (const url of ["/dashboard/line", "/dashboard/_setup", "/api/line/accounts", "/auth/me"])
        assert.equal((await fetch(line.base + url)).status, 401, url);
      assert.doesNotMatch(await dashboardSocket(line), /^40\{/);
      // Not `fetch`, which says of itself that it is no browser on its way to a page.
      const led = await new Promise<IncomingMessage>((resolve, reject) =>
        get(`${line.base}/dashboard/line?lang=en`, { headers: { accept: "text/html" } }, resolve).on("error", reject),
      );
      led.resume();
      assert.equal(led.statusCode, 303);
      assert.equal(led.headers.location, "/auth/sign-in?next=%2Fdashboard%2Fline%3Flang%3Den");
      assert.equal((await fetch(`${line.base}/auth/sign-in`)).status, 200);
    });

    it("takes a password (HTTP Basic) or a cookie, and neither once signed out", async () => {
      const status = async (headers: Record<string, string>) =>
        (await fetch(`${line.base}/api/line/accounts`, { headers })).status;
      assert.equal(await status({ authorization: basic("admin", "wrong password") }), 401);
      assert.equal(await status({ authorization: basic("admin", ADMIN_PASSWORD) }), 200);
      const cookie = await line.signIn();
      assert.equal(await status({ cookie }), 200);
      assert.match(await dashboardSocket(line, { cookie }), /^40\{/);
      assert.equal((await fetch(`${line.base}/auth/sign-out`, { method: "POST", headers: { cookie } })).status, 204);
      assert.equal(await status({ cookie }), 401);
    });

    it("refuses a sign-in or a deploy from another site's page", async () => {
      const answer = await fetch(`${line.base}/auth/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: "http://evil.example" },
        body: JSON.stringify({ name: "admin", password: ADMIN_PASSWORD }),
      });
      assert.equal(answer.status, 403);
      const authorization = `Bearer ${await editorToken(line)}`;
      const deploy = await fetch(`${line.base}/flows`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json", origin: "http://evil.example" },
        body: "[]",
      });
      assert.equal(deploy.status, 403);
    });

    for (const [role, expected] of Object.entries({
      viewer: { calibrate: "needs quality", read: 401, deploys: false },
      operator: { calibrate: "needs quality", read: 401, deploys: false },
      quality: { calibrate: "done", read: 200, deploys: false },
      engineer: { calibrate: "done", read: 200, deploys: true },
    }) as [Role, { calibrate: string; read: number; deploys: boolean }][])
      it(`gives who signs in as ${role} what is theirs: pages, their actions, the API, the editor`, async () => {
        const headers = { cookie: await line.signIn(role) };
        assert.deepEqual(await (await fetch(`${line.base}/auth/me`, { headers })).json(), {
          name: role,
          role,
          isSignedIn: true,
          isIdle: false,
        });
        assert.equal((await fetch(`${line.base}/dashboard/line`, { headers })).status, 200);
        assert.equal((await fetch(`${line.base}/api/line/accounts`, { headers })).status, 200);
        assert.equal(await act(line, "line-samples", { action: "sample.inspect", uid: "u" }, headers), "done");
        const calibrate = { action: "calibration.cancel", device: "d" };
        assert.equal(await act(line, "calibration-widget", calibrate, headers), expected.calibrate);
        assert.equal(await act(line, "calibration-widget", { action: "no.such" }, headers), "needs admin");

        const flows = await fetch(`${line.base}/flows`, { headers: { ...headers, "node-red-api-version": "v2" } });
        assert.equal(flows.status, expected.read);
        const deploy = await fetch(`${line.base}/flows`, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json", "node-red-deployment-type": "reload" },
          body: JSON.stringify({ flows: [] }),
        });
        assert.equal(deploy.status !== 401, expected.deploys, String(deploy.status));
        const password = await editorSignIn(line, role, PERSON_PASSWORD);
        assert.equal(password.status === 200, expected.read === 200, "the editor's own sign-in is the same");
      });

    it("refuses nobody's action on the page's socket, and heeds a disabled account at once, in the editor too", async () => {
      assert.equal(await act(line, "line-samples", { action: "sample.inspect" }, {}), "refused connection");
      const headers = { cookie: await line.signIn("engineer") };
      const authorization = `Bearer ${(await (await editorSignIn(line, "engineer", PERSON_PASSWORD)).json()).access_token}`;
      const statuses = async () => [
        (await fetch(`${line.base}/auth/me`, { headers })).status,
        (await fetch(`${line.base}/settings`, { headers })).status,
        (await fetch(`${line.base}/settings`, { headers: { authorization } })).status,
      ];
      assert.deepEqual(await statuses(), [200, 200, 200]);
      openAccounts(line.dataDir).setDisabled("engineer", true);
      assert.deepEqual(await statuses(), [401, 401, 401]);
      assert.equal(await act(line, "line-samples", { action: "sample.inspect" }, headers), "refused connection");
    });

    it("lets the administrator alone keep the accounts, and quality read the audit log", async () => {
      const admin = { cookie: await line.signIn("admin"), "content-type": "application/json" };
      const engineer = { cookie: await line.signIn("viewer"), "content-type": "application/json" };
      const change = (headers: Record<string, string>, body: object) =>
        fetch(`${line.base}/auth/people`, { method: "POST", headers, body: JSON.stringify(body) });
      for (const url of ["/auth/people", "/auth/audit"]) {
        assert.equal((await fetch(line.base + url)).status, 401);
        assert.equal((await fetch(line.base + url, { headers: engineer })).status, 403);
      }
      const anne = { change: "add", name: "Anne Dubois", role: "quality", password: PERSON_PASSWORD };
      assert.equal((await change(engineer, anne)).status, 403);
      assert.equal((await change(admin, anne)).status, 200);
      assert.equal((await change(admin, anne)).status, 400);
      assert.equal((await change({ ...admin, origin: "http://evil.example" }, anne)).status, 403);
      const { people } = await (await fetch(`${line.base}/auth/people`, { headers: admin })).json();
      assert.ok(people.some((one: { name: string }) => one.name === "Anne Dubois"));
      assert.ok(!JSON.stringify(people).includes("scrypt"));
    });

    it("has it all in the audit log: sign-ins, refusals, deploys, accounts, each by whom and from where; and it is whole", async () => {
      const headers = { cookie: await line.signIn("quality") };
      const read = async () => (await (await fetch(`${line.base}/auth/audit?limit=500`, { headers })).json()).rows;
      type Row = { action: string; result: string; who: { name: string } | null; from: string | null; target: string };
      const has = (rows: Row[], who: string | undefined, action: string, result: string) =>
        rows.some((row) => row.who?.name === who && row.action === action && row.result === result && row.from);
      const rows: Row[] = await until("the records in the database", async () => {
        const found = await read();
        return found?.length > 20 && has(found, "admin", "people.add", "done") ? found : undefined;
      });
      for (const [who, action, result] of [
        ["operator", "person.sign-in", "done"],
        [undefined, "person.sign-in", "failed"],
        ["admin", "person.sign-out", "done"],
        ["operator", "calibration.cancel", "refused"],
        ["quality", "calibration.cancel", "done"],
        ["engineer", "editor.flows.set", "done"],
        ["quality", "editor.permission.fail", "refused"],
        ["viewer", "people.read", "refused"],
        ["admin", "people.add", "failed"],
      ] as const)
        assert.ok(has(rows, who, action, result), `${who} ${action} ${result}\n${JSON.stringify(rows, null, 1)}`);
      assert.ok(!JSON.stringify(rows).includes(PERSON_PASSWORD));
      const { stdout } = await promisify(execFile)(process.execPath, ["scripts/audit.ts", "verify"], {
        env: { ...process.env, DATA_DIR: line.dataDir },
      });
      assert.match(stdout, /is whole: \d+ lines/);
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
