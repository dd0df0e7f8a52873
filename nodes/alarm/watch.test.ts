import assert from "node:assert/strict";
import type { HealthSnapshot } from "../health/snapshot.ts";
import { type SampleFigures, sampleFiguresOf } from "../sample/figures.ts";
import type { Sample } from "../sample/sample.ts";
import type { RuleType } from "./page.ts";
import { RULES } from "./rules.ts";
import { RuleWatch } from "./watch.ts";

/** What the rules read of a sample. */
function sample(deviceId: string, fields: object = {}): SampleFigures {
  return sampleFiguresOf({ sampleUid: "u", deviceId, isHistorical: false, ...fields } as Sample);
}
const graded = (grade: string, score: number, thicknessMm = 50) =>
  sample("dev-1", { grade: { grade, score, metrics: {} }, vl53l8ch: { frame: {}, analysis: { thicknessMm } } });

function health({
  refused = {},
  received = {},
  ...fields
}: {
  ageS?: number;
  state?: string;
  since?: string;
  freeBytes?: number;
  store?: string;
  refused?: Record<string, number>;
  received?: Record<string, number>;
}): HealthSnapshot {
  const byDevice = Object.fromEntries(Object.entries(received).map(([id, count]) => [id, { received: count }]));
  return {
    at: "2026-11-26T08:00:10Z",
    disk: { freeBytes: fields.freeBytes ?? 1e12, totalBytes: 2e12 },
    inbox: { ageS: fields.ageS ?? 0, byDevice, total: { refused }, store: { state: fields.store ?? "open" } },
    database: { state: fields.state ?? "ready", since: fields.since ?? "2026-11-26T08:00:00Z" },
  } as unknown as HealthSnapshot;
}

const watching = (type: RuleType, limit = RULES[type].limit) =>
  new RuleWatch({ type, priority: RULES[type].priority, limit: () => limit, onDelayMs: 0, offDelayMs: 0 });
const said = (watch: RuleWatch, monoMs: number) =>
  watch.due(monoMs).map(({ event, subject, value }) => [event, subject, value]);

