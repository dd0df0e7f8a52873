import assert from "node:assert/strict";
import type { Database } from "./database.ts";
import { hoursAgo, makeSample, onlyValue, type Target, targets } from "./fixture.test.ts";
import { DEFAULT_RETENTION } from "./retention.ts";
import { Writer } from "./writer.ts";

let entries = 0;

async function storeAt(database: Database, hours: readonly number[]): Promise<void> {
  const writer = new Writer<undefined>({ database: Promise.resolve(database), settle: () => undefined });
  for (const one of hours) {
    const payload = makeSample({ measuredAt: hoursAgo(one) });
    writer.add({ entryId: `j${++entries}`, payload, context: undefined });
  }
  await writer.close(15_000);
}

const inTable = (database: Database, table: string, hours: number) =>
  onlyValue(database, `SELECT count(*) FROM ${table} WHERE time BETWEEN $1 AND $2`, [
    hoursAgo(hours + 0.01),
    hoursAgo(hours - 0.01),
  ]);
const inStats = (database: Database, hours: number) =>
  onlyValue(
    database,
    "SELECT coalesce(sum(sample_count), 0) FROM fusion_hourly_stats WHERE bucket = date_bin('1 hour', $1::timestamptz, '2000-01-01 00:00+00')",
    [hoursAgo(hours)],
  );
const DAY = 24;

for (const target of targets()) describeJobs(target);

