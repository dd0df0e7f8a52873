import assert from "node:assert/strict";
import os from "node:os";
import { openInbox } from "../../test/support/inbox.ts";
import type { InboxReport } from "../sample/inbox.ts";
import type { Database } from "../timescaledb/database.ts";
import { makeSample, targets } from "../timescaledb/fixture.test.ts";
import { Writer } from "../timescaledb/writer.ts";
import { accountOf, inboxHealth } from "./accounts.ts";
import { BatchWindow, batchFiguresOf } from "./batches.ts";
import { HealthCollector } from "./collect.ts";
import { EventLoopMonitor } from "./event-loop.ts";
import { type JobRow, jobHealth } from "./jobs.ts";
import { troublesOf } from "./troubles.ts";

const figures = (rows: number, ms: number) => ({ rows, stored: rows, duplicates: 0, quarantined: 0, ms });
const counted = (received: number, waiting: number) => ({
  received,
  stored: 5,
  duplicate: 1,
  quarantined: 2,
  discarded: 1,
  waiting,
  waitingBytes: 10,
  refused: { "inbox-full": 3 },
  quarantinedBy: { "not-json": 2 },
  discardedBy: {},
});

describe("health: batches", () => {
  it("counts rates and times over the last minute, the last batch and the sums for ever", () => {
    const window = new BatchWindow(0);
    for (let second = 0; second < 120; second += 1) window.add(figures(10, second), second * 1000, `t${second}`);
    const health = window.read(120_000);
    assert.deepEqual(health.last, { at: "t119", rows: 10, ms: 119 });
    assert.equal(health.batches, 60);
    assert.equal(health.rowsPerS, 10);
    assert.equal(health.maxMs, 119);
    assert.equal(health.p50Ms, 89.5);
    assert.equal(health.total.rows, 1200);
    const later = window.read(1_000_000);
    assert.deepEqual([later.batches, later.rowsPerS, later.maxMs, later.last?.at], [0, 0, 0, "t119"]);
  });

  it("keeps the rate right when there are more batches than it looks back at", () => {
    const window = new BatchWindow(0);
    for (let ms = 0; ms < 60_000; ms += 10) window.add(figures(1, 1), ms, "t");
    assert.ok(Math.abs(window.read(60_000).rowsPerS - 100) < 1);
  });

  it("takes only what is a batch report", () => {
    assert.deepEqual(batchFiguresOf({ ...figures(3, 1), more: 1 }), figures(3, 1));
    for (const other of [undefined, 1, {}, { ...figures(1, 1), ms: "1" }, { ...figures(1, 1), rows: -1 }])
      assert.equal(batchFiguresOf(other), undefined);
  });
});

describe("health: accounts", () => {
  it("say by how much they do not balance", () => {
    assert.equal(accountOf(counted(12, 3)).difference, 0);
    assert.equal(accountOf(counted(14, 3)).difference, 2);
  });

  it("take over what the inbox tells of its devices and its store", () => {
    const report: InboxReport = {
      ...counted(12, 3),
      byTransport: { websocket: counted(12, 3), mqtt: counted(9, 0), serial: counted(9, 0) },
      byDevice: { big: counted(12, 3), small: counted(10, 0) },
      emitted: 1,
      claimed: 2,
      backlogAgeS: 4,
      health: { state: "disk-full", problem: "EIO", damagedEntries: 2, repairs: [] },
    };
    const health = inboxHealth({ stats: () => report });
    assert.equal(health.ageS, 4);
    assert.deepEqual(Object.keys(health.byDevice ?? {}), ["big", "small"]);
    assert.equal(health.byDevice?.small?.difference, 1);
    assert.deepEqual([health.emitted, health.claimed], [1, 2]);
    assert.deepEqual(health.store, { state: "disk-full", full: true, damaged: 2, repairs: [], failure: "EIO" });
    assert.equal(health.total.difference, 0);
    assert.equal(inboxHealth({ stats: () => ({ ...report, held: 2 }) }).total.difference, 1);
  });
});

describe("health: jobs", () => {
  const nowMs = Date.parse("2026-01-01T12:00:00Z");
  const ago = (minutes: number) => new Date(nowMs - minutes * 60_000).toISOString();
  const own = (fields: Partial<JobRow>): JobRow => ({
    name: "refresh:fusion_hourly_stats",
    jobId: 1001,
    ownRunAt: null,
    ownRuns: null,
    ownFailures: null,
    ownError: null,
    ...fields,
  });
  const status = (row: JobRow, upS = 86_400, workers = false) => jobHealth(row, { nowMs, upS, workers }).status;

  it("run by this program: by their own record", () => {
    assert.equal(status(own({ ownRunAt: ago(5) })), "ok");
    assert.equal(status(own({ ownRunAt: ago(40) })), "overdue");
    assert.equal(status(own({ ownRunAt: ago(600) }), 60), "ok", "just started: it is about to run");
    assert.equal(status(own({ ownRunAt: ago(5), ownError: "x" })), "failed");
    assert.equal(status(own({}), 60), "never");
    assert.equal(status(own({})), "overdue");
    assert.equal(status(own({ name: "statistics", ownRunAt: ago(6000) })), "ok", "runs only when there is work");
  });

  it("run by the database's workers: by the workers' record, unless ours is later", () => {
    const worker = { workerRunAt: ago(3), workerStatus: "Success", jobStatus: "Scheduled", everyMinutes: 10 };
    assert.equal(status(own({ ...worker, nextRunAt: ago(-7) }), 86_400, true), "ok");
    assert.equal(status(own({ ...worker, nextRunAt: ago(30) }), 86_400, true), "overdue");
    assert.equal(status(own({ ...worker, workerStatus: "Failed" }), 86_400, true), "failed");
    assert.equal(status(own({ ...worker, jobStatus: "Running" }), 86_400, true), "running");
    assert.equal(status(own({ ...worker, workerStatus: "Failed", ownRunAt: ago(1) }), 86_400, true), "ok");
  });
});

