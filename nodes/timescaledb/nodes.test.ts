import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import type { Node } from "node-red";
import helper from "node-red-node-test-helper";
import { directoryWithDatabase } from "../../test/support/database-template.ts";
import { closeServices, openServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import { sampleFiguresOf } from "../sample/figures.ts";
import type { Envelope, Inbox, QuarantineRecord } from "../sample/inbox.ts";
import { makeSample } from "./fixture.test.ts";
import query from "./query.ts";
import { databaseService } from "./service.ts";
import store from "./store.ts";
import timescaledb from "./timescaledb.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

/** A field that names an environment variable. */
const variable = (name: string) => `\${${name}}`;

const envelope = (): Envelope => ({
  transport: "mqtt",
  receivedAt: new Date().toISOString(),
  siteId: "site",
  defaultLineId: "line",
  bytes: Buffer.from("x"),
});

describe("database nodes", function () {
  this.timeout(60_000);
  let dataDir: string;
  before(async () => {
    await closeServices(openServices());
    dataDir = await directoryWithDatabase("nodes");
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
  });
  afterEach(() => helper.unload());
  after(async () => {
    await closeServices(openServices());
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  const flow = (changes: Record<string, object> = {}) =>
    [
      { id: "tab", type: "tab", label: "t" },
      { id: "site", type: "foieflow-site", siteId: "plant", lineId: "belt", timeZone: "Europe/Paris", dataDir },
      { id: "db", type: "foieflow-timescaledb", url: variable("NO_SUCH_DATABASE_URL"), dataDir },
      {
        id: "store",
        type: "foieflow-store",
        z: "tab",
        site: "site",
        database: "db",
        wires: [["out"], ["batches"], ["figures"]],
      },
      {
        id: "query",
        type: "foieflow-query",
        z: "tab",
        database: "db",
        sql: "SELECT device_id, final_grade FROM fusion_results WHERE device_id = $1",
        parameters: [{ name: "device", type: "text" }],
        rowLimit: 2,
        wires: [["rows"]],
      },
      { id: "caught", type: "catch", z: "tab", scope: null, wires: [["errors"]] },
      ...["out", "batches", "figures", "rows", "errors"].map((id) => ({ id, type: "helper", z: "tab", wires: [] })),
    ].map((node) => ({ ...node, ...changes[node.id] }));

  type Received = { payload: unknown; entryId?: string; truncated?: boolean; error?: { message: string } };
  async function load(changes?: Record<string, object>) {
    const received: Record<string, Received[]> = { out: [], batches: [], figures: [], rows: [], errors: [] };
    await helper.load([siteNode, timescaledb, store, query], flow(changes));
    for (const [id, list] of Object.entries(received)) {
      helper.getNode(id).on("input", (msg: unknown) => list.push(msg as Received));
    }
    const until = async (condition: () => boolean) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return { received, until, node: (id: string): Node => helper.getNode(id) };
  }

  function inboxOf(): Inbox {
    const node = helper.getNode("site") as unknown as { inbox: Inbox };
    return node.inbox;
  }

  /** Has the inbox give out `count` entries and hands each id on. */
  async function entriesOf(inbox: Inbox, count: number, take: (entryId: string, index: number) => void) {
    let index = 0;
    const ids: string[] = [];
    const attached = inbox.attach((entry) => {
      ids.push(entry.entryId);
      take(entry.entryId, index++);
    });
    for (let i = 0; i < count; i++) await inbox.append(envelope());
    return { ids, detach: () => attached.detach() };
  }

  it("stores samples in order, settles them and quarantine records, and passes on what is new", async () => {
    const { received, until, node } = await load();
    const inbox = inboxOf();
    const before = inbox.stats();
    const samples = [
      makeSample({ deviceId: "node-1" }),
      makeSample({ deviceId: "node-1" }),
      makeSample({ deviceId: "node-1" }),
    ];
    const record: QuarantineRecord = {
      quarantine: true,
      reason: "not-json",
      detail: "?",
      transport: "mqtt",
      receivedAt: new Date().toISOString(),
      siteId: "site",
      bytes: Buffer.from("?"),
    };
    const payloads = [samples[0], samples[1], samples[0], record, samples[2]];
    const { detach } = await entriesOf(inbox, payloads.length, (entryId, i) =>
      node("store").receive({ entryId, topic: "site/line/node-1", payload: payloads[i] } as never),
    );
    assert.equal(await inbox.drain(50_000), 0);
    detach();
    await until(() => received.out?.length === 3);
    assert.deepEqual(
      received.out?.map((msg) => (msg.payload as { sampleUid: string }).sampleUid),
      samples.map((s) => s.sampleUid),
    );
    assert.deepEqual(
      received.figures?.map((msg) => msg.payload),
      samples.map((sample) => sampleFiguresOf(sample)),
    );
    const after = inbox.stats();
    assert.deepEqual(
      [after.stored - before.stored, after.duplicate - before.duplicate, after.quarantined - before.quarantined],
      [3, 1, 1],
    );
    const batches = received.batches?.map(
      (msg) => msg.payload as { rows: number; ms: number; duplicates: number; quarantined: number },
    );
    assert.ok(batches?.every(({ ms }) => ms > 0));
    assert.equal(
      batches?.reduce((sum, batch) => sum + batch.rows, 0),
      15,
    );
    assert.equal(
      batches?.reduce((sum, batch) => sum + batch.duplicates, 0),
      1,
    );
  });

  it("writes and settles on a deploy what it holds; the database outlives the deploy", async () => {
    const first = await load({ store: { maxAgeMs: 5000 } });
    const samples = Array.from({ length: 5 }, () => makeSample({ deviceId: "deployed" }));
    const inbox = inboxOf();
    const { detach } = await entriesOf(inbox, samples.length, (entryId, i) =>
      first.node("store").receive({ entryId, payload: samples[i] } as never),
    );
    await first.until(() => inbox.stats().waiting === 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    detach();
    await helper.unload();
    assert.ok(openServices().includes("database"));
    const second = await load();
    assert.equal(await inboxOf().drain(10_000), 0);
    second.node("query").receive({ payload: ["deployed"] });
    await second.until(() => second.received.rows?.length === 1);
    assert.equal(second.received.rows?.[0]?.truncated, true);
  });

  it("queries with parameters of the message, never with its SQL", async () => {
    const { received, until, node } = await load();
    node("query").receive({ payload: { device: "node-1" }, sql: "SELECT 1" } as never);
    await until(() => received.rows?.length === 1);
    assert.deepEqual(received.rows?.[0]?.payload, [
      { device_id: "node-1", final_grade: "A+" },
      { device_id: "node-1", final_grade: "A+" },
    ]);
    node("query").receive({ payload: { device: "' OR 1=1 --" } });
    await until(() => received.rows?.length === 2);
    assert.deepEqual(received.rows?.[1]?.payload, []);
    node("query").receive({ payload: {} });
    await until(() => received.errors?.length === 1);
    assert.match(received.errors?.[0]?.error?.message ?? "", /parameter device is missing/);
  });

  it("notes devices by their hello, and refuses what is no sample or has no entry", async () => {
    const { received, until, node } = await load({
      query: { sql: "SELECT mac, ip, location FROM devices WHERE device_id = $1" },
    });
    const at = new Date().toISOString();
    const message = { type: "hello", deviceId: "greeter", mac: "aa:bb", location: "Ligne A" };
    node("store").receive({
      payload: { event: "hello", deviceId: "greeter", transport: "websocket", at, remoteAddress: "10.1.1.1", message },
    });
    node("store").receive({ payload: { hello: 1 } });
    node("store").receive({ payload: makeSample() });
    await until(() => received.errors?.length === 2);
    assert.deepEqual(
      received.errors?.map((msg) => msg.error?.message.replace("Error: ", "")),
      ["store.errors.not-a-sample", "store.errors.no-entry"],
    );
    while ((received.rows?.at(-1)?.payload as unknown[] | undefined)?.length !== 1) {
      node("query").receive({ payload: ["greeter"] });
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    assert.deepEqual(received.rows?.at(-1)?.payload, [{ mac: "aa:bb", ip: "10.1.1.1", location: "Ligne A" }]);
  });

  it("says what is wrong with its configuration instead of guessing", async () => {
    const { received, until, node } = await load({ query: { database: "none" } });
    node("query").receive({ payload: ["x"] });
    await until(() => received.errors?.length === 1);
    assert.match(received.errors?.[0]?.error?.message ?? "", /no database is chosen/);
    const other = databaseService({ url: "postgres://elsewhere/db" });
    await assert.rejects(other.value, { code: "database-changed" });
    other.release();
    await helper.unload();
    await load({ db: { rawDays: "1" } });
    await assert.rejects((helper.getNode("db") as unknown as { database: Promise<unknown> }).database, {
      code: "bad-retention",
    });
  });
});
