import assert from "node:assert/strict";
import { fitColorMatrix } from "../as7341/color-matrix.ts";
import type { Calibration } from "../sample/calibration.ts";
import type { Sample, SpectralReading } from "../sample/sample.ts";
import { COLOR_CHECKER_CLASSIC, LEAST_PATCHES } from "./chart.ts";
import { beltFrame, makeRecord, makeSample, perChannel, reading, spectralPart, tofPart } from "./fixture.test.ts";
import { Guide, type GuideOptions, isCalibrationAction } from "./guide.ts";
import type { CalibrationAction } from "./page.ts";
import { checkDraft } from "./record.ts";

const DEVICE = "device-1";
const NOW_MS = Date.UTC(2026, 5, 1, 8);
const DAY_MS = 86_400_000;

function made(change: Partial<GuideOptions> = {}) {
  const stored: Calibration[] = [];
  const watching = new Set<string>();
  const guide = new Guide({
    wanted: 30,
    fieldOfViewDeg: 45,
    whiteReflectance: 0.98,
    validDays: { tof: 7, spectral: 30 },
    chart: COLOR_CHECKER_CLASSIC,
    records: () => stored,
    save: async (draft) => {
      const version = stored.length + 1;
      const record = { ...checkDraft(draft), version, calibrationId: `${draft.deviceId}-v${version}` };
      stored.push(record);
      return record;
    },
    watch: (deviceId) => {
      watching.add(deviceId);
      return () => watching.delete(deviceId);
    },
    fitMatrix: fitColorMatrix,
    ...change,
  });
  const act = (action: Partial<CalibrationAction>, nowMs = NOW_MS) =>
    guide.act({ action: "calibration.start", device: DEVICE, ...action }, nowMs);
  const feed = (count: number, sample: () => Sample, nowMs = NOW_MS) => {
    for (let i = 0; i < count; i++) guide.take(sample(), nowMs);
  };
  const session = (nowMs = NOW_MS) => guide.sessions(nowMs)[0];
  return { guide, stored, watching, act, feed, session };
}

const accept = { action: "calibration.accept", madeBy: "Anne", reason: "start of shift" } as const;
const spectral =
  (of: (channel: number) => number, change: Partial<SpectralReading> = {}) =>
  () =>
    makeSample({ as7341: { reading: reading(of, change) } });

