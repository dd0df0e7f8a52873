import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import helper from "node-red-node-test-helper";
import { directoryWithDatabase } from "../../test/support/database-template.ts";
import { until } from "../../test/support/line.ts";
import { nodeOf } from "../../test/support/nodes.ts";
import { setAuditSink } from "../host/audit.ts";
import { closeServices, openServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import type { Person } from "../sample/roles.ts";
import { databaseService } from "../timescaledb/service.ts";
import timescaledb from "../timescaledb/timescaledb.ts";
import alarmRule from "./alarm-rule.ts";
import alarms from "./alarms.ts";
import type { AlarmRecord, AlarmSummary, AlarmsSection } from "./page.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

const OPERATOR: Person = { name: "Paul", role: "operator" };
const ENGINEER: Person = { name: "Eva", role: "engineer" };

describe("the alarm nodes", function () {
  this.timeout(240_000);
  let dataDir: string;
  let givenDataDir: string | undefined;
  let lease: ReturnType<typeof databaseService>;
  let sections: AlarmsSection[] = [];
  let summaries: AlarmSummary[] = [];
  let changes: AlarmRecord[] = [];
  let asked = 0;

  const flow = [
    { id: "tab", type: "tab", label: "t" },
    { id: "site", type: "foieflow-site", siteId: "plant", lineId: "belt", timeZone: "Europe/Paris" },
    { id: "db", type: "foieflow-timescaledb", dataDir: "" },
    {
      id: "rule",
      type: "foieflow-alarm-rule",
      z: "tab",
      site: "site",
      rule: "backlog-age",
      limit: 60,
      onDelayS: 0,
      offDelayS: 0,
      wires: [["alarms"]],
    },
    {
      id: "alarms",
      type: "foieflow-alarms",
      z: "tab",
      site: "site",
      database: "db",
      positions: 1,
      wires: [["page"], ["banner"], ["changes"]],
    },
    ...["page", "banner", "changes"].map((id) => ({ id, type: "helper", z: "tab" })),
  ];
  const load = async (): Promise<void> => {
    const nodes = flow.map((node) => (node.id === "db" ? { ...node, dataDir } : node));
    await helper.load([siteNode, timescaledb, alarmRule, alarms] as never, nodes as never);
    [sections, summaries, changes] = [[], [], []];
    nodeOf("page").on("input", (msg) => sections.push(msg.payload as AlarmsSection));
    nodeOf("banner").on("input", (msg) => summaries.push(msg.payload as AlarmSummary));
    nodeOf("changes").on("input", (msg) => changes.push(msg.payload as AlarmRecord));
  };
  const backlog = (ageS: number) =>
    nodeOf("rule").receive({ payload: { section: "health", snapshot: { inbox: { ageS } } } } as never);
  const act = async (action: object, user?: Person) => {
    const request = `r${asked++}`;
    nodeOf("alarms").receive({ payload: { request, ...action }, _client: { socketId: "s", user } } as never);
    return until("an answer", () => sections.at(-1)?.answers.find((one) => one.request === request));
  };
  const state = (id: string) => sections.at(-1)?.alarms.find((alarm) => alarm.id === id)?.state;
  const rows = async () => {
    const { pool } = await lease.value;
    return (await pool.query("SELECT alarm_id, event, state, actor FROM alarm_events ORDER BY event_no")).rows;
  };

  const restarted = () => closeServices(["alarms:plant"]);

  before(async () => {
    givenDataDir = process.env.DATA_DIR;
    dataDir = await directoryWithDatabase("alarms");
    process.env.DATA_DIR = dataDir;
    await new Promise<void>((resolve) => helper.startServer(() => resolve()));
    lease = databaseService({ dataDir });
    await lease.value;
  });
  after(async () => {
    lease.release();
    await closeServices(openServices());
    await new Promise<void>((resolve) => helper.stopServer(() => resolve()));
    if (givenDataDir === undefined) delete process.env.DATA_DIR;
    else process.env.DATA_DIR = givenDataDir;
    rmSync(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await (await lease.value).pool.query("TRUNCATE alarm_events");
    await load();
  });
  afterEach(async () => {
    await helper.unload();
    await restarted();
    rmSync(path.join(dataDir, "alarms"), { recursive: true, force: true });
  });

  it("raise, acknowledge and clear, each in the page's section, the banner, the changes and the table", async () => {
    await until("the rule on the page", () => sections.at(-1)?.rules[0]?.rule === "backlog-age");
    backlog(120);
    await until("the alarm", () => state("backlog-age") === "unacknowledged");
    assert.deepEqual(
      [summaries.at(-1)?.unacknowledged, summaries.at(-1)?.worst?.code, sections.at(-1)?.alarms[0]?.value],
      [1, "backlog-age", 120],
    );
    assert.equal((await act({ action: "alarm.ack", id: "backlog-age" })).error, "not-signed-in");
    assert.equal(
      (await act({ action: "alarm.ack", id: "backlog-age" }, { name: "V", role: "viewer" })).error,
      "not-allowed",
    );
    assert.equal(state("backlog-age"), "unacknowledged");
    assert.ok((await act({ action: "alarm.ack", id: "backlog-age" }, OPERATOR)).ok);
    assert.deepEqual([state("backlog-age"), sections.at(-1)?.alarms[0]?.ackedBy], ["acknowledged", "Paul"]);
    backlog(0);
    await until("it to be over", () => sections.at(-1)?.alarms.length === 0);
    assert.deepEqual(
      changes.map(({ event, by }) => [event, by]),
      [
        ["raised", undefined],
        ["acknowledged", "Paul"],
        ["cleared", undefined],
      ],
    );
    await until("the records", async () => (await rows()).length === 3);
    assert.deepEqual(await rows(), [
      { alarm_id: "backlog-age", event: "raised", state: "unacknowledged", actor: null },
      { alarm_id: "backlog-age", event: "acknowledged", state: "acknowledged", actor: "Paul" },
      { alarm_id: "backlog-age", event: "cleared", state: "normal", actor: null },
    ]);
    await assert.rejects(async () => (await lease.value).pool.query("DELETE FROM alarm_events"), /append-only/);
  });

  it("keep the list over a deploy and over a restart, from the disk or else from the database", async () => {
    await until("the rule", () => sections.at(-1)?.rules.length === 1);
    backlog(120);
    await until("the alarm", () => state("backlog-age") === "unacknowledged");
    const shelve = { action: "alarm.shelve", id: "backlog-age", reason: "known" };
    assert.equal((await act({ ...shelve, minutes: 60 }, OPERATOR)).ok, true);
    await until("the records", async () => (await rows()).length === 2);
    await helper.unload();
    await load();
    await until("the alarm after a deploy", () => state("backlog-age") === "shelved");

    for (const isFileLost of [false, true]) {
      await helper.unload();
      await restarted();
      const file = path.join(dataDir, "alarms/state.json");
      assert.match(readFileSync(file, "utf8"), /"known"/);
      if (isFileLost) rmSync(file);
      await load();
      await until(`the alarm after a restart, file lost: ${isFileLost}`, () => state("backlog-age") === "shelved");
      assert.deepEqual(
        [sections.at(-1)?.alarms[0]?.hold?.by, sections.at(-1)?.alarms[0]?.hold?.reason],
        ["Paul", "known"],
      );
    }
  });

  it("take a limit from an engineer at once, note who it was, and keep it", async () => {
    const noted: unknown[] = [];
    setAuditSink(({ action, who, before, after, target }) => noted.push([action, who?.name, target, before, after]));
    try {
      await until("the rule", () => sections.at(-1)?.rules.length === 1);
      const limit = { action: "alarm.limit", rule: "backlog-age" };
      assert.equal((await act({ ...limit, limit: 300 }, OPERATOR)).error, "not-allowed");
      assert.equal((await act({ ...limit, limit: -5 }, ENGINEER)).error, "alarm-limit-out-of-range");
      assert.equal((await act({ ...limit, limit: 300, rule: "disk-low" }, ENGINEER)).error, "alarm-no-such-rule");
      backlog(120);
      await until("the alarm", () => state("backlog-age") === "unacknowledged");
      assert.ok((await act({ ...limit, limit: 300 }, ENGINEER)).ok);
      await until("it to be within the new limit", () => state("backlog-age") === "returned");
      assert.deepEqual(noted, [["alarm.limit", "Eva", "backlog-age", 60, 300]]);
      await helper.unload();
      await restarted();
      await load();
      const rule = await until("the rule again", () => sections.at(-1)?.rules[0]);
      assert.deepEqual([rule.limit, rule.flowLimit, rule.by], [300, 60, "Eva"]);
      assert.ok((await act({ ...limit, limit: null }, ENGINEER)).ok);
      assert.equal(sections.at(-1)?.rules[0]?.limit, 60);
    } finally {
      setAuditSink(undefined);
    }
  });

  it("report what is no alarm and no action, and pass over what is not for them", async () => {
    await until("the page", () => sections.length > 0);
    const failed = (payload: object) =>
      new Promise<unknown>((resolve) => {
        nodeOf("alarms").once("call:error" as never, (call: { firstArg: unknown }) => resolve(call.firstArg));
        nodeOf("alarms").receive({ payload } as never);
      });
    assert.match(String(await failed({ event: "alarm-raise", code: "Not A Word" })), /alarm/);
    assert.match(String(await failed({ action: "alarm.drop", request: "r" })), /no such action/);
    nodeOf("alarms").receive({ payload: { event: "hello" } } as never);
    nodeOf("alarms").receive({
      payload: { event: "alarm-raise", code: "cold-room-warm", value: 9, limit: 4 },
    } as never);
    await until("an alarm of the flow's own", () => state("cold-room-warm") === "unacknowledged");
  });
});
