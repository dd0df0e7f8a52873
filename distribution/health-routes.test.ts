import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import express, { type RequestHandler } from "express";
import { HealthCollector } from "../nodes/health/collect.ts";
import type { HealthSnapshot } from "../nodes/health/snapshot.ts";
import { openInbox } from "../test/support/inbox.ts";
import { healthRoutes, type LinePhase, readinessOf } from "./health-routes.ts";
import { metricsOf } from "./metrics.ts";
import { prometheusText } from "./prometheus.ts";

/** A real collector over a real inbox that took, settled and refused something. */
async function someHealth(): Promise<{ snapshot: HealthSnapshot; close(): void }> {
  const inbox = await openInbox({ limits: { maxEntryBytes: 100 } });
  const collector = new HealthCollector({ siteId: 'a "site"', dataDir: import.meta.dirname, factsEveryMs: 3_600_000 });
  collector.useInbox(inbox);
  const envelope = { receivedAt: new Date().toISOString(), siteId: "s", defaultLineId: "l", bytes: Buffer.from("x") };
  await inbox.append({ ...envelope, transport: "mqtt" });
  const second = await inbox.append({ ...envelope, transport: "websocket" });
  const emitted: string[] = [];
  inbox.attach(({ entryId }) => emitted.push(entryId));
  while (!emitted.includes(second)) await new Promise((resolve) => setImmediate(resolve));
  inbox.settle(second, { kind: "quarantined", reason: "not-json" });
  inbox.refuse("serial", "inbox-full");
  collector.batch({ rows: 5, stored: 1, duplicates: 0, quarantined: 0, ms: 20 });
  await collector.refresh();
  return { snapshot: collector.snapshot(), close: () => collector.close() };
}

describe("health and metrics", () => {
  let health: Awaited<ReturnType<typeof someHealth>>;
  let server: Server;
  let base: string;
  let phase: LinePhase = "running";
  let snapshot: HealthSnapshot | undefined;
  const refuse: RequestHandler = (_request, response) => response.status(401).end("no");

  before(async () => {
    health = await someHealth();
    snapshot = health.snapshot;
    const app = express();
    app.use(
      healthRoutes({
        phase: () => phase,
        doorsOpen: () => true,
        snapshot: () => snapshot,
        guard: refuse,
        metricsToken: "scraper",
      }),
    );
    server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    base = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
  });
  after(() => {
    health.close();
    server.close();
  });

  it("is ready while samples are taken, degraded without a database, and not otherwise", () => {
    const state = (changes: Partial<HealthSnapshot["inbox"]["store"]>, database: HealthSnapshot["database"]["state"]) =>
      readinessOf({
        phase: () => "running",
        doorsOpen: () => true,
        snapshot: () => ({
          ...health.snapshot,
          inbox: { ...health.snapshot.inbox, store: { ...health.snapshot.inbox.store, ...changes } },
          database: { ...health.snapshot.database, state: database },
        }),
      });
    assert.equal(state({}, "ready"), "ready");
    assert.equal(state({ full: false }, "away"), "degraded");
    assert.equal(state({ full: true }, "ready"), "refusing");
    assert.equal(state({ failure: "EIO" }, "ready"), "refusing");
    const still = { doorsOpen: () => true, snapshot: () => health.snapshot };
    assert.equal(readinessOf({ ...still, phase: () => "starting" }), "starting");
    assert.equal(readinessOf({ ...still, phase: () => "running", doorsOpen: () => false }), "refusing");
    assert.equal(readinessOf({ ...still, phase: () => "running", snapshot: () => undefined }), "refusing");
  });

  it("tells everybody one word", async () => {
    const ready = await fetch(`${base}/health/ready`);
    assert.deepEqual([ready.status, await ready.json()], [200, { state: "degraded" }]);
    assert.deepEqual(await (await fetch(`${base}/health/live`)).json(), { state: "live" });
    phase = "stopping";
    const stopping = await fetch(`${base}/health/ready`);
    assert.deepEqual([stopping.status, await stopping.json()], [503, { state: "stopping" }]);
    phase = "running";
  });

  it("gives the metrics to who shows the token, else asks the guard", async () => {
    assert.equal((await fetch(`${base}/metrics`)).status, 401);
    assert.equal((await fetch(`${base}/metrics`, { headers: { authorization: "Bearer other" } })).status, 401);
    const answer = await fetch(`${base}/metrics`, { headers: { authorization: "Bearer scraper" } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain;.* version=0\.0\.4/);
    const text = await answer.text();
    for (const line of [
      'foieflow_inbox_received_total{transport="mqtt"} 1',
      'foieflow_inbox_settled_total{transport="websocket",outcome="quarantined"} 1',
      'foieflow_inbox_quarantined_total{transport="websocket",reason="not-json"} 1',
      'foieflow_inbox_refused_total{transport="serial",reason="inbox-full"} 1',
      'foieflow_inbox_waiting_entries{transport="mqtt"} 1',
      'foieflow_inbox_unaccounted_entries{transport="mqtt"} 0',
      "foieflow_writer_rows_total 5",
      'foieflow_writer_batch_seconds{quantile="0.5"} 0.02',
      "foieflow_database_up 0",
      "foieflow_ready 1",
    ])
      assert.ok(text.includes(`\n${line}\n`), line);
    assert.match(text, /\nfoieflow_disk_free_bytes \d+\n/);
    assert.match(text, /^foieflow_info\{version="[^"]+",node="[^"]+",site="a \\"site\\""\} 1$/m);
  });

  it("keeps to the text format: each family once, typed, with legal names and numbers", () => {
    const families = metricsOf(health.snapshot, true);
    assert.equal(new Set(families.map(({ name }) => name)).size, families.length);
    for (const { name, type } of families) {
      assert.match(name, /^[a-z][a-z0-9_]*$/);
      assert.equal(name.endsWith("_total"), type === "counter", name);
    }
    for (const line of prometheusText(families).trimEnd().split("\n"))
      assert.match(
        line,
        /^# (HELP|TYPE) [a-z_0-9]+ .+$|^[a-z_0-9]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+$/,
      );
  });
});
