import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import helper from "node-red-node-test-helper";
import { directoryWithDatabase } from "../../test/support/database-template.ts";
import { capturedLines, messageOf, samplesOf } from "../../test/support/devices.ts";
import { until } from "../../test/support/line.ts";
import { nextMessage, nodeOf } from "../../test/support/nodes.ts";
import decode from "../device/decode.ts";
import { setPerson } from "../host/person.ts";
import { closeServices, openServices } from "../host/service.ts";
import inboxNode from "../inbox/inbox.ts";
import siteNode from "../inbox/site.ts";
import type { Envelope, Inbox } from "../sample/inbox.ts";
import type { Person } from "../sample/roles.ts";
import { databaseService } from "../timescaledb/service.ts";
import store from "../timescaledb/store.ts";
import timescaledb from "../timescaledb/timescaledb.ts";
import type { QuarantineSection } from "./page.ts";
import quarantine from "./quarantine.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const ENGINEER: Person = { name: "Anne", role: "engineer" };
const template = messageOf(samplesOf(capturedLines().current)[0] ?? "");

function message(sampleId: string, fields: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      ...template,
      meta: { ...(template.meta as object), device_id: "dev-1" },
      device_id: "dev-1",
      sample_id: sampleId,
      timestamp: new Date().toISOString(),
      ...fields,
    }),
  );
}

