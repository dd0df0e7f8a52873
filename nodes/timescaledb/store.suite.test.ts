import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { currentInbox, setCurrentInbox } from "../host/current-inbox.ts";
import type { Inbox, Outcome, QuarantineRecord } from "../sample/inbox.ts";
import type { Sample } from "../sample/sample.ts";
import type { Database } from "./database.ts";
import { hoursAgo, makeSample, onlyValue, type Target, targets } from "./fixture.test.ts";
import { type BatchReport, Writer, type WriterOptions } from "./writer.ts";

/** A writer with a record of what it settled. */
function recording(database: Database, options: Partial<WriterOptions<undefined>> = {}) {
  const settled: [string, Outcome][] = [];
  const reports: BatchReport[] = [];
  const writer = new Writer<undefined>({
    database: Promise.resolve(database),
    settle: (entryId, outcome) => settled.push([entryId, outcome]),
    onBatch: (report) => reports.push(report),
    maxAgeMs: 5,
    backoffFactor: 0.01,
    ...options,
  });
  return { writer, settled, reports, outcomes: () => new Map(settled) };
}

let entries = 0;
const entry = () => `e${++entries}`;

async function store(database: Database, samples: readonly Sample[]): Promise<Map<string, Outcome>> {
  const { writer, outcomes } = recording(database);
  for (const sample of samples)
    assert.equal(writer.add({ entryId: entry(), payload: sample, context: undefined }), "taken");
  assert.deepEqual(await writer.close(15_000), []);
  return outcomes();
}

const kinds = (outcomes: Map<string, Outcome>) => [...outcomes.values()].map(({ kind }) => kind);

for (const target of targets()) describeStore(target);