describe("health: event loop", () => {
  it("sees a loop that was held up", async () => {
    const monitor = new EventLoopMonitor();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const end = performance.now() + 150;
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { maxMs, p50Ms, windowS } = monitor.read();
    monitor.close();
    assert.ok(maxMs >= 130, `longest delay ${maxMs} ms`);
    assert.ok(p50Ms <= maxMs && windowS > 0.3);
  });
});

for (const target of targets()) {
  describe(`health: collector on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    let collector: HealthCollector;
    before(async () => {
      database = await target.open();
      collector = new HealthCollector({ siteId: "plant", dataDir: os.tmpdir(), factsEveryMs: 3_600_000 });
    });
    after(async () => {
      collector.close();
      await database.close();
      await target.remove();
    });

    it("says before it knows a database that it is connecting", () => {
      const { database, inbox, versions } = collector.snapshot();
      assert.deepEqual([database.state, inbox.total.received], ["connecting", 0]);
      assert.match(versions.foieflow, /^\d+\.\d+\.\d+/);
    });

    it("brings together inbox, batches, database, jobs and disk", async () => {
      const inbox = await openInbox();
      collector.useInbox(inbox);
      collector.useDatabase(Promise.resolve(database));
      const writer = new Writer<undefined>({
        database: Promise.resolve(database),
        settle: inbox.settle,
        onBatch: (report) => collector.batch(report),
      });
      inbox.attach(({ entryId, bytes, receivedAt }) => {
        const payload = bytes.equals(Buffer.from("good"))
          ? makeSample()
          : {
              quarantine: true as const,
              reason: "not-json",
              detail: "",
              transport: "mqtt" as const,
              receivedAt,
              siteId: "plant",
              bytes,
            };
        writer.add({ entryId, payload, context: undefined });
      });
      for (const text of ["good", "bad", "good"]) {
        const receivedAt = new Date().toISOString();
        await inbox.append({
          transport: "mqtt",
          receivedAt,
          siteId: "plant",
          defaultLineId: "l",
          bytes: Buffer.from(text),
        });
      }
      assert.equal(await inbox.drain(15_000), 0);
      await writer.close(5000);
      await database.runJobs({ all: true });
      await collector.refresh();
      const health = collector.snapshot();
      assert.equal(health.inbox.total.received, 3);
      assert.equal(health.inbox.byTransport.mqtt.stored, 2);
      assert.equal(health.inbox.byTransport.mqtt.difference, 0);
      assert.equal(health.batches.total.stored, 2);
      assert.ok((health.batches.last?.ms ?? 0) > 0);
      assert.equal(health.database.state, "ready");
      assert.equal(health.database.mode, target.embedded ? "embedded" : "server");
      assert.equal(health.database.embedded?.state, target.embedded ? "open" : undefined);
      const { facts } = health.database;
      assert.ok(facts, health.database.factsError);
      assert.ok(facts.sizeBytes > 1_000_000, String(facts.sizeBytes));
      assert.match(facts.serverVersion, /^1[0-9]/);
      assert.deepEqual(facts.quarantine, { open: 1, bytes: 3 });
      const names = facts.jobs.map(({ name }) => name);
      if (database.capabilities.cagg) {
        assert.ok(
          names.includes("refresh:fusion_hourly_stats") && names.includes("retention:vl53l8ch_raw"),
          String(names),
        );
        assert.ok(names.includes("compression:fusion_results"));
      } else assert.deepEqual(names.sort(), ["retention", "retention:alarm_events"]);
      assert.equal(new Set(names).size, names.length, "each job once");
      for (const job of facts.jobs) {
        assert.equal(job.status, "ok", JSON.stringify(job));
        assert.ok(Date.parse(job.lastRunAt ?? "") > Date.now() - 60_000);
      }
      assert.ok((health.disk?.freeBytes ?? 0) > 0);
      assert.deepEqual(
        health.troubles.filter(({ code }) => code === "quarantine-open").map(({ values }) => values),
        [{ open: 1 }],
      );
    });

    it("says that the database is away, with the facts it last knew", async () => {
      await database.close();
      const health = collector.snapshot();
      assert.equal(health.database.state, "closed");
      assert.equal(health.database.facts?.quarantine.open, 1);
      assert.equal(health.troubles[0]?.code, "database-none");
    });
  });
}

describe("health: troubles", () => {
  it("come worst first", () => {
    const collector = new HealthCollector({ siteId: "plant", dataDir: os.tmpdir(), factsEveryMs: 3_600_000 });
    const { troubles, ...healthy } = collector.snapshot();
    collector.close();
    assert.deepEqual(
      troubles.filter(({ level }) => level === "bad"),
      [],
    );
    const { inbox, database } = healthy;
    const found = troublesOf({
      ...healthy,
      disk: { freeBytes: 1e9, totalBytes: 1e12 },
      inbox: {
        ...inbox,
        ageS: 700,
        entries: 4,
        store: { ...inbox.store, state: "full" },
        byTransport: { ...inbox.byTransport, serial: accountOf(counted(13, 3)) },
      },
      database: { ...database, state: "away" },
    });
    assert.deepEqual(
      found.filter(({ code }) => !/memory|event/.test(code)).map(({ code, level, subject }) => [code, level, subject]),
      [
        ["inbox-full", "bad", undefined],
        ["database-away", "bad", undefined],
        ["unbalanced", "bad", "serial"],
        ["backlog-old", "bad", undefined],
        ["disk-low", "warn", undefined],
      ],
    );
  });
});
