import assert from "node:assert/strict";
import fc from "fast-check";
import type { SpectralReading } from "../sample/sample.ts";
import { COLOR_CHECKER_CLASSIC } from "./chart.ts";
import { perChannel, reading, spectralPart } from "./fixture.test.ts";
import { basicCountsOf, darkOf, reflectanceOf, whiteOf } from "./spectral-record.ts";

const many = (count: number, of: (index: number) => SpectralReading) => Array.from({ length: count }, (_, i) => of(i));
const codes = ({ findings }: { findings: { code: string; severity: string }[] }) =>
  findings.map(({ code, severity }) => `${severity} ${code}`);
const dark = perChannel(() => 20 / (64 * 50));

describe("spectral records", () => {
  it("make basic counts of raw counts, gain and time, and take the decoder's first", () => {
    assert.equal(basicCountsOf(reading(() => 3200))?.F1, 1);
    assert.equal(basicCountsOf(reading(() => 3200, { basicCounts: { F1: 7 } }))?.F1, 7);
    const { gain: _gain, ...untimed } = reading(() => 3200);
    assert.equal(basicCountsOf(untimed), undefined);
    assert.deepEqual(codes(darkOf([untimed])), ["error no-timing"]);
  });

  it("take the mean of dark readings, and refuse light", () => {
    const result = darkOf(many(20, (i) => reading(() => 19 + (i % 3))));
    assert.deepEqual(codes(result), []);
    assert.ok(Math.abs((result.darkBasicCounts?.F4 ?? 0) * 64 * 50 - 19.95) < 0.01);
    assert.deepEqual(codes(darkOf([reading(() => 9000)])), ["error dark-too-bright"]);
    assert.deepEqual(codes(darkOf([])), ["error no-readings"]);
  });

  it("give a reflectance of the standard's own for the standard itself, and of 0 for the dark", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 8000, max: 60_000 }), { minLength: 10, maxLength: 10 }),
        fc.double({ min: 0.2, max: 1, noNaN: true }),
        (white, reflectance) => {
          const readings = many(20, () => reading((index) => white[index] ?? 0));
          const { spectral, findings } = whiteOf(readings, dark, reflectance);
          assert.deepEqual(findings, []);
          assert.ok(spectral);
          for (const value of reflectanceOf(readings, spectral) ?? []) assert.ok(Math.abs(value - reflectance) < 1e-9);
          for (const value of reflectanceOf([reading(() => 20)], spectral) ?? []) assert.ok(Math.abs(value) < 1e-9);
        },
      ),
    );
  });

  it("say what is wrong with a white reading", () => {
    const white = (change: (i: number) => SpectralReading, darkest: typeof dark | undefined = dark) =>
      codes(whiteOf(many(30, change), darkest, 0.98));
    assert.deepEqual(
      white(() => reading(() => 30_000)),
      [],
    );
    assert.deepEqual(
      codes(
        whiteOf(
          many(30, () => reading(() => 30_000)),
          undefined,
          0.98,
        ),
      ),
      ["error dark-missing"],
    );
    assert.deepEqual(
      white((i) => reading(() => 30_000 - 30 * i)),
      ["error unsteady-light"],
    );
    assert.deepEqual(
      white((i) => reading(() => 30_000 * (1 + 0.05 * (i % 2)))),
      ["error unsteady-light"],
    );
    assert.deepEqual(
      white(() => reading(() => 2000)),
      ["warning white-too-dark"],
    );
    assert.deepEqual(
      white(() => reading((c) => (c === 2 ? 50 : 30_000))),
      ["error white-not-above-dark"],
    );
    assert.deepEqual(
      white((i) => reading(() => 30_000, i === 4 ? { saturated: ["F5"] } : {})),
      ["error saturated"],
    );
    assert.deepEqual(
      white(() => reading(() => 30_000, { reconstructed: ["Clear", "NIR"] })),
      ["warning reconstructed"],
    );
  });

  it("find the correction of each gain from readings at several", () => {
    const readings = many(30, (i) => {
      const gain = i % 3 === 0 ? 128 : 64;
      // The amplifier's 128 is 126.5 in truth.
      return reading(() => 20_000 * (gain === 128 ? 126.5 / 64 : 1), { gain });
    });
    const { spectral, findings } = whiteOf(
      readings,
      perChannel(() => 0),
      0.98,
    );
    assert.deepEqual(findings, []);
    assert.ok(Math.abs((spectral?.gainCorrection?.["128"] ?? 0) - 128 / 126.5) < 1e-9);
    assert.equal(spectral?.gainCorrection?.["64"], 1);
    const [at64, at128] = [64, 128].map((gain) =>
      spectral
        ? reflectanceOf(
            readings.filter((one) => one.gain === gain),
            spectral,
          )
        : undefined,
    );
    for (const [index, value] of (at64 ?? []).entries()) assert.ok(Math.abs(value - (at128?.[index] ?? 0)) < 1e-9);
  });

  it("need no gain correction from one gain, nor take it from stray readings", () => {
    const readings = many(30, (i) => reading(() => 20_000, { gain: i < 2 ? 32 : 64 }));
    assert.equal(whiteOf(readings, dark, 0.98).spectral?.gainCorrection, undefined);
    assert.equal(spectralPart().gainCorrection, undefined);
  });
});

describe("the chart", () => {
  it("has 24 patches whose XYZ lie where a spectrometer saw a real one (AN000633, D65)", () => {
    const measured: Record<string, [number, number, number]> = {
      "dark skin": [11.22, 10.23, 7.15],
      "light skin": [36.35, 33.51, 24.55],
      "blue sky": [16.9, 17.92, 33.54],
      foliage: [10.93, 13.63, 7.13],
      "blue flower": [24.56, 22.76, 43.25],
      "bluish green": [30.76, 42.37, 45.05],
      "orange yellow": [46.31, 43.45, 7.83],
    };
    assert.equal(COLOR_CHECKER_CLASSIC.patches.length, 24);
    for (const { name, xyz } of COLOR_CHECKER_CLASSIC.patches) {
      // Two prints of the chart differ by about as much.
      for (const [axis, value] of (measured[name] ?? []).entries())
        assert.ok(Math.abs(100 * (xyz[axis] ?? 0) - value) < 1.6, `${name} ${axis}: ${xyz[axis]} and ${value}`);
    }
  });

  it("has neutral patches of D65's own colour", () => {
    const white = COLOR_CHECKER_CLASSIC.patches.find(({ name }) => name === "neutral 5")?.xyz ?? [0, 0, 0];
    assert.ok(Math.abs(white[0] / white[1] - 0.9505) < 0.01);
    assert.ok(Math.abs(white[2] / white[1] - 1.0888) < 0.015);
  });
});
