import assert from "node:assert/strict";
import { sampleFiguresOf } from "@foieflow/node-red-foieflow/sample/figures.js";
import type { Sample } from "@foieflow/node-red-foieflow/sample/sample.js";
import { CHANNELS, type GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import fc from "fast-check";
import { DeviceBoard } from "./device-board.ts";
import { LineView, shiftAt } from "./line-view-core.ts";
import type { ViewSection } from "./view.ts";

const SETTINGS = {
  siteId: "site-1",
  lineId: "line-1",
  timeZone: "Europe/Paris",
  shifts: [
    { name: "matin", start: "05:00" },
    { name: "nuit", start: "21:00" },
  ],
};
// 10:00 in Paris
const NOW = Date.parse("2026-11-22T09:00:00Z");

function sample(n: number, atMs: number, more: Partial<Sample> & { letter?: GradeLetter } = {}): Sample {
  const { letter = "A", ...rest } = more;
  const zones = Array.from({ length: 64 }, (_, i) => i + 0.123_456);
  return {
    sampleUid: `uid-${n}`,
    sampleId: `s-${n}`,
    deviceId: "dev-1",
    siteId: "site-1",
    lineId: "line-1",
    measuredAt: new Date(atMs).toISOString(),
    timeSource: "device",
    receivedAt: new Date(atMs).toISOString(),
    transport: "mqtt",
    isHistorical: false,
    shift: "matin",
    productionDay: "2026-11-22",
    lotAbattage: "l".repeat(64),
    eleveur: "x".repeat(500),
    as7341: {
      reading: {
        counts: Object.fromEntries(CHANNELS.map((name) => [name, 12_345.678])) as Record<
          (typeof CHANNELS)[number],
          number
        >,
        reconstructed: [...CHANNELS],
        saturated: [...CHANNELS],
      },
    },
    vl53l8ch: {
      frame: {
        side: 8,
        distanceMm: zones,
        reflectancePercent: zones,
        signal: zones,
        ambient: zones,
        signalUnit: "sqal-au",
        status: zones,
        validStatuses: [5],
      },
      analysis: {
        heightMm: zones,
        occupied: zones.map((_, i) => i % 2 === 0),
        massG: 512.345,
        maxHeightMm: 63.1,
        defects: zones.map((_, i) => ({
          sensor: "vl53l8ch" as const,
          type: "foreign_body",
          severity: i / 64,
          zone: { row: Math.floor(i / 8), column: i % 8 },
        })),
      } as unknown as NonNullable<NonNullable<Sample["vl53l8ch"]>["analysis"]>,
    },
    grade: {
      specId: "sqal",
      specVersion: "1.0.0",
      specHash: "0",
      grade: letter,
      score: 0.8,
      scoreGrade: letter,
      fusionMode: "ToF + Spectral",
      defects: [],
      vetoes: [],
      isCompliant: true,
      reasons: Array.from({ length: 60 }, (_, i) => ({
        code: `reason_number_${i}`,
        metric: "metricOfSomeLength",
        value: Math.PI * i,
        limit: [1.5, 2.5] as const,
        effect: (i % 2 === 0 ? -1 : 1) * (i / 1000),
        kind: i === 59 ? ("veto" as const) : ("score" as const),
      })),
      metrics: {},
    },
    ...rest,
  };
}

function drain(line: LineView, nowMs: number): Partial<{ [S in ViewSection as S["section"]]: S }> {
  return Object.fromEntries(line.due(nowMs).map((section) => [section.section, section]));
}

describe("line view", () => {
  it("shows the newest product by measurement time as live", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW - 1000), NOW);
    line.take(sample(2, NOW - 3000), NOW);
    assert.equal(drain(line, NOW).live?.product?.uid, "uid-1");
    line.take(sample(3, NOW - 500), NOW);
    assert.equal(drain(line, NOW + 200).live?.product?.uid, "uid-3");
  });

  it("never moves the live product for a historical sample, but lists and counts it", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW - 10_000), NOW);
    drain(line, NOW);
    line.take(sample(2, NOW - 100, { isHistorical: true, letter: "C" }), NOW + 1);
    const sections = drain(line, NOW + 2000);
    assert.equal(sections.live, undefined);
    assert.deepEqual(
      sections.samples?.rows.map((row) => [row.uid, row.late]),
      [
        ["uid-2", true],
        ["uid-1", undefined],
      ],
    );
    assert.deepEqual(sections.shift?.counts, { "A+": 0, A: 1, B: 0, C: 1, REJECT: 0 });
  });

  it("shows what is graded before it is stored, and lists and counts it then, once", () => {
    const line = new LineView(SETTINGS, NOW);
    const [first, second] = [sample(1, NOW - 1000), sample(2, NOW - 500)];
    assert.ok(line.graded(first, NOW));
    let sections = drain(line, NOW + 2000);
    assert.equal(sections.live?.product?.uid, "uid-1");
    assert.deepEqual(sections.samples?.rows, []);
    assert.equal(sections.shift?.counts.A, 0);
    line.graded(second, NOW + 2000);
    line.stored(sampleFiguresOf(first), NOW + 2100);
    line.stored(sampleFiguresOf(first), NOW + 2200);
    sections = drain(line, NOW + 4000);
    assert.equal(sections.live?.product?.uid, "uid-2", "what is stored late does not come back");
    assert.deepEqual(
      sections.samples?.rows.map(({ uid }) => uid),
      ["uid-1"],
    );
    assert.equal(sections.shift?.counts.A, 1);
    assert.ok(line.inspect("uid-1"));
    assert.equal(line.takeIncomplete(), false);
    line.stored(sampleFiguresOf(sample(3, NOW + 3900)), NOW + 4000);
    assert.deepEqual(
      [line.takeIncomplete(), line.takeIncomplete()],
      [true, false],
      "the database has what it never saw",
    );
    assert.equal(drain(line, NOW + 6000).shift?.counts.A, 2);
  });

  it("does not take the tile back when what is stored was graded before the clock was set back", () => {
    const line = new LineView(SETTINGS, NOW);
    const [first, second] = [sample(1, NOW - 1000), sample(2, NOW - 500)];
    line.graded(first, NOW);
    line.graded(second, NOW);
    assert.equal(drain(line, NOW).live?.product?.uid, "uid-2");
    const set = NOW - 3_600_000;
    line.stored(sampleFiguresOf(first), set);
    line.stored(sampleFiguresOf(second), set);
    assert.equal(drain(line, set + 1000).live, undefined);
    line.graded(sample(3, set + 1100), set + 1200);
    assert.equal(drain(line, set + 1300).live?.product?.uid, "uid-3");
  });

  it("sends the live section as often as it may, and the first one at once", () => {
    const line = new LineView(SETTINGS, NOW, 100);
    drain(line, NOW);
    assert.equal(line.liveInMs(NOW + 10), undefined);
    line.graded(sample(1, NOW + 150), NOW + 150);
    assert.equal(line.liveInMs(NOW + 150), 0);
    assert.ok(drain(line, NOW + 150).live);
    line.graded(sample(2, NOW + 160), NOW + 160);
    assert.equal(line.liveInMs(NOW + 170), 120);
    assert.equal(drain(line, NOW + 289).live, undefined);
    assert.equal(drain(line, NOW + 290).live?.product?.uid, "uid-2");
  });

  it("rather sends what comes just when it may than what has waited", () => {
    const line = new LineView(SETTINGS, NOW, 100);
    const send = (n: number, atMs: number) => line.graded(sample(n, NOW + atMs), NOW + atMs);
    send(1, 150);
    assert.ok(drain(line, NOW + 150).live);
    send(2, 200);
    send(3, 249);
    assert.equal(drain(line, NOW + 255).live, undefined, "it may, and the newest is some ms old");
    send(4, 260);
    assert.equal(line.liveInMs(NOW + 260), 0);
    assert.equal(drain(line, NOW + 260).live?.product?.uid, "uid-4");
    send(5, 359);
    assert.equal(line.liveInMs(NOW + 359), 41);
    send(6, 360);
    assert.equal(line.liveInMs(NOW + 360), 0);
  });

  it("says in whole ms when it may send, and then does, whatever its rate", () => {
    for (let hz = 1; hz <= 10; hz++) {
      const line = new LineView(SETTINGS, NOW, 1000 / hz);
      drain(line, NOW);
      line.graded(sample(1, NOW + 5), NOW + 5);
      const inMs = line.liveInMs(NOW + 5) ?? 0;
      assert.ok(inMs > 0 && Number.isInteger(inMs), `${inMs} ms at ${hz} Hz`);
      assert.equal(drain(line, NOW + 5 + inMs - 1).live, undefined);
      assert.ok(drain(line, NOW + 5 + inMs).live, `at ${hz} Hz`);
    }
  });

  it("goes on at once when the server's clock is set back an hour: tile, list and heartbeat", () => {
    const line = new LineView(SETTINGS, NOW);
    for (let n = 0; n < 25; n++) line.take(sample(n, NOW + n * 100), NOW + n * 100);
    assert.equal(drain(line, NOW + 3000).live?.product?.uid, "uid-24");
    const set = NOW - 3_600_000;
    assert.ok(drain(line, set).state, "the heartbeat");
    line.take(sample(30, set - 40), set);
    line.take(sample(31, set + 60), set + 100);
    line.take(sample(32, set - 7_200_000, { isHistorical: true }), set + 110);
    const sections = drain(line, set + 1100);
    assert.equal(sections.live?.product?.uid, "uid-31");
    assert.equal(sections.samples?.rows.length, 20);
    assert.deepEqual(
      sections.samples?.rows.slice(0, 4).map((row) => row.uid),
      ["uid-31", "uid-30", "uid-24", "uid-23"],
    );
    assert.equal(sections.devices?.devices[0]?.perMinute, 2);
    assert.ok((sections.state?.dataMs ?? 0) <= set + 1100);
    line.take(sample(33, NOW + 20_000), NOW + 20_100);
    assert.equal(drain(line, NOW + 21_000).live?.product?.uid, "uid-33");
  });

  it("does not let a device whose clock runs ahead hold the tile", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take({ ...sample(1, NOW + 240_000), receivedAt: new Date(NOW).toISOString() }, NOW);
    line.take(sample(2, NOW + 1000), NOW + 1000);
    assert.equal(drain(line, NOW + 1000).live?.product?.uid, "uid-2");
  });

  it("shows how many samples of a device are missing, as long as they are", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW), NOW);
    const id = sample(1, NOW).deviceId;
    const missing = (nowMs: number) => drain(line, nowMs).devices?.devices[0]?.missing;
    line.deviceEvent(id, { event: "gap", missingNow: 3 }, NOW + 2000);
    assert.equal(missing(NOW + 5000), 3);
    line.deviceEvent(id, { event: "gap-closed", missingNow: 0 }, NOW + 6000);
    assert.equal(missing(NOW + 9000), undefined);
  });

  it("passes over other lines and shows ungraded samples as a sign of life only", () => {
    const line = new LineView(SETTINGS, NOW);
    assert.equal(line.take(sample(1, NOW, { lineId: "line-2" }), NOW), false);
    const { grade: _grade, ...ungraded } = sample(2, NOW);
    assert.equal(line.take(ungraded, NOW), true);
    const sections = drain(line, NOW);
    assert.equal(sections.live?.product, null);
    assert.deepEqual(sections.samples?.rows, []);
    assert.equal(sections.devices?.devices[0]?.perMinute, 1);
    assert.equal(sections.state?.dataMs, NOW);
  });

  it("keeps the newest twenty, whatever the order of arrival, and takes a repeated one once", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(60).keys()], { minLength: 21 }), (order) => {
        const line = new LineView(SETTINGS, NOW);
        for (const n of order) line.take(sample(n, NOW - 60_000 + n * 100), NOW);
        for (const n of order.slice(0, 5)) line.take(sample(n, NOW - 60_000 + n * 100), NOW);
        const newest = [...order].sort((a, b) => b - a);
        const { samples, live } = drain(line, NOW);
        assert.deepEqual(
          samples?.rows.map((row) => row.uid),
          newest.slice(0, 20).map((n) => `uid-${n}`),
        );
        assert.equal(live?.product?.uid, `uid-${newest[0]}`);
      }),
      { numRuns: 30 },
    );
  });

  it("stays below 8 KB a section with every text, defect and reason at its longest", () => {
    const line = new LineView(SETTINGS, NOW);
    for (let n = 0; n < 25; n++)
      line.take(
        sample(n, NOW - 1000 + n, { deviceId: `device-${n}`.padEnd(24, "-"), sampleUid: `${n}`.padEnd(32, "0") }),
        NOW,
      );
    assert.ok(line.inspect("24".padEnd(32, "0")));
    for (const section of line.due(NOW)) {
      const size = JSON.stringify(section).length;
      assert.ok(size < 8192, `${section.section} has ${size} characters`);
    }
  });

  it("puts vetoes first, then what cost points", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW), NOW);
    const reasons = drain(line, NOW).live?.product?.reasons ?? [];
    assert.equal(reasons.length, 20);
    assert.equal(reasons[0]?.kind, "veto");
    assert.equal(reasons[1]?.effect, -0.058);
  });

  it("gives the details of a listed product, once, and of no other", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW), NOW);
    drain(line, NOW);
    assert.equal(line.inspect("uid-9"), false);
    assert.equal(line.inspect("uid-1"), true);
    assert.equal(drain(line, NOW + 1000).samples?.inspected?.uid, "uid-1");
    line.take(sample(2, NOW), NOW);
    assert.equal(drain(line, NOW + 2000).samples?.inspected, undefined);
  });

  it("sends a section only when it changed, and the heartbeat each second", () => {
    const line = new LineView(SETTINGS, NOW);
    line.due(NOW);
    assert.deepEqual(line.due(NOW + 200), []);
    assert.deepEqual(
      line.due(NOW + 1000).map((section) => section.section),
      ["state"],
    );
  });

  it("starts counting anew with the next shift", () => {
    const evening = Date.parse("2026-11-22T19:59:30Z");
    const line = new LineView(SETTINGS, evening);
    line.take(sample(1, evening), evening);
    assert.equal(drain(line, evening).shift?.counts.A, 1);
    const night = drain(line, evening + 60_000).shift;
    assert.equal(night?.shift, "nuit");
    assert.equal(night?.counts.A, 0);
    assert.equal(night?.startMs, Date.parse("2026-11-22T20:00:00Z"));
  });

  it("takes the database's counts and neither loses nor doubles what was stored while it counted", () => {
    const line = new LineView(SETTINGS, NOW);
    line.take(sample(1, NOW), NOW);
    line.beginRecount();
    line.take(sample(2, NOW), NOW);
    line.take(sample(3, NOW), NOW);
    line.recount({ shift: "matin", day: "2026-11-22", counts: { A: 100, REJECT: 4 }, newestUids: ["uid-1", "uid-2"] });
    const shift = drain(line, NOW).shift;
    assert.deepEqual(shift?.counts, { "A+": 0, A: 101, B: 0, C: 0, REJECT: 4 });
    assert.equal(shift?.complete, true);
  });

  it("leaves the counts alone when the shift changed while the database counted", () => {
    const line = new LineView(SETTINGS, NOW);
    line.beginRecount();
    line.recount({ shift: "nuit", day: "2026-11-21", counts: { A: 100 }, newestUids: [] });
    assert.equal(drain(line, NOW).shift?.counts.A, 0);
  });

  it("says products per hour of the last ten minutes, and nothing before a minute was watched", () => {
    const line = new LineView(SETTINGS, NOW);
    for (let n = 0; n < 10; n++) line.take(sample(n, NOW + n), NOW + n);
    assert.equal(drain(line, NOW + 30_000).shift?.perHour, null);
    line.take(sample(99, NOW + 300_000), NOW + 300_000);
    assert.equal(drain(line, NOW + 300_000).shift?.perHour, 132);
    const later = NOW + 20 * 60_000;
    assert.equal(drain(line, later).shift?.perHour, 0);
  });

  it("does not take a system that only listens to alarms for a device", () => {
    const board = new DeviceBoard();
    const sample = { deviceId: "dev-1", transport: "mqtt" } as const;
    board.event("other-system", { event: "connected" }, 1000);
    board.sample(sample, 1000);
    board.event("other-system", { event: "listening" }, 1001);
    board.event("dev-1", { event: "listening" }, 1001);
    assert.deepEqual(
      board.list(1002).map(({ id }) => id),
      ["dev-1"],
    );
  });

  it("knows who is connected, and forgets the longest silent device beyond thirty-two", () => {
    const line = new LineView(SETTINGS, NOW);
    for (let n = 0; n < 40; n++) line.deviceEvent(`dev-${n}`, { event: "hello", transport: "mqtt" }, NOW + n);
    line.deviceEvent("dev-39", { event: "disconnected" }, NOW + 50);
    line.deviceEvent("stranger", { event: "disconnected" }, NOW + 50);
    line.deviceEvent("stranger", { event: "refused" }, NOW + 50);
    const devices = drain(line, NOW + 100).devices?.devices ?? [];
    assert.equal(devices.length, 32);
    assert.equal(devices[0]?.id, "dev-8");
    assert.equal(devices.at(-1)?.connection, "disconnected");
    assert.equal(devices.at(-1)?.seenMs, NOW + 39);
  });
});

describe("start of a shift", () => {
  it("is the minute the clock on the wall says", () => {
    assert.deepEqual(shiftAt(SETTINGS, NOW), {
      name: "matin",
      day: "2026-11-22",
      startMs: Date.parse("2026-11-22T04:00:00Z"),
    });
  });
  it("reaches back over midnight", () => {
    const night = shiftAt(SETTINGS, Date.parse("2026-11-22T02:30:00Z"));
    assert.deepEqual(night, { name: "nuit", day: "2026-11-21", startMs: Date.parse("2026-11-21T20:00:00Z") });
  });
});