function describeStore(target: Target): void {
  describe(`store on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    before(async () => {
      database = await target.open();
    });
    after(async () => {
      await database?.close();
      await target.remove();
    });

    it("finds what the database can do", async () => {
      const { timescaledb, embedded, ...can } = database.capabilities;
      assert.equal(embedded, target.embedded);
      if (target.embedded) {
        assert.equal(timescaledb !== null, target.extension);
        assert.deepEqual(can, {
          hypertable: target.extension,
          cagg: target.extension,
          compression: target.extension,
          workers: false,
        });
      } else if (timescaledb === null) {
        assert.deepEqual(Object.values(can), [false, false, false, false]);
      }
    });

    it("stores a sample in all five tables, its raw bytes once and every digit of its score", async () => {
      const sample = makeSample();
      assert.deepEqual(kinds(await store(database, [sample])), ["stored"]);
      for (const table of ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"]) {
        assert.equal(
          await onlyValue(database, `SELECT count(*) FROM ${table} WHERE sample_uid = $1`, [sample.sampleUid]),
          1,
          table,
        );
      }
      const raw = await database.pool.query(
        "SELECT raw_bytes, distance_matrix FROM vl53l8ch_raw WHERE sample_uid = $1",
        [sample.sampleUid],
      );
      assert.deepEqual(raw.rows[0].raw_bytes, sample.vl53l8ch?.raw?.bytes);
      assert.deepEqual(raw.rows[0].distance_matrix[1].slice(0, 2), [52, 52.25]);
      assert.equal(raw.rows[0].distance_matrix.length, 8);
      assert.equal(
        await onlyValue(database, "SELECT raw_bytes FROM as7341_raw WHERE sample_uid = $1", [sample.sampleUid]),
        null,
      );
      const result = await database.pool.query("SELECT * FROM fusion_results WHERE sample_uid = $1", [
        sample.sampleUid,
      ]);
      assert.equal(result.rows[0].final_quality_score, 0.8765432109876543);
      assert.equal(result.rows[0].time, sample.measuredAt);
      assert.equal(result.rows[0].eleveur, "Éleveur d'Oie");
      assert.equal(result.rows[0].thickness_mm, 48.5);
      assert.equal(result.rows[0].production_day, sample.productionDay);
    });

    it("keeps raw bytes apart when the sensors' differ, and in as7341_raw when only that one was there", async () => {
      const both = makeSample();
      if (both.as7341) both.as7341.raw = { format: "own", bytes: Buffer.from([1, 2, 3]) };
      const alone = makeSample();
      delete alone.vl53l8ch;
      await store(database, [makeSample({ rawBytes: 0 }), both, alone]);
      const found = await database.pool.query("SELECT raw_bytes FROM as7341_raw WHERE sample_uid = ANY($1)", [
        [both.sampleUid, alone.sampleUid],
      ]);
      const lengths = found.rows.map((row) => row.raw_bytes?.length ?? null).sort();
      assert.deepEqual(lengths, [200, 3]);
    });

    it("stores what a raw frame says of itself, and null where a device sends none", async () => {
      const raw = makeSample();
      if (raw.vl53l8ch) {
        const { frame } = raw.vl53l8ch;
        Object.assign(frame, {
          sigmaMm: frame.status.map((_, i) => i / 128),
          corrupted: false,
          siliconTempC: -4,
          streamCount: 254,
        });
      }
      const plain = makeSample();
      await store(database, [raw, plain]);
      const { rows } = await database.pool.query(
        `SELECT sigma_matrix -> 1 -> 0 AS sigma, corrupted, silicon_temp, stream_count FROM vl53l8ch_raw
         WHERE sample_uid = ANY($1) ORDER BY corrupted`,
        [[raw.sampleUid, plain.sampleUid]],
      );
      assert.deepEqual(rows, [
        { sigma: 0.0625, corrupted: false, silicon_temp: -4, stream_count: 254 },
        { sigma: null, corrupted: null, silicon_temp: null, stream_count: null },
      ]);
    });

    it("keeps microseconds", async () => {
      const measuredAt = new Date(Date.now() - 5000).toISOString().replace("Z", "654Z");
      const sample = makeSample({ measuredAt });
      await store(database, [sample]);
      assert.equal(
        await onlyValue(database, "SELECT time FROM fusion_results WHERE sample_uid = $1", [sample.sampleUid]),
        measuredAt.replace(/0+Z$/, "Z"),
      );
    });

    it("tells duplicates from repeated tries of the same entry", async () => {
      const sample = makeSample();
      const first = recording(database);
      first.writer.add({ entryId: "tried-twice", payload: sample, context: undefined });
      await first.writer.close(15_000);
      const again = recording(database);
      again.writer.add({ entryId: "tried-twice", payload: sample, context: undefined });
      again.writer.add({ entryId: "sent-again", payload: sample, context: undefined });
      await again.writer.close(15_000);
      assert.deepEqual(again.settled, [
        ["tried-twice", { kind: "stored" }],
        ["sent-again", { kind: "duplicate" }],
      ]);
    });

    it("lets what waits to be graded go first, but not for long, and writes nothing it has given up", async () => {
      const before = currentInbox();
      setCurrentInbox({ isEmitting: true } as Inbox);
      try {
        const deviceId = "at-leisure";
        const { writer, settled } = recording(database);
        const add = () => writer.add({ entryId: entry(), payload: makeSample({ deviceId }), context: undefined });
        for (let count = 0; count < 5; count += 1) add();
        await sleep(100);
        assert.deepEqual(settled, [], "samples are waiting to be graded");
        while (settled.length < 5) await sleep(20);
        for (let count = 0; count < 5; count += 1) add();
        await sleep(50);
        assert.equal((await writer.close(0)).length, 5);
        await sleep(700);
        const stored = await onlyValue(database, "SELECT count(*) FROM fusion_results WHERE device_id = $1", [
          deviceId,
        ]);
        assert.equal(stored, 5);
      } finally {
        setCurrentInbox(before);
      }
    });

    it("recognises a numbered sample without a clock that comes again at another time", async () => {
      const sample = makeSample({ timeSource: "server" });
      assert.deepEqual(kinds(await store(database, [sample])), ["stored"]);
      const again = { ...sample, measuredAt: new Date().toISOString() };
      assert.deepEqual(kinds(await store(database, [again])), ["duplicate"]);
      assert.equal(
        await onlyValue(database, "SELECT count(*) FROM fusion_results WHERE sample_uid = $1", [sample.sampleUid]),
        1,
      );
    });

    it("stores each uid once and settles each entry once, whatever the sequence of batches", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fc.nat(12), { maxLength: 12 }), { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 5 }),
          async (batches, maxRows) => {
            const deviceId = `prop-${entry()}`;
            const pool = Array.from({ length: 13 }, () => makeSample({ deviceId, rawBytes: 20 }));
            const { writer, settled } = recording(database, { maxRows });
            const given: string[] = [];
            for (const batch of batches) {
              for (const index of batch) {
                const payload = pool[index];
                assert.ok(payload);
                given.push(entry());
                writer.add({ entryId: given.at(-1) ?? "", payload, context: undefined });
              }
              await new Promise(setImmediate);
            }
            assert.deepEqual(await writer.close(15_000), []);
            assert.deepEqual(settled.map(([entryId]) => entryId).sort(), [...given].sort());
            const distinct = new Set(batches.flat()).size;
            assert.equal(settled.filter(([, { kind }]) => kind === "stored").length, distinct);
            for (const table of ["vl53l8ch_raw", "fusion_results"]) {
              assert.equal(
                await onlyValue(database, `SELECT count(*) FROM ${table} WHERE device_id = $1`, [deviceId]),
                distinct,
              );
            }
          },
        ),
        { numRuns: 15 },
      );
    });

    it("isolates what the database refuses, stores the rest and keeps the refused bytes", async () => {
      const samples = Array.from({ length: 20 }, () => makeSample());
      const bad = samples[7];
      assert.ok(bad);
      bad.measuredAt = "300000-01-01T00:00:00Z";
      const broken = samples[13] as unknown as { vl53l8ch: unknown; receivedAt: string };
      broken.vl53l8ch = { frame: null };
      const outcomes = kinds(await store(database, samples));
      assert.equal(outcomes.filter((kind) => kind === "stored").length, 18);
      const { rows } = await database.pool.query("SELECT reason, bytes FROM quarantine ORDER BY id DESC LIMIT 2");
      assert.deepEqual(rows.map((row) => row.reason).sort(), ["refused-by-database", "unmappable"]);
      const refused = rows.find((row) => row.reason === "refused-by-database");
      assert.deepEqual(refused?.bytes, bad.vl53l8ch?.raw?.bytes);
    });

    it("stores claims with characters jsonb refuses, and text with NUL", async () => {
      const sample = makeSample({ eleveur: "a\0b", metadata: { "k\0": "v\0", lone: "\ud800", ok: "\\u0000" } });
      assert.deepEqual(kinds(await store(database, [sample])), ["stored"]);
      const stored = await onlyValue(database, "SELECT metadata FROM fusion_results WHERE sample_uid = $1", [
        sample.sampleUid,
      ]);
      assert.deepEqual(stored, { "k\ufffd": "v\ufffd", lone: "\ufffd", ok: "\\u0000" });
    });

    it("keeps quarantine records, the newest within its bounds", async () => {
      const { writer, settled } = recording(database, { quarantine: { maxRows: 4, maxBytes: 3500 }, maxRows: 3 });
      for (let i = 0; i < 9; i++) {
        const payload: QuarantineRecord = {
          quarantine: true,
          reason: "not-json",
          detail: `number ${i}`,
          transport: "mqtt",
          receivedAt: "not a time",
          siteId: "site",
          bytes: Buffer.alloc(1000, i),
        };
        writer.add({ entryId: entry(), payload, context: undefined });
      }
      await writer.close(15_000);
      assert.equal(settled.length, 9);
      assert.deepEqual(settled[0]?.[1], { kind: "quarantined", reason: "not-json" });
      const { rows } = await database.pool.query("SELECT detail FROM quarantine ORDER BY id");
      assert.deepEqual(
        rows.map((row) => row.detail),
        ["number 6", "number 7", "number 8"],
      );
    });

    it("gives up what it cannot write in time, unsettled, and takes nothing more", async () => {
      const { writer, settled } = recording(database, {
        database: new Promise<Database>(() => undefined),
        maxPending: 2,
      });
      assert.equal(writer.add({ entryId: "a", payload: makeSample(), context: undefined }), "taken");
      assert.equal(writer.add({ entryId: "a", payload: makeSample(), context: undefined }), "held");
      assert.equal(writer.add({ entryId: "b", payload: makeSample(), context: undefined }), "taken");
      assert.equal(writer.add({ entryId: "c", payload: makeSample(), context: undefined }), "full");
      const left = await writer.close(20);
      assert.deepEqual(
        left.map((item) => item.entryId),
        ["a", "b"],
      );
      assert.deepEqual(settled, []);
    });

    it("does not give up what is being committed when it is closed, until that is known", async () => {
      for (const works of [true, false]) {
        const givenUp: string[] = [];
        const { writer, settled } = recording(database, { onGivenUp: ({ entryId }) => givenUp.push(entryId) });
        const other = await database.pool.connect();
        await other.query("BEGIN; LOCK TABLE vl53l8ch_raw IN ACCESS EXCLUSIVE MODE");
        const payload = makeSample();
        // Which the database refuses.
        if (!works) payload.measuredAt = "never";
        writer.add({ entryId: "under-way", payload, context: undefined });
        await new Promise((resolve) => setTimeout(resolve, 200));
        writer.add({ entryId: "waiting", payload: makeSample(), context: undefined });
        const left = await writer.close(20);
        assert.deepEqual(
          left.map(({ entryId }) => entryId),
          ["waiting"],
        );
        assert.deepEqual([settled, givenUp], [[], []]);
        await other.query("ROLLBACK");
        other.release();
        while (settled.length + givenUp.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        assert.deepEqual(settled, works ? [["under-way", { kind: "stored" }]] : []);
        assert.deepEqual(givenUp, works ? [] : ["under-way"]);
      }
    });

    it("remembers devices: the newest sight, what was learned before", async () => {
      const deviceId = "esp32-known";
      const { writer } = recording(database);
      writer.see({ deviceId, seenAt: new Date().toISOString(), mac: "aa:bb", ip: "10.0.0.7" });
      const sample = makeSample({ deviceId, receivedAt: hoursAgo(5) });
      writer.add({ entryId: entry(), payload: sample, context: undefined });
      await writer.close(15_000);
      const { rows } = await database.pool.query("SELECT * FROM devices WHERE device_id = $1", [deviceId]);
      assert.equal(rows[0].mac, "aa:bb");
      assert.equal(rows[0].firmware, "1.2.3");
      assert.ok(Date.parse(rows[0].last_seen_at) > Date.now() - 3_600_000);
    });

    it("runs the mission's three queries as they are written", async () => {
      await store(database, [makeSample({ score: 0.7 }), makeSample({ score: 0.3, eleveur: "Autre" })]);
      const recent = await database.pool.query("SELECT * FROM get_recent_stats(24);");
      assert.equal(recent.rows.length, 1);
      const breeders = await database.pool.query(
        "SELECT eleveur, COUNT(*), AVG(final_quality_score) FROM fusion_results WHERE time > NOW() - INTERVAL '7 days' GROUP BY eleveur ORDER BY AVG(final_quality_score) DESC;",
      );
      assert.equal(breeders.rows.at(-1).eleveur, "Autre");
      const grades = await database.pool.query(
        "SELECT final_grade, COUNT(*), ROUND(AVG(final_quality_score), 3) FROM fusion_results WHERE time > NOW() - INTERVAL '1 day' GROUP BY final_grade;",
      );
      const reject = grades.rows.find((row) => row.final_grade === "REJECT");
      assert.deepEqual(reject, { final_grade: "REJECT", count: 1, round: 0.3 });
    });

    it("counts a row just committed, and agrees with the results to the last digits", async () => {
      const before = Number(await onlyValue(database, "SELECT total_samples FROM get_recent_stats(24)"));
      await store(database, [makeSample({ score: 0.61 }), makeSample({ score: 0.62 })]);
      const stats = (await database.pool.query("SELECT * FROM get_recent_stats(24)")).rows[0];
      assert.equal(stats.total_samples, before + 2);
      const plain = (
        await database.pool.query(
          "SELECT avg(final_quality_score::float8) AS mean, stddev_samp(final_quality_score::float8) AS deviation, count(*) FILTER (WHERE is_compliant) AS good, count(*) AS n FROM fusion_results WHERE time >= $1",
          [stats.period_start],
        )
      ).rows[0];
      assert.equal(plain.n, stats.total_samples);
      assert.ok(Math.abs(stats.avg_quality_score - plain.mean) < 1e-12);
      assert.ok(Math.abs(stats.stddev_quality_score - plain.deviation) < 1e-9);
      assert.equal(stats.compliance_rate_pct, (100 * plain.good) / plain.n);
      assert.equal(await onlyValue(database, "SELECT total_samples FROM get_recent_stats(24, 'elsewhere')"), 0);
    });

    it("counts late rows in the statistics, before and after the hours were computed", async () => {
      const deviceId = "late";
      const hourly = (hours: number) =>
        onlyValue(
          database,
          "SELECT coalesce(sum(sample_count), 0) FROM fusion_hourly_stats WHERE bucket = date_bin('1 hour', $1::timestamptz, '2000-01-01 00:00+00')",
          [hoursAgo(hours)],
        );
      await store(
        database,
        [900, 600, 100, 5].map((hours) => makeSample({ deviceId, measuredAt: hoursAgo(hours) })),
      );
      await database.runJobs({ all: true });
      // The one of five hours ago moves the aggregate's mark past all the others.
      for (const hours of [900, 600, 100, 5]) assert.equal(await hourly(hours), 1, `${hours} hours ago`);
      await store(
        database,
        [700, 600].map((hours) => makeSample({ deviceId, measuredAt: hoursAgo(hours) })),
      );
      await database.runJobs();
      assert.equal(await hourly(600), 2);
      assert.equal(await hourly(700), 1);
      const daily = await onlyValue(
        database,
        "SELECT sum(sample_count) FROM fusion_eleveur_stats WHERE first_time < now() - interval '80 hours'",
      );
      assert.equal(daily, 5);
      if (database.capabilities.cagg) {
        assert.equal(
          await onlyValue(
            database,
            "SELECT count(*) FROM stats_refresh_queue WHERE bucket < now() - interval '2 days'",
          ),
          0,
        );
      }
    });
  });
}
