import assert from "node:assert/strict";
import type { Calibration } from "../sample/calibration.ts";
import type { Database } from "../timescaledb/database.ts";
import { type Target, targets } from "../timescaledb/fixture.test.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { makeSample, perChannel, spectralPart, tofPart } from "./fixture.test.ts";
import type { CalibrationDraft } from "./record.ts";
import { Calibrations } from "./service.ts";
import { insertNext, listVersions, loadSite, RECORDS_PER_PART } from "./store.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();
const draft = (change: Partial<CalibrationDraft> = {}): CalibrationDraft => ({
  deviceId: "device-1",
  validFrom: new Date(NOW_MS - 60_000).toISOString(),
  validUntil: new Date(NOW_MS + 7 * DAY_MS).toISOString(),
  madeBy: "Anne",
  reason: "sensor moved",
  tof: tofPart(),
  ...change,
});

for (const target of targets()) describeOn(target);

function describeOn(target: Target): void {
  describe(`calibration records on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    before(async () => {
      database = await target.open();
    });
    after(async () => {
      await database?.close();
      await target.remove();
    });
    const insert = (one: CalibrationDraft, siteId = "plant") =>
      inTransaction(database.pool, (client) => insertNext(client, siteId, one));
    const versions = (deviceId: string) => inTransaction(database.pool, (client) => listVersions(client, deviceId));
    const strip = ({ calibrationId: _id, version: _version, ...rest }: Calibration) => rest;

    it("numbers the versions of each device, and gives back exactly what was written", async () => {
      const matrix = {
        rows: [row(1), row(2), row(3)] as [number[], number[], number[]],
        ridge: 0.01,
        chart: "c",
        meanDeltaE: 1.25,
      };
      const whole = draft({
        tof: tofPart({ sensorHeightMm: 301.123456789, beltReflectancePercent: Array.from({ length: 64 }, () => 12) }),
        spectral: spectralPart({ gainCorrection: { "0.5": 1.01, "64": 1, "512": 0.99 }, colorMatrix: matrix }),
      });
      const first = await insert(whole);
      assert.deepEqual([first.version, first.calibrationId], [1, "device-1-v1"]);
      assert.deepEqual(strip(first), whole);
      assert.deepEqual((await versions("device-1")).map(strip), [whole]);
      assert.equal((await insert(draft())).version, 2);
      assert.equal((await insert(draft({ deviceId: "device-2" }))).version, 1);
      assert.deepEqual(
        (await versions("device-1")).map(({ version }) => version),
        [2, 1],
      );
    });

    it("numbers them without a gap or a clash when many write at once", async () => {
      const made = await Promise.all(Array.from({ length: 8 }, () => insert(draft({ deviceId: "busy" }))));
      assert.deepEqual(made.map(({ version }) => version).sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it("refuses what is no sound record, by its code, and writes nothing", async () => {
      const cases: [string, Partial<CalibrationDraft>][] = [
        ["calibration-no-maker", { madeBy: " \n " }],
        ["calibration-no-reason", { reason: "" }],
        ["calibration-bad-validity", { validUntil: draft().validFrom }],
        ["calibration-bad-validity", { validUntil: new Date(NOW_MS + 400 * DAY_MS).toISOString() }],
        ["calibration-bad-validity", { validFrom: "yesterday" }],
        ["calibration-bad-record", { tof: tofPart({ beltDistanceMm: [300] }) }],
        ["calibration-bad-record", { tof: tofPart({ beltDistanceMm: Array.from({ length: 16 }, () => 300) }) }],
        ["calibration-bad-record", { tof: tofPart({ sensorHeightMm: Number.NaN }) }],
        ["calibration-bad-record", { spectral: spectralPart({ whiteBasicCounts: perChannel(() => 0.001) }) }],
      ];
      for (const [code, change] of cases) {
        await assert.rejects(insert(draft({ deviceId: "bad", ...change })), { code }, JSON.stringify(change));
      }
      const { tof: _tof, ...empty } = draft({ deviceId: "bad" });
      await assert.rejects(insert(empty), { code: "calibration-empty" });
      assert.deepEqual(await versions("bad"), []);
    });

    it("is never changed or removed", async () => {
      for (const sql of ["UPDATE calibrations SET reason = 'x'", "DELETE FROM calibrations", "TRUNCATE calibrations"]) {
        await assert.rejects(database.pool.query(sql), /append-only/);
      }
    });

    it("loads a site's own records, the newest of each part, however many tares came since the last white", async () => {
      await insert(draft({ deviceId: "worked", spectral: spectralPart() }), "other");
      for (let i = 0; i < RECORDS_PER_PART + 4; i++) await insert(draft({ deviceId: "worked" }), "other");
      const { records, unreadable } = await loadSite(database.pool as never, "other");
      assert.deepEqual(unreadable, []);
      assert.deepEqual([...new Set(records.map(({ deviceId }) => deviceId))], ["worked"]);
      assert.equal(records.filter(({ spectral }) => spectral).length, 1);
      assert.equal(records.length, RECORDS_PER_PART + 1);
    });

    it("names what it cannot read instead of failing the rest", async () => {
      await database.pool.query(
        `INSERT INTO calibrations (calibration_id, site_id, device_id, version, valid_from, valid_until, made_by, reason, record)
         VALUES ('odd-v1', 'odd', 'odd', 1, now(), now() + interval '1 day', 'x', 'y', '{"tof": {"side": 5}}')`,
      );
      await insert(draft({ deviceId: "even" }), "odd");
      const { records, unreadable } = await loadSite(database.pool as never, "odd");
      assert.deepEqual([records.map(({ deviceId }) => deviceId), unreadable], [["even"], ["odd-v1"]]);
    });

    it("serves them from memory: known after the first load, in force at once after a write, seen by others on reload", async () => {
      const mine = new Calibrations("cached");
      const others = new Calibrations("cached");
      try {
        assert.equal(mine.at("fresh", new Date().toISOString()).state.tof, "unknown");
        for (const one of [mine, others]) one.use(Promise.resolve(database));
        await Promise.all([mine.settled, others.settled]);
        assert.equal(mine.state, "ready");
        const now = new Date().toISOString();
        assert.deepEqual(mine.at("fresh", now).state, { tof: "missing", spectral: "missing" });
        let told = 0;
        mine.onChange(() => told++);
        await mine.add(draft({ deviceId: "fresh" }));
        assert.equal(told, 1);
        assert.equal(mine.at("fresh", now).calibration?.tof?.sensorHeightMm, 300);
        assert.equal(others.at("fresh", now).calibration, undefined);
        await others.reload();
        assert.equal(others.at("fresh", now).calibration?.version, 1);
        await assert.rejects(mine.add(draft({ madeBy: "" })), { code: "calibration-no-maker" });
        assert.equal(database.state(), "ready", "a bad record is no sign that the database is away");
      } finally {
        mine.close();
        others.close();
      }
    });
  });
}

const row = (factor: number) => Array.from({ length: 8 }, (_, index) => (factor * (index + 1)) / 10);

describe("calibration records without a database", () => {
  it("are unknown after the wait, and samples go on", async () => {
    const calibrations = new Calibrations("plant", 20);
    calibrations.use(new Promise(() => undefined));
    await calibrations.settled;
    assert.equal(calibrations.state, "unknown");
    assert.deepEqual(calibrations.at("x", new Date().toISOString()), {
      state: { tof: "unknown", spectral: "unknown" },
    });
    calibrations.close();
  });

  it("are unknown at once when the database cannot be opened, and say why", async () => {
    const calibrations = new Calibrations("plant");
    calibrations.use(Promise.reject(new Error("no database is chosen")));
    await calibrations.settled;
    assert.deepEqual([calibrations.state, calibrations.problem], ["unknown", "no database is chosen"]);
    calibrations.close();
  });

  it("know a bounded number of devices, the longest silent forgotten first", () => {
    const calibrations = new Calibrations("plant");
    for (let i = 0; i < 300; i++) calibrations.see(makeSample({ deviceId: `d${i}` }), i);
    calibrations.see(makeSample({ deviceId: "d100" }), 1000);
    const devices = calibrations.devices();
    assert.equal(devices.length, 256);
    assert.equal(devices[0]?.deviceId, "d44");
    assert.equal(devices.find(({ deviceId }) => deviceId === "d100")?.seenMs, 1000);
    calibrations.close();
  });

  it("watch a device for as long as somebody does", () => {
    const calibrations = new Calibrations("plant");
    const [first, second] = [calibrations.watch("a"), calibrations.watch("a")];
    first();
    first();
    assert.ok(calibrations.isWatched("a"));
    second();
    assert.ok(!calibrations.isWatched("a"));
    calibrations.close();
  });
});
