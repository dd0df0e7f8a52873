import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import helper from "node-red-node-test-helper";
import { directoryWithDatabase } from "../../test/support/database-template.ts";
import { closeServices, openServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import type { QuarantineRecord } from "../sample/inbox.ts";
import type { Sample } from "../sample/sample.ts";
import { databaseService } from "../timescaledb/service.ts";
import timescaledb from "../timescaledb/timescaledb.ts";
import calibrate from "./calibrate.ts";
import calibration from "./calibration.ts";
import { makeSample } from "./fixture.test.ts";
import type { CalibrationSection } from "./page.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const sampleOf = (message: Message | undefined) => (message?.payload ?? {}) as Sample;

type Message = { payload: unknown; topic?: string; entryId?: string; error?: { message: string } };

describe("calibration nodes", function () {
  this.timeout(60_000);
  let dataDir: string;
  let release: () => void;
  before(async () => {
    dataDir = await directoryWithDatabase("calibration");
    // Made beforehand: on a slow machine a new database takes longer than samples wait for the records.
    const lease = databaseService({ dataDir, jobsEveryMs: 0 });
    release = lease.release;
    await lease.value;
    await helper.startServer();
  });
  afterEach(() => helper.unload());
  after(async () => {
    release();
    await closeServices(openServices());
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  const flow = (changes: Record<string, object> = {}) =>
    [
      { id: "tab", type: "tab", label: "t" },
      { id: "site", type: "foieflow-site", siteId: "plant", lineId: "belt", timeZone: "Europe/Paris" },
      { id: "db", type: "foieflow-timescaledb", dataDir },
      {
        id: "attach",
        type: "foieflow-calibrate",
        z: "tab",
        site: "site",
        database: "db",
        wires: [["out"], ["guide", "tapped"]],
      },
      {
        id: "guide",
        type: "foieflow-calibration",
        z: "tab",
        site: "site",
        database: "db",
        samples: 20,
        wires: [["page"], ["events"]],
      },
      { id: "caught", type: "catch", z: "tab", scope: null, wires: [["errors"]] },
      ...["out", "tapped", "page", "events", "errors"].map((id) => ({ id, type: "helper", z: "tab", wires: [] })),
    ].map((node) => ({ ...node, ...changes[node.id] }));

  async function load(changes?: Record<string, object>) {
    const received: Record<"out" | "tapped" | "page" | "events" | "errors", Message[]> = {
      out: [],
      tapped: [],
      page: [],
      events: [],
      errors: [],
    };
    await helper.load([siteNode, timescaledb, calibrate, calibration], flow(changes) as never);
    for (const [id, list] of Object.entries(received))
      helper.getNode(id).on("input", (msg: unknown) => list.push(msg as Message));
    const until = async (condition: () => unknown) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const page = () => received.page.at(-1)?.payload as CalibrationSection | undefined;
    const send = (id: string, payload: unknown, entryId = "e1", user?: object) =>
      helper.getNode(id).receive({ payload, entryId, topic: "plant/belt/device-1", _client: { user } } as never);
    const act = (payload: object, role = "quality") => send("guide", payload, "e1", { name: "Anne", role });
    const ready = () => until(() => page()?.records === "ready");
    return { received, until, page, send, act, ready };
  }

  it("holds samples until the records are read, then passes them in order with their state", async () => {
    const { received, until, send } = await load();
    const samples = Array.from({ length: 5 }, () => makeSample());
    for (const sample of samples) send("attach", sample);
    const record: QuarantineRecord = {
      quarantine: true,
      reason: "not-json",
      detail: "",
      transport: "mqtt",
      receivedAt: new Date().toISOString(),
      siteId: "plant",
      bytes: Buffer.from("x"),
    };
    send("attach", record, "e9");
    assert.equal(received.out.length, 0, "nothing goes before the records are known");
    await until(() => received.out.length === 6);
    assert.deepEqual(
      received.out.slice(0, 5).map(({ payload }) => (payload as Sample).sampleUid),
      samples.map(({ sampleUid }) => sampleUid),
    );
    const first = received.out[0]?.payload as Sample;
    assert.deepEqual(first.calibrationState, { tof: "missing", spectral: "missing" });
    assert.equal(first.calibration, undefined);
    assert.deepEqual([received.out[5]?.payload, received.out[5]?.entryId], [record, "e9"]);
    assert.equal(received.tapped.length, 0, "nobody is calibrating");
  });

  it("leads a page from start to a record in force, and says so", async () => {
    const { received, until, page, send, act, ready } = await load();
    await ready();
    send("attach", makeSample());
    await until(() => page()?.devices.some(({ id }) => id === "device-1"));
    send("guide", { action: "calibration.start", device: "device-1", step: "tare" });
    act({ action: "calibration.start", device: "device-1", step: "tare" }, "operator");
    await until(() => received.errors.length === 2);
    assert.deepEqual(page()?.sessions, [], "neither nobody nor an operator may calibrate");
    act({ action: "calibration.start", device: "device-1", step: "tare" });
    await until(() => page()?.sessions[0]?.phase === "collecting");
    for (let i = 0; i < 20; i++) send("attach", makeSample());
    await until(() => page()?.sessions[0]?.phase === "review");
    assert.equal(received.tapped.length, 20);
    assert.equal(sampleOf(received.tapped[0]).vl53l8ch?.raw, undefined);
    assert.equal(received.tapped[0]?.entryId, undefined, "the tap settles nothing");
    act({ action: "calibration.accept", device: "device-1", reason: "" });
    await until(() => received.errors.length === 3);
    assert.equal(page()?.sessions[0]?.error, "calibration-no-reason");
    act({ action: "calibration.accept", device: "device-1", madeBy: "somebody else", reason: "shift" });
    await until(() => page()?.sessions[0]?.phase === "saved");
    const { state, madeBy, version } = page()?.devices.find(({ id }) => id === "device-1")?.parts.tof ?? {};
    assert.deepEqual([state, madeBy, version], ["valid", "Anne", 1]);
    await until(() =>
      received.events.some(({ payload }) => (payload as { event: string }).event === "calibration-made"),
    );
    const event = received.events.find(({ payload }) => (payload as { event: string }).event === "calibration-made");
    assert.equal(event?.topic, "plant/belt/device-1");

    const before = received.out.length;
    send("attach", makeSample());
    await until(() => received.out.length > before);
    const sample = received.out.at(-1)?.payload as Sample;
    assert.equal(sample.calibration?.calibrationId, "device-1-v1");
    assert.ok(Math.abs((sample.calibration?.tof?.sensorHeightMm ?? 0) - 300) < 1e-9);
    assert.deepEqual(sample.calibrationState, { tof: "valid", spectral: "missing" });
    send("attach", makeSample({ measuredAt: "2026-01-01T00:00:00Z" }));
    await until(() => received.out.length > before + 1);
    const early = received.out.at(-1)?.payload as Sample;
    assert.equal(early.calibration, undefined, "no record was in force then");
  });

  it("keeps the records through a deploy, and warns once per part that lacks one", async () => {
    const { received, until, send, ready } = await load();
    await ready();
    send("attach", makeSample());
    await until(() => received.out.length === 1);
    assert.equal(sampleOf(received.out[0]).calibration?.version, 1);
    const warnings = () =>
      received.events
        .map(({ payload }) => payload as { event: string; part: string; deviceId: string; affects: string[] })
        .filter(({ deviceId }) => deviceId === "device-1");
    await until(() => warnings().length > 0);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual(
      warnings().map(({ event, part }) => `${part} ${event}`),
      ["spectral calibration-missing"],
    );
    assert.ok(warnings()[0]?.affects.includes("deltaE"));
  });

  it("lets samples go on, unknown, where there is no database", async () => {
    await helper.unload();
    await closeServices(openServices());
    const { received, until, page, send } = await load({ attach: { database: "none" }, guide: { database: "none" } });
    send("attach", makeSample());
    await until(() => received.out.length === 1);
    const sample = received.out.at(0)?.payload as Sample | undefined;
    assert.deepEqual(sample?.calibrationState, { tof: "unknown", spectral: "unknown" });
    await until(() => page()?.records === "unknown");
  });

  it("refuses what is no sample and what is no action, and passes by what is for others", async () => {
    const { received, until, send } = await load();
    send("attach", { hello: 1 });
    send("guide", { action: "sample.inspect", uid: "u" });
    send("guide", { event: "hello", deviceId: "device-1" });
    await until(() => received.errors.length === 2);
    assert.deepEqual(received.errors.map((msg) => msg.error?.message.replace("Error: ", "")).sort(), [
      "calibrate.errors.not-a-sample",
      "calibration.errors.bad-action",
    ]);
  });
});
