import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { capturedLines, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { ADMIN_PASSWORD, Line, until } from "./support/line.ts";
import { PostgresServer, serverPrograms } from "./support/postgres.ts";

const METRICS_TOKEN = "a-metrics-token";

/** Lines of the log's files, oldest first. */
function logged(line: Line): { time: string; level: string; component: string; message: string; code?: string }[] {
  const directory = path.join(line.dataDir, "logs");
  return readdirSync(directory)
    .sort((a, b) => (a < b ? 1 : -1))
    .flatMap((file) => readFileSync(path.join(directory, file), "utf8").split("\n").filter(Boolean))
    .map((text) => JSON.parse(text));
}

describe("operation: health, metrics and the log of a line", function () {
  this.timeout(120_000);
  let line: Line;
  before(async () => {
    line = await Line.create({ HOST: "0.0.0.0", DEVICE_TOKEN: "a-device-token", METRICS_TOKEN, LOG_FORMAT: "json" });
    // Written as JSON, the last line a start says is the editor's all the same.
    await line.start();
  });
  after(() => line.remove());

  it("is live and ready, and says nothing more to strangers", async () => {
    const ready = await until("the database", async () => {
      const answer = await fetch(`${line.base}/health/ready`);
      return answer.status === 200 && (await answer.json());
    });
    assert.deepEqual(ready, { state: "ready" });
    assert.deepEqual(await (await fetch(`${line.base}/health/live`)).json(), { state: "live" });
    assert.equal((await fetch(`${line.base}/metrics`)).status, 401);
  });

  it("counts a sample from the device to the committed row", async () => {
    const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/?token=a-device-token`);
    await device.send(samplesOf(capturedLines().current)[0] ?? "");
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    const metrics = await until("the stored sample", async () => {
      const text = await (await fetch(`${line.base}/metrics`, { headers })).text();
      return text.includes('foieflow_inbox_settled_total{transport="websocket",outcome="stored"} 1\n') && text;
    });
    assert.ok(metrics.includes('foieflow_inbox_received_total{transport="websocket"} 1\n'));
    assert.ok(metrics.includes('foieflow_inbox_waiting_entries{transport="websocket"} 0\n'));
    assert.ok(metrics.includes("foieflow_database_up 1\n"));
    await device.close();
  });

  it("stays ready through a deploy", async () => {
    const token = await (
      await fetch(`${line.base}/auth/token`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          client_id: "node-red-admin",
          grant_type: "password",
          scope: "*",
          username: "admin",
          password: ADMIN_PASSWORD,
        }),
      })
    ).json();
    const headers = { authorization: `Bearer ${token.access_token}`, "node-red-api-version": "v2" };
    const flows = await (await fetch(`${line.base}/flows`, { headers })).json();
    let deploying = true;
    const deploy = fetch(`${line.base}/flows`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "node-red-deployment-type": "full" },
      body: JSON.stringify(flows),
    }).finally(() => {
      deploying = false;
    });
    const seen = new Set<number>();
    do seen.add((await fetch(`${line.base}/health/ready`)).status);
    while (deploying);
    assert.equal((await deploy).status, 200);
    assert.deepEqual([...seen], [200]);
  });

  it("logs JSON lines on the console and in a file, Node-RED's too, and no secret", async () => {
    assert.equal(await line.stop(), 0);
    const console = line.output.split("\n").filter((text) => text.startsWith("{"));
    assert.ok(console.some((text) => JSON.parse(text).message.startsWith("line running")));
    const lines = logged(line);
    assert.ok(lines.some(({ component, message }) => component === "node-red" && message === "Started flows"));
    assert.equal(lines.at(-1)?.message, "stopped");
    const secrets = JSON.parse(readFileSync(path.join(line.dataDir, "secrets.json"), "utf8"));
    const all = line.output + JSON.stringify(lines);
    for (const secret of [
      ...Object.values(secrets).filter((value) => typeof value === "string"),
      METRICS_TOKEN,
      "a-device-token",
      ADMIN_PASSWORD,
    ])
      assert.ok(!all.includes(String(secret)));
  });
});

const programs = serverPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite("operation: a line whose database server goes away", function () {
  this.timeout(120_000);
  let server: PostgresServer;
  let line: Line;
  before(async () => {
    server = await PostgresServer.start(programs ?? "");
    line = await Line.create({ DATABASE_URL: server.url });
    await line.start();
  });
  after(async () => {
    await line?.remove();
    server?.stop();
  });

  const state = async () => {
    const answer = await fetch(`${line.base}/health/ready`);
    return `${answer.status} ${(await answer.json()).state}`;
  };
  const up = async () => /^foieflow_database_up (\d)$/m.exec(await (await fetch(`${line.base}/metrics`)).text())?.[1];

  it("is degraded but ready, and ready again when the server is back", async () => {
    await until("the line to be ready", async () => (await state()) === "200 ready");
    assert.equal(await up(), "1");
    server.halt();
    await until("it to see that the database is away", async () => (await state()) === "200 degraded", 60_000);
    assert.equal(await up(), "0");
    server.resume();
    await until("it to be ready again", async () => (await state()) === "200 ready", 60_000);
    assert.ok(logged(line).some(({ message }) => message.startsWith("the database is away")));
  });
});