describe("the guided calibration", () => {
  it("makes a tare of the samples it wanted, and watches the device for as long as it lasts", async () => {
    const { act, feed, session, stored, watching } = made();
    await act({ step: "tare" });
    assert.ok(watching.has(DEVICE));
    feed(10, makeSample);
    assert.deepEqual([session()?.phase, session()?.taken, session()?.acceptable], ["collecting", 10, false]);
    assert.equal(Math.round(session()?.result?.figures.heightMm ?? 0), 300, "quality is live");
    feed(40, makeSample);
    assert.deepEqual([session()?.phase, session()?.taken, session()?.acceptable], ["review", 30, true]);
    const record = await act({ ...accept, validDays: 3 });
    assert.equal(record?.validUntil, new Date(NOW_MS + 3 * DAY_MS).toISOString());
    assert.equal(record?.validFrom, new Date(NOW_MS).toISOString());
    assert.deepEqual([stored[0]?.madeBy, stored[0]?.reason, stored[0]?.tof?.frames], ["Anne", "start of shift", 30]);
    assert.deepEqual([session()?.phase, session()?.savedVersion], ["saved", 1]);
    await act({ action: "calibration.cancel" });
    assert.deepEqual([session(), watching.size], [undefined, 0]);
  });

  it("takes neither late samples, nor other devices', nor those without the sensor", async () => {
    const { act, feed, session } = made();
    await act({ step: "tare" });
    feed(5, () => makeSample({ isHistorical: true }));
    feed(5, () => makeSample({ deviceId: "other" }));
    feed(5, () => {
      const { vl53l8ch: _vl53l8ch, ...rest } = makeSample();
      return rest;
    });
    assert.equal(session()?.taken, 0);
  });

  it("is content with fewer after a while from devices that send one sample per product, and says when none comes", async () => {
    const { act, feed, session } = made();
    await act({ step: "tare" });
    assert.equal(session(NOW_MS + 9000)?.idleMs, 9000);
    feed(20, makeSample, NOW_MS + 10_000);
    assert.equal(session(NOW_MS + 19_000)?.phase, "collecting");
    assert.equal(session(NOW_MS + 20_000)?.phase, "review");
  });

  it("does not accept what is unsound, and nothing without who and why", async () => {
    const { act, feed, session, stored } = made();
    await act({ step: "tare" });
    feed(30, () => makeSample({ vl53l8ch: { frame: beltFrame((index) => (index === 27 ? 240 : 300)) } }));
    assert.deepEqual(
      session()?.findings.map(({ code }) => code),
      ["belt-not-empty"],
    );
    await assert.rejects(act(accept), { code: "calibration-not-acceptable" });
    await act({ step: "tare" });
    feed(30, makeSample);
    for (const [change, code] of [
      [{ madeBy: " " }, "calibration-no-maker"],
      [{ reason: "" }, "calibration-no-reason"],
    ] as const) {
      await assert.rejects(act({ ...accept, ...change }), { code });
      assert.deepEqual([session()?.phase, session()?.error], ["review", code]);
    }
    assert.deepEqual(stored, []);
    await act(accept);
    assert.deepEqual([stored.length, session()?.error], [1, undefined]);
  });

  it("writes one record for two presses, and stays in review when the database refuses", async () => {
    let release: () => void = () => undefined;
    const saves: string[] = [];
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { act, feed, session } = made({
      save: async () => {
        saves.push("save");
        await gate;
        throw Object.assign(new Error("gone"), { code: "08006" });
      },
    });
    await act({ step: "tare" });
    feed(30, makeSample);
    const first = act(accept);
    assert.equal(await act(accept), undefined);
    assert.equal(session()?.phase, "saving");
    await act({ action: "calibration.cancel" });
    assert.equal(session()?.phase, "saving", "what is being written is not given up");
    release();
    await assert.rejects(first, /gone/);
    assert.deepEqual([saves.length, session()?.phase, session()?.error], [1, "review", "08006"]);
  });

  it("leads from dark to white, keeps the dark for an hour, and keeps an older colour matrix", async () => {
    const { act, feed, session, stored } = made();
    const row = Array.from({ length: 8 }, () => 0.1);
    const colorMatrix = {
      rows: [row, row, row] as [number[], number[], number[]],
      ridge: 0,
      chart: "old",
      meanDeltaE: 1,
    };
    stored.push(makeRecord({ validFrom: "2026-01-01T00:00:00Z", spectral: spectralPart({ colorMatrix }) }));
    await act({ step: "white" });
    feed(
      30,
      spectral(() => 30_000),
    );
    assert.deepEqual(
      session()?.findings.map(({ code }) => code),
      ["dark-missing"],
    );
    await act({ step: "dark" });
    feed(
      30,
      spectral(() => 32),
    );
    assert.equal(await act({ action: "calibration.accept" }), undefined);
    assert.deepEqual([session()?.phase, session()?.savedVersion], ["saved", undefined]);
    await act({ step: "white", whiteReflectance: 0.9 }, NOW_MS + 30 * 60_000);
    feed(
      30,
      spectral(() => 32_000),
    );
    const record = await act({ ...accept, step: "white" }, NOW_MS + 30 * 60_000);
    assert.ok(Math.abs((record?.spectral?.darkBasicCounts.F1 ?? 0) - 32 / (64 * 50)) < 1e-12);
    assert.ok(Math.abs((record?.spectral?.whiteBasicCounts.F8 ?? 0) - 10) < 1e-9);
    assert.equal(record?.spectral?.whiteReflectance.F3, 0.9);
    assert.equal(record?.spectral?.colorMatrix?.chart, "old");
    await act({ step: "white" });
    feed(
      30,
      spectral(() => 32_000),
    );
    assert.deepEqual(
      session()?.findings.map(({ code }) => code),
      ["dark-missing"],
      "a dark serves one white",
    );
  });

  it("fits a colour matrix from a chart, patch by patch, valid no longer than its white", async () => {
    const { act, feed, session, stored } = made();
    await assert.rejects(act({ step: "chart" }), { code: "calibration-white-missing" });
    const white = makeRecord({
      validFrom: new Date(NOW_MS - DAY_MS).toISOString(),
      validUntil: new Date(NOW_MS + 5 * DAY_MS).toISOString(),
      spectral: spectralPart({
        darkBasicCounts: perChannel(() => 0),
        whiteBasicCounts: perChannel(() => 10),
        whiteReflectance: perChannel(() => 1),
      }),
    });
    stored.push(white);
    // A sensor whose eight channels see mixtures of X, Y and Z, all alike on white: what a chart's matrix can undo.
    const mixed = ([x, y, z]: readonly [number, number, number], channel: number) => {
      const [wx, wy, wz] = [6, 4, 1].map((centre) => Math.exp(-((channel - centre) ** 2) / 6)) as [
        number,
        number,
        number,
      ];
      return ((wx * x) / 0.95047 + wy * y + (wz * z) / 1.08883) / (wx + wy + wz);
    };
    for (let patch = 0; patch < LEAST_PATCHES; patch++) {
      assert.equal(session()?.acceptable ?? false, false);
      await act({ step: "chart", patch });
      const { xyz } = COLOR_CHECKER_CLASSIC.patches[patch] ?? { xyz: [0, 0, 0] };
      feed(
        30,
        spectral((channel) => Math.round(32_000 * mixed(xyz, channel)) || 1),
      );
    }
    assert.equal(session()?.chart?.done.filter(Boolean).length, LEAST_PATCHES);
    const record = await act({ ...accept, validDays: 30 });
    assert.equal(record?.validUntil, white.validUntil);
    assert.equal(record?.spectral?.colorMatrix?.chart, "ColorChecker Classic");
    assert.ok((record?.spectral?.colorMatrix?.meanDeltaE ?? 99) < 6);
    assert.deepEqual(record?.spectral?.whiteBasicCounts, white.spectral?.whiteBasicCounts);
  });

  it("tells a change of height since the tare in force", async () => {
    const { act, feed, session, stored } = made();
    stored.push(makeRecord({ tof: tofPart({ sensorHeightMm: 320 }) }));
    await act({ step: "tare" });
    feed(30, makeSample);
    assert.deepEqual(
      session()?.findings.map(({ code, severity }) => `${severity} ${code}`),
      ["warning height-changed"],
    );
    assert.ok(session()?.acceptable);
  });

  it("forgets what nobody finishes, and bounds how many run at once", async () => {
    const { act, guide, session, watching } = made();
    for (let i = 0; i < 8; i++) await act({ step: "tare", device: `d${i}` });
    await assert.rejects(act({ step: "tare", device: "one-more" }), { code: "calibration-busy" });
    assert.equal(watching.size, 8);
    assert.equal(session(NOW_MS + 16 * 60_000), undefined);
    assert.equal(watching.size, 0);
    await assert.rejects(act({ action: "calibration.accept" }), { code: "calibration-no-session" });
    guide.close();
  });

  it("knows its actions from anything else", () => {
    assert.ok(isCalibrationAction({ action: "calibration.start", device: "a", step: "tare" }));
    for (const payload of [
      null,
      "start",
      { action: "sample.inspect", uid: "u" },
      { action: "calibration.start", device: "a b" },
      { action: "calibration.start", device: "a", step: "tar" },
      { action: "calibration.accept", device: "a", validDays: Number.NaN },
      { action: "calibration.accept", device: "a", reason: "x".repeat(2000) },
      { action: "calibration.start", device: "a", step: "chart", patch: -1 },
    ])
      assert.ok(!isCalibrationAction(payload), JSON.stringify(payload));
  });
});