describe("the alarm rules", () => {
  it("device silent: by samples, by what doors say, and not while its samples wait in the inbox", () => {
    const watch = watching("device-silent");
    watch.probe.sample?.(sample("dev-1"), 0);
    watch.probe.deviceEvent?.("dev-2", "heartbeat", 0);
    watch.probe.health?.(health({ received: { "dev-1": 5, "dev-2": 1 } }), 0);
    assert.deepEqual(said(watch, 1000), [
      ["alarm-clear", "dev-1", 1],
      ["alarm-clear", "dev-2", 1],
    ]);
    watch.probe.health?.(health({ received: { "dev-1": 6, "dev-2": 1 } }), 30_000);
    assert.deepEqual(said(watch, 31_000), [["alarm-raise", "dev-2", 31]]);
    assert.deepEqual(said(watch, 33_000), [], "told once");
    assert.deepEqual(said(watch, 36_000), [["alarm-raise", "dev-2", 36]], "its value is brought up to date");
    watch.probe.sample?.(sample("dev-2", { isHistorical: true }), 37_000);
    assert.deepEqual(said(watch, 37_500), [], "a late sample is no sign of life");
    watch.probe.sample?.(sample("dev-2"), 38_000);
    assert.deepEqual(said(watch, 38_000), [["alarm-clear", "dev-2", 0]]);
  });

  it("device silent: not of a system that connects only to listen to alarms", () => {
    const watch = watching("device-silent");
    for (const device of ["other-system", "dev-1"]) watch.probe.deviceEvent?.(device, "connected", 0);
    watch.probe.deviceEvent?.("dev-1", "hello", 0);
    for (const device of ["other-system", "dev-1"]) watch.probe.deviceEvent?.(device, "listening", 10);
    assert.deepEqual(said(watch, 40_000), [["alarm-raise", "dev-1", 40]]);
  });

  it("saturation and calibration: the share of a device's last samples", () => {
    const saturation = watching("saturation");
    const calibration = watching("uncalibrated");
    for (let index = 0; index < 10; index += 1) {
      const one = sample("dev-1", {
        as7341: { reading: { saturated: index < 3 ? ["F3"] : [] } },
        calibrationState: { tof: "missing", spectral: index < 6 ? "missing" : "valid" },
      });
      saturation.probe.sample?.(one, index);
      calibration.probe.sample?.(one, index);
      calibration.probe.sample?.(
        sample("dev-3", {
          vl53l8ch: { frame: {}, features: { dialect: "sqal" } },
          calibrationState: { tof: "missing", spectral: "missing" },
        }),
        index,
      );
      calibration.probe.sample?.(
        sample("dev-2", {
          as7341: { reading: { saturated: [] } },
          calibrationState: { tof: "valid", spectral: "unknown" },
        }),
        index,
      );
    }
    assert.deepEqual(said(saturation, 100), [["alarm-raise", "dev-1", 30]]);
    // It has no distance sensor: only its colour part counts.
    assert.deepEqual(said(calibration, 100), [["alarm-raise", "dev-1", 60]]);
  });

  it("reject rate: of the line's last products, once there are enough", () => {
    const watch = watching("reject-rate");
    for (let index = 0; index < 19; index += 1) watch.probe.sample?.(graded("REJECT", 0.2), index);
    assert.deepEqual(said(watch, 100), []);
    watch.probe.sample?.(graded("A", 0.8), 100);
    assert.deepEqual(said(watch, 101), [["alarm-raise", undefined, 95]]);
    for (let index = 0; index < 60; index += 1) watch.probe.sample?.(graded("A", 0.8), 200);
    assert.deepEqual(said(watch, 300), [["alarm-clear", undefined, 0]]);
  });

  it("drift: the last products' mean against the mean of those before", () => {
    const score = watching("drift-score");
    const thickness = watching("drift-thickness");
    const feed = (count: number, value: number, mm: number) => {
      for (let index = 0; index < count; index += 1)
        for (const { probe } of [score, thickness]) probe.sample?.(graded("A", value, mm), 0);
    };
    feed(79, 0.8, 50);
    assert.deepEqual(said(score, 0), []);
    feed(21, 0.65, 50);
    assert.deepEqual(said(score, 1), [["alarm-raise", undefined, 14.8]]);
    assert.deepEqual(said(thickness, 1), [["alarm-clear", undefined, 0]]);
    feed(20, 0.8, 44);
    assert.deepEqual(said(thickness, 2), [["alarm-raise", undefined, 6]]);
  });

  it("backlog, database, disk: from the health figures", () => {
    const backlog = watching("backlog-age");
    const database = watching("database-away");
    const disk = watching("disk-low");
    const all = [backlog, database, disk];
    assert.deepEqual(
      all.map((watch) => said(watch, 0)),
      [[], [], []],
    );
    for (const { probe } of all) probe.health?.(health({ ageS: 61, state: "away", freeBytes: 1024 ** 3 }), 0);
    assert.deepEqual(
      all.map((watch) => said(watch, 0)),
      [[["alarm-raise", undefined, 61]], [["alarm-raise", undefined, 10]], [["alarm-raise", undefined, 1024]]],
    );
    for (const { probe } of all) probe.health?.(health({}), 1);
    assert.deepEqual(
      all.map((watch) => said(watch, 1)[0]?.[0]),
      ["alarm-clear", "alarm-clear", "alarm-clear"],
    );
  });

  it("inbox refusing: what came in the last minute, and a full inbox though nobody sends", () => {
    const watch = watching("inbox-refusing");
    // From before this process's rules: no news.
    watch.probe.health?.(health({ refused: { "inbox-full": 7, oversize: 1 } }), 0);
    assert.deepEqual(said(watch, 0), [["alarm-clear", undefined, 0]]);
    watch.probe.health?.(health({ refused: { "inbox-full": 7, oversize: 5 } }), 1000);
    assert.deepEqual(said(watch, 1000), [], "a message that is too large is its device's fault");
    watch.probe.health?.(health({ refused: { "inbox-full": 9, "disk-full": 1, oversize: 5 } }), 2000);
    assert.deepEqual(said(watch, 2000), [["alarm-raise", undefined, 3]]);
    assert.deepEqual(said(watch, 62_000), [["alarm-clear", undefined, 0]]);
    watch.probe.health?.(health({ refused: { "inbox-full": 9, "disk-full": 1 }, store: "disk-full" }), 63_000);
    assert.deepEqual(said(watch, 63_000), [["alarm-raise", undefined, 1]]);
  });

  it("follows a limit that is changed, and does not clear what only waits for its delay", () => {
    let limit = 100;
    const watch = new RuleWatch({
      type: "backlog-age",
      priority: "high",
      limit: () => limit,
      onDelayMs: 1000,
      offDelayMs: 0,
    });
    watch.probe.health?.(health({ ageS: 150 }), 0);
    // After a restart the list may hold this alarm: it must not be cleared in between.
    assert.deepEqual(said(watch, 0), []);
    assert.deepEqual(said(watch, 1000), [["alarm-raise", undefined, 150]]);
    limit = 400;
    assert.deepEqual(said(watch, 1001), [["alarm-clear", undefined, 150]]);
  });
});
