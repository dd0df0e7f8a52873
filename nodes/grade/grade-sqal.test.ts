import assert from "node:assert/strict";
import fc from "fast-check";
import type { Sample, TofFrame } from "../sample/sample.ts";
import type { ChannelName } from "../sample/units.ts";
import { builtinSpec } from "./builtin.ts";
import { parseGradeSpec } from "./spec.ts";

const spec = parseGradeSpec(builtinSpec("sqal"));
const GOOD = {
  F1: 1488,
  F2: 2278,
  F3: 1971,
  F4: 7771,
  F5: 3594,
  F6: 2316,
  F7: 4112,
  F8: 2757,
  Clear: 25310,
  NIR: 2440,
};
const flat = (value: number) => Array<number>(64).fill(value);

/** A product that fills the view 50 mm under the sensor: a plane without defects. */
function sampleOf(parts: {
  distanceMm?: number[] | undefined;
  counts?: Partial<Record<ChannelName, number>> | undefined;
  without?: "tof" | "spectral";
}): Sample {
  const frame: TofFrame = {
    side: 8,
    distanceMm: parts.distanceMm ?? flat(50),
    reflectancePercent: flat(55),
    signal: flat(20),
    ambient: flat(80),
    signalUnit: "sqal-au",
    status: flat(0),
    validStatuses: [0],
  };
  const reading = { counts: { ...GOOD, ...parts.counts }, reconstructed: [], saturated: [] };
  const base = {
    sampleUid: "u",
    sampleId: "s",
    deviceId: "X",
    siteId: "LL",
    lineId: "L1",
    measuredAt: "2026-11-22T10:00:00Z",
    timeSource: "device",
    receivedAt: "2026-11-22T10:00:01Z",
    transport: "mqtt",
    isHistorical: false,
    shift: "",
    productionDay: "2026-11-22",
  } as const;
  return {
    ...base,
    ...(parts.without !== "tof" && {
      vl53l8ch: { frame, analysis: spec.analyseShape(frame, { zoneSideMm: 15 }, { deviceId: "X" }) },
    }),
    ...(parts.without !== "spectral" && {
      as7341: { reading, analysis: spec.analyseSpectrum(reading, { deviceId: "X" }) },
    }),
  };
}