describe("the quarantine node", function () {
  this.timeout(60_000);
  let dataDir: string;
  let lease: ReturnType<typeof databaseService>;
  let sections: QuarantineSection[] = [];
  let asked = 0;

  const query = async (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await (await lease.value).pool.query(sql, values)).rows;
  const inbox = () => (nodeOf("site") as unknown as { inbox: Inbox }).inbox;
  const send = (bytes: Buffer, fields: Partial<Envelope> = {}) =>
    inbox().append({
      transport: "mqtt",
      receivedAt: new Date().toISOString(),
      siteId: "plant",
      defaultLineId: "belt",
      bytes,
      ...fields,
    });
  const settled = () => until("the inbox to be empty", () => inbox().stats().waiting === 0);
  const act = async (action: object, user?: Person) => {
    const request = `r${asked++}`;
    nodeOf("quarantine").receive({ payload: { request, ...action }, _client: { socketId: "s", user } } as never);
    const find = () => sections.at(-1)?.answers.find((one) => one.request === request);
    return until("an answer", find);
  };
  const openIds = async () =>
    (await query("SELECT id::text AS id FROM quarantine WHERE state = 'open' ORDER BY quarantine.id")).map(({ id }) =>
      String(id),
    );

  before(async () => {
    dataDir = await directoryWithDatabase("quarantine");
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
  });
  after(async () => {
    lease?.release();
    await closeServices(openServices());
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await helper.load(
      [siteNode, inboxNode, decode, store, timescaledb, quarantine] as never,
      [
        { id: "tab", type: "tab", label: "t" },
        { id: "site", type: "foieflow-site", siteId: "plant", lineId: "belt", timeZone: "Europe/Paris" },
        { id: "db", type: "foieflow-timescaledb", dataDir },
        { id: "inbox", type: "foieflow-inbox", z: "tab", site: "site", wires: [["decode"]] },
        { id: "decode", type: "foieflow-decode", z: "tab", site: "site", wires: [["store"], ["store"], []] },
        { id: "store", type: "foieflow-store", z: "tab", site: "site", database: "db", wires: [[], []] },
        {
          id: "quarantine",
          type: "foieflow-quarantine",
          z: "tab",
          site: "site",
          database: "db",
          wires: [["page"], ["events"]],
        },
        { id: "page", type: "helper", z: "tab" },
        { id: "events", type: "helper", z: "tab" },
      ] as never,
    );
    lease ??= databaseService({ dataDir });
    sections = [];
    nodeOf("page").on("input", (msg) => sections.push(msg.payload as QuarantineSection));
    await query("TRUNCATE quarantine, quarantine_pushed_out");
  });
  afterEach(() => helper.unload());

  it("shows what could not be understood, and refuses to let an unknown person touch it", async () => {
    await send(Buffer.from("{ not json"));
    await settled();
    await act({ action: "quarantine.list", reason: "not-json", done: false });
    const section = await until("the reason", () =>
      sections.find(({ reasons }) => reasons.some(({ open }) => open === 1)),
    );
    assert.deepEqual([section.view, section.reasons[0]?.reason, section.records], ["plant", "not-json", "ready"]);
    const [id] = await openIds();
    assert.deepEqual(await act({ action: "quarantine.retry", id }), {
      request: `r${asked - 1}`,
      ok: false,
      error: "not-signed-in",
    });
    assert.equal(
      (await act({ action: "quarantine.discard", id, note: "x" }, { name: "Op", role: "operator" })).error,
      "not-allowed",
    );
    assert.deepEqual(await openIds(), [id]);
  });

  it("stores a row the database refused, once the cause is mended and it is retried", async () => {
    await query("ALTER TABLE vl53l8ch_raw ADD CONSTRAINT poison CHECK (sample_id <> 'poisoned')");
    const receivedAt = new Date().toISOString();
    await send(message("sound"));
    await send(message("poisoned"), { receivedAt });
    await send(message("sound-too"));
    await settled();
    const [refused, ...others] = await query("SELECT id::text AS id, reason, line_id FROM quarantine");
    assert.deepEqual([others.length, refused?.reason], [0, "refused-by-database"]);
    assert.equal((await query("SELECT count(*) AS n FROM vl53l8ch_raw WHERE sample_id LIKE 'sound%'"))[0]?.n, 2);

    // While the cause is there it comes back, as a record of its own.
    assert.ok((await act({ action: "quarantine.retry", id: refused?.id }, ENGINEER)).ok);
    await settled();
    await until("a second record", async () => (await query("SELECT FROM quarantine")).length === 2);

    await query("ALTER TABLE vl53l8ch_raw DROP CONSTRAINT poison");
    const [again] = await openIds();
    const event = nextMessage("events");
    assert.ok((await act({ action: "quarantine.retry", id: again }, ENGINEER)).ok);
    assert.deepEqual((await event).payload, {
      ...((await event).payload as object),
      event: "quarantine-retried",
      by: "Anne",
      id: again,
    });
    await settled();
    const [row] = await query(
      "SELECT received_at, transport, site_id, line_id FROM vl53l8ch_raw WHERE sample_id = 'poisoned'",
    );
    assert.deepEqual(row, { received_at: receivedAt, transport: "mqtt", site_id: "plant", line_id: refused?.line_id });
    assert.deepEqual(await openIds(), []);
    const states = await query("SELECT state, changed_by FROM quarantine");
    assert.deepEqual(states, [
      { state: "retried", changed_by: "Anne" },
      { state: "retried", changed_by: "Anne" },
    ]);
  });

  it("makes no second sample when it was killed after the bytes were in the inbox and before the mark", async () => {
    await query("ALTER TABLE as7341_raw ADD CONSTRAINT poison CHECK (sample_id <> 'killed')");
    await send(message("killed"));
    await settled();
    await query("ALTER TABLE as7341_raw DROP CONSTRAINT poison");
    const [record] = await query("SELECT id::text AS id, received_at, bytes FROM quarantine");
    // What the killed retry had done:
    await send(record?.bytes as Buffer, { receivedAt: String(record?.received_at), lineId: "line-1" });
    await settled();
    const before = inbox().stats();
    assert.ok((await act({ action: "quarantine.retry", id: record?.id }, ENGINEER)).ok);
    await settled();
    assert.equal(inbox().stats().duplicate - before.duplicate, 1);
    for (const table of ["vl53l8ch_raw", "as7341_raw"])
      assert.equal((await query(`SELECT count(*) AS n FROM ${table} WHERE sample_id = 'killed'`))[0]?.n, 1);
  });

  it("exports over HTTP to those who may, as lines with the bytes", async () => {
    await send(Buffer.from("first"));
    await send(Buffer.from("second"));
    await send(message("future", { timestamp: "2100-01-01T00:00:00Z" }));
    await settled();
    let person: Person | undefined;
    const server = http.createServer((request, response) => {
      if (person) setPerson(request, person);
      const query = Object.fromEntries(new URL(request.url ?? "/", "http://x").searchParams);
      nodeOf("quarantine").receive({ req: Object.assign(request, { query }), res: { _res: response } } as never);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const get = (search: string) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?${search}`);
    try {
      await until("the database", () => sections.some(({ records }) => records === "ready"));
      const unknown = await get("reason=not-json");
      assert.deepEqual([unknown.status, ((await unknown.json()) as { error: string }).error], [401, "not-signed-in"]);
      person = { name: "Op", role: "operator" };
      assert.equal((await get("reason=not-json")).status, 403);
      person = { name: "Paul", role: "quality" };
      assert.equal((await get("state=lost")).status, 400);
      const answer = await get("reason=not-json");
      assert.equal(answer.status, 200);
      assert.match(
        answer.headers.get("content-disposition") ?? "",
        /attachment; filename="quarantine-not-json-.*\.ndjson"/,
      );
      const lines = (await answer.text())
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        lines.map(({ bytes }) => Buffer.from(bytes, "base64").toString()),
        ["first", "second"],
      );
      assert.equal((await (await get("state=all")).text()).trim().split("\n").length, 3);
    } finally {
      server.close();
    }
  });

  it("catches what no page sends and passes over what is not for it", async () => {
    const done = new Promise<unknown>((resolve) => nodeOf("quarantine").once("input", () => setTimeout(resolve, 50)));
    nodeOf("quarantine").receive({ payload: { section: "state" } } as never);
    await done;
    const failed = new Promise<unknown>((resolve) =>
      nodeOf("quarantine").once("call:error" as never, (call: { firstArg: unknown }) => resolve(call.firstArg)),
    );
    nodeOf("quarantine").receive({ payload: { action: "drop", request: "r" } } as never);
    assert.match(String(await failed), /no such action/);
  });
});