function describeJobs(target: Target): void {
  describe(`policies and jobs on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    const reopen = async (options: Parameters<Target["open"]>[0] = {}) => {
      await database?.close();
      database = await target.open(options);
    };
    before(() => reopen());
    after(async () => {
      await database?.close();
      await target.remove();
    });

    it("drops what is past its retention, never results, and keeps their statistics", async () => {
      await storeAt(database, [400 * DAY, 40 * DAY, 10 * DAY]);
      assert.deepEqual((await database.runJobs({ all: true })).failed, {});
      assert.deepEqual(
        await Promise.all([400, 40, 10].map((days) => inTable(database, "vl53l8ch_raw", days * DAY))),
        [0, 0, 1],
      );
      assert.deepEqual(
        await Promise.all([400, 40, 10].map((days) => inTable(database, "as7341_analysis", days * DAY))),
        [0, 1, 1],
      );
      for (const days of [400, 40, 10]) {
        assert.equal(await inTable(database, "fusion_results", days * DAY), 1);
        assert.equal(await inStats(database, days * DAY), 1);
      }
      await database.runJobs({ all: true });
      assert.equal(await inStats(database, 400 * DAY), 1);
    });

    it("keeps the history of results that were dropped by hand, also when a late row comes", async function () {
      if (!database.capabilities.cagg) return this.skip();
      await storeAt(database, [60 * DAY, 60 * DAY]);
      await database.runJobs({ all: true });
      assert.equal(await inStats(database, 60 * DAY), 2);
      await database.pool.query("SELECT drop_chunks('fusion_results', older_than => interval '20 days')");
      assert.equal(await inTable(database, "fusion_results", 60 * DAY), 0);
      await database.runJobs({ all: true });
      assert.equal(await inStats(database, 60 * DAY), 2);
      await storeAt(database, [60 * DAY]);
      await database.runJobs({ all: true });
      assert.equal(await inStats(database, 60 * DAY), 2);
    });

    it("drops old events of alarms, never of one that stands, and lets nobody else drop any", async () => {
      const add = (alarm: string, days: number, event: string, state: string) =>
        database.pool.query(
          `INSERT INTO alarm_events (record_id, at, site_id, alarm_id, code, priority, event, state, alarm)
           VALUES (gen_random_uuid(), now() - make_interval(days => $2), 'site', $1, $1, 'high', $3, $4, '{}')`,
          [alarm, days, event, state],
        );
      const left = async () => {
        const { rows } = await database.pool.query("SELECT alarm_id, event FROM alarm_events ORDER BY event_no");
        return rows.map(({ alarm_id, event }) => `${alarm_id} ${event}`);
      };
      await add("over", 800, "raised", "unacknowledged");
      await add("over", 799, "cleared", "normal");
      await add("over", 10, "raised", "unacknowledged");
      await add("over", 9, "cleared", "normal");
      await add("standing", 900, "raised", "unacknowledged");
      await add("standing", 899, "acknowledged", "acknowledged");
      await add("away", 850, "out-of-service", "out-of-service");
      assert.deepEqual((await database.runJobs({ all: true })).failed, {});
      const kept = ["over raised", "over cleared", "standing raised", "standing acknowledged", "away out-of-service"];
      assert.deepEqual(await left(), kept);
      for (const statement of ["DELETE FROM alarm_events", "UPDATE alarm_events SET actor = 'x'"])
        await assert.rejects(database.pool.query(statement), /append-only/);
      await assert.rejects(database.pool.query("SELECT drop_old_alarm_events(0, 10)"), /three days/);

      await database.configure({ ...DEFAULT_RETENTION, alarmDays: 0 });
      await add("over", 800, "raised", "unacknowledged");
      await add("over", 799, "cleared", "normal");
      await database.runJobs({ all: true });
      assert.equal((await left()).length, kept.length + 2);
      await database.configure({ ...DEFAULT_RETENTION, alarmDays: 5 });
      await database.runJobs({ all: true });
      assert.deepEqual(await left(), kept.slice(2));
      await database.configure(DEFAULT_RETENTION);
    });

    it("compresses old chunks and still counts their rows after closing and opening", async () => {
      await storeAt(database, [20 * DAY, 19 * DAY, 18 * DAY, 1]);
      const count = () => onlyValue(database, "SELECT count(*) FROM vl53l8ch_raw");
      const before = await count();
      assert.deepEqual((await database.runJobs({ all: true })).failed, {});
      if (database.capabilities.compression) {
        const open = await onlyValue(
          database,
          "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = 'vl53l8ch_raw' AND NOT is_compressed AND range_end < now() - interval '1 day'",
        );
        assert.equal(open, 0);
        assert.ok(
          Number(await onlyValue(database, "SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed")) >
            5,
        );
      }
      await reopen();
      assert.equal(await count(), before);
    });

    it("stores late rows and tells duplicates in compressed chunks", async () => {
      const before = Number(await onlyValue(database, "SELECT count(*) FROM fusion_results"));
      const sample = makeSample({ measuredAt: hoursAgo(20 * DAY) });
      const outcomes: string[] = [];
      const writer = new Writer<undefined>({
        database: Promise.resolve(database),
        settle: (_entryId, outcome) => outcomes.push(outcome.kind),
        maxRows: 1,
      });
      writer.add({ entryId: "c1", payload: sample, context: undefined });
      writer.add({ entryId: "c2", payload: sample, context: undefined });
      await writer.close(15_000);
      await database.runJobs({ all: true });
      assert.deepEqual(outcomes, ["stored", "duplicate"]);
      assert.equal(await onlyValue(database, "SELECT count(*) FROM fusion_results"), before + 1);
    });

    it("runs what is due only, and keeps its own record", async function () {
      if (database.capabilities.workers) return this.skip();
      await database.runJobs({ all: true });
      const runs = await onlyValue(database, "SELECT sum(runs) FROM job_runs");
      assert.deepEqual((await database.runJobs()).ran, []);
      await database.pool.query("UPDATE job_runs SET finished_at = finished_at - interval '2 hours'");
      const { ran } = await database.runJobs();
      assert.ok(ran.includes(database.capabilities.cagg ? "refresh:fusion_hourly_stats" : "retention"), ran.join());
      assert.equal(await onlyValue(database, "SELECT sum(runs) FROM job_runs"), Number(runs) + ran.length);
    });

    it("puts changed settings in force when it opens, and takes off a retention somebody gave the results", async () => {
      await storeAt(database, [9 * DAY, 5 * DAY]);
      if (database.capabilities.hypertable) {
        await database.pool.query("SELECT add_retention_policy('fusion_results', interval '1 day')");
      }
      await reopen({ retention: { ...DEFAULT_RETENTION, rawDays: 7, compressAfterDays: 0 } });
      await database.runJobs({ all: true });
      assert.equal(await inTable(database, "as7341_raw", 9 * DAY), 0);
      assert.equal(await inTable(database, "as7341_raw", 5 * DAY), 1);
      assert.equal(await inTable(database, "fusion_results", 9 * DAY), 1);
      if (database.capabilities.hypertable) {
        const jobs = await database.pool.query(
          "SELECT proc_name, hypertable_name, config FROM timescaledb_information.jobs WHERE hypertable_schema = 'public' AND proc_name <> 'policy_refresh_continuous_aggregate' ORDER BY hypertable_name",
        );
        assert.deepEqual(
          jobs.rows.map((row) => [row.hypertable_name, row.config.drop_after]),
          [
            ["as7341_analysis", "365 days"],
            ["as7341_raw", "7 days"],
            ["vl53l8ch_analysis", "365 days"],
            ["vl53l8ch_raw", "7 days"],
          ],
        );
      }
    });
  });
}