describe("gradeSqal", () => {
  it("grades a good product A+, and its reasons add up to the score", () => {
    const sample = sampleOf({});
    const grade = spec.grade(sample);
    // 49 cells of 15 mm under 50 mm, cut at 1.05 × p95: 551,250 mm³; the simple volume is 720,000 mm³.
    assert.equal(sample.vl53l8ch?.analysis?.volumeSimpleMm3, 720_000);
    const volumePart = 1 - 20_000 / 350_000;
    const tof = 0.15 * volumePart + 0.55 * 0.8 + 0.15 + 0.15;
    assert.ok(Math.abs((grade.tof?.score ?? 0) - tof) < 1e-12);
    assert.ok(Math.abs(grade.score - (0.6 * tof + 0.4)) < 1e-12);
    assert.deepEqual([grade.grade, grade.scoreGrade, grade.vetoes, grade.isCompliant], ["A+", "A+", [], true]);
    assert.equal(grade.fusionMode, "ToF + Spectral");
    assert.deepEqual([grade.specId, grade.specHash], ["sqal", spec.hash]);
    assert.deepEqual(
      [grade.metrics.thickness_category, grade.metrics.fill_conformity, grade.metrics.dimensional_conformity_score],
      ["extra", true, 100],
    );
  });

  it("keeps the live vetoes: five defects, and a spectral reject", () => {
    const spoilt = flat(50);
    for (const zone of [0, 9, 18, 27]) spoilt[zone] = 65;
    const four = spec.grade(sampleOf({ distanceMm: spoilt }));
    assert.deepEqual([four.defects.length, four.vetoes], [4, []]);
    const five = spec.grade(sampleOf({ distanceMm: spoilt.with(36, 65) }));
    assert.deepEqual([five.defects.length, five.vetoes, five.grade], [5, ["too_many_defects"], "REJECT"]);
    assert.notEqual(five.scoreGrade, "REJECT");
    const reason = five.reasons.find(({ kind }) => kind === "veto");
    assert.deepEqual(reason, {
      code: "too_many_defects",
      metric: "defects",
      value: 5,
      limit: 4,
      effect: null,
      kind: "veto",
    });
  });

  it("rejects on saturation only where the spectral score is low too", () => {
    const saturated = spec.grade(sampleOf({ counts: { Clear: 65_535 } }));
    assert.deepEqual([saturated.vetoes, saturated.spectral?.grade], [[], "A+"]);
    const poor = spec.grade(sampleOf({ counts: { Clear: 65_535, NIR: 600, F7: 8000 } }));
    assert.ok((poor.spectral?.score ?? 1) < 0.6);
    assert.deepEqual(poor.vetoes.slice(0, 2), ["spectral_saturation", "spectral_reject"]);
    assert.equal(poor.grade, "REJECT");
  });

  it("lets a severe foreign body reject the ToF grade but not the fused one, as in SQAL", () => {
    const grade = spec.grade(sampleOf({ distanceMm: flat(50).with(0, 31) }));
    assert.equal(grade.tof?.grade, "REJET");
    assert.deepEqual(grade.vetoes, []);
    assert.notEqual(grade.grade, "REJECT");
    assert.deepEqual(grade.reasons.find(({ code }) => code === "tof_foreign_body")?.kind, "info");
    const alone = spec.grade(sampleOf({ distanceMm: flat(50).with(0, 31), without: "spectral" }));
    assert.deepEqual([alone.grade, alone.vetoes, alone.fusionMode], ["REJECT", ["tof_foreign_body"], "ToF only"]);
  });

  it("grades one sensor alone by its own score", () => {
    const tof = spec.grade(sampleOf({ without: "spectral" }));
    assert.deepEqual([tof.grade, tof.score, tof.spectral], ["A", tof.tof?.score, undefined]);
    const spectral = spec.grade(sampleOf({ without: "tof" }));
    assert.deepEqual(
      [spectral.grade, spectral.score, spectral.fusionMode],
      ["A+", spectral.spectral?.score, "Spectral only"],
    );
    const neither = sampleOf({});
    delete neither.vl53l8ch;
    delete neither.as7341;
    assert.throws(() => spec.grade(neither), { code: "not-analysed" });
  });

  it("is finite and explains itself, whatever the sensors saw", () => {
    const distances = fc.array(fc.double({ min: 0, max: 4000, noNaN: true }), { minLength: 64, maxLength: 64 });
    const counts = fc.record({
      F1: fc.nat(65535),
      F4: fc.nat(65535),
      F7: fc.nat(65535),
      NIR: fc.nat(65535),
      Clear: fc.nat(65535),
    });
    const without = fc.constantFrom(undefined, "tof" as const, "spectral" as const);
    fc.assert(
      fc.property(distances, counts, without, (distanceMm, channels, missing) => {
        const grade = spec.grade(sampleOf({ distanceMm, counts: channels, ...(missing && { without: missing }) }));
        const effects = grade.reasons.reduce((sum, { effect }) => sum + (effect ?? 0), 0);
        assert.ok(Math.abs(effects - grade.score) < 1e-9, `${effects} is not ${grade.score}`);
        assert.ok(grade.reasons.every(({ effect, most = 0 }) => (effect ?? 0) <= most + 1e-9));
        assert.ok(grade.score >= 0 && grade.score <= 1 + 1e-12);
        assert.equal(grade.grade === "REJECT", grade.vetoes.length > 0 || grade.scoreGrade === "REJECT");
        for (const value of Object.values(grade.metrics))
          assert.ok(typeof value !== "number" || Number.isFinite(value));
      }),
    );
  });
});
