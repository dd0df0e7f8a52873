import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { SpectralReading } from "../sample/sample.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import { analyseSpectrumSqal } from "./analyse-sqal.ts";
import { bandScore } from "./bands.ts";
import type { SqalSpectrumParameters } from "./parameters.ts";

const parameters: SqalSpectrumParameters = JSON.parse(
  readFileSync(new URL("../grade/specs/sqal.json", import.meta.url), "utf8"),
).spectrum;
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
const reading = (counts: Partial<Record<ChannelName, number>> = {}): SpectralReading => ({
  counts: { ...GOOD, ...counts },
  reconstructed: [],
  saturated: [],
});

describe("bandScore", () => {
  const band = { optimal: [0.8, 1.2], acceptable: [0.7, 1.4], edgeScore: 0.7, outsideScore: 0.3 } as const;
  const cases: [number, number][] = [
    [1, 1],
    [0.8, 1],
    [1.2, 1],
    [0.75, 0.85],
    [1.3, 0.85],
    [0.7, 0.7],
    [1.4, 0.7],
    [0.699, 0.3],
    [1.401, 0.3],
    [Number.NaN, 0.3],
  ];
  for (const [value, score] of cases)
    it(`${value} scores ${score}`, () => assert.ok(Math.abs(bandScore(value, band) - score) < 1e-12));
});

describe("analyseSpectrumSqal", () => {
  it("finds nothing wrong with a good product", () => {
    const spectrum = analyseSpectrumSqal(reading(), parameters);
    assert.deepEqual(spectrum.defects, []);
    assert.deepEqual([spectrum.freshnessIndex, spectrum.fatQualityIndex, spectrum.oxidationIndex], [1, 1, 0]);
    assert.equal(spectrum.color.calibrated, false);
  });

  it("names what is out of its band, saturated or weak, in SQAL's order", () => {
    const spectrum = analyseSpectrumSqal(reading({ NIR: 65535, F6: 9 }), parameters);
    assert.deepEqual(
      spectrum.defects.map(({ type, label }) => [type, label]),
      [
        ["nir_violet_high", "Anomalie structurelle (NIR/Violet > 2.0)"],
        ["discoloration_low", undefined],
        ["oil_oxidation_high", undefined],
        ["saturation_NIR", undefined],
        ["weak_F6", undefined],
      ],
    );
    assert.ok(spectrum.defects.every((defect) => defect.severity === 0.5));
  });

  it("counts a dark channel as weak though it divides as 1", () => {
    const spectrum = analyseSpectrumSqal(reading({ F7: 0, F8: 0 }), parameters);
    assert.equal(spectrum.ratios.violet_orange_ratio, 1488);
    assert.deepEqual(
      spectrum.defects.filter(({ type }) => type.startsWith("weak_")).map(({ type, value }) => [type, value]),
      [
        ["weak_F7", 0],
        ["weak_F8", 0],
      ],
    );
  });

  it("keeps every figure finite and every index within 0…1, whatever the counts", () => {
    const counts = fc.record(Object.fromEntries(CHANNELS.map((channel) => [channel, fc.nat(65535)])));
    fc.assert(
      fc.property(counts, (values) => {
        const spectrum = analyseSpectrumSqal(reading(values), parameters);
        const { freshnessIndex, fatQualityIndex, colorUniformity, oxidationIndex, figures } = spectrum;
        const shares = [
          freshnessIndex,
          fatQualityIndex,
          colorUniformity,
          oxidationIndex,
          figures.bile_severity,
          figures.hematoma_severity,
          figures.oxidation_severity,
        ];
        for (const share of shares)
          assert.ok(share !== undefined && share >= -1e-12 && share <= 1 + 1e-12, String(share));
        for (const value of [...Object.values(spectrum.ratios), ...Object.values(figures)])
          assert.ok(Number.isFinite(value));
      }),
    );
  });
});
