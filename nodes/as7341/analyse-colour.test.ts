import assert from "node:assert/strict";
import fc from "fast-check";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import { analyseSpectrumCalibrated } from "./analyse-colour.ts";
import { DUCK_COLOUR, GOOSE_COLOUR } from "./colour-defaults.ts";
import { ColourSchema } from "./colour-parameters.ts";
import { calibrationOf, every, near } from "./fixture.test.ts";
import { readingOfCounts } from "./reading.ts";
import { reflectanceOf } from "./reflectance.ts";

const SETTINGS = { gain: 4, aTime: 29, aStep: 599 };
const PER_COUNT = 1 / (4 * 50.04);
/** White standard (reflectance 0.9) gives 9000 counts, dark 100: a count above dark is 0.9 / 8900. */
const calibration = calibrationOf(every(9000 * PER_COUNT), every(100 * PER_COUNT));
const context = { deviceId: "d1", calibration };
const countsFor = (reflectance: number) => 100 + (reflectance / 0.9) * 8900;
const analyse = (counts: Record<ChannelName, number>, settings = {}, within: object = context) =>
  analyseSpectrumCalibrated(
    readingOfCounts(counts, { ...SETTINGS, ...settings }),
    { deviceId: "d1", ...within },
    DUCK_COLOUR,
  );

describe("reflectanceOf", () => {
  it("is what the white standard says, with its gain correction and an uncertainty that grows in the dark", () => {
    const spectral = calibration.spectral;
    assert.ok(spectral);
    const corrected = { ...spectral, gainCorrection: { "4": 1.1 } };
    const reading = readingOfCounts(every(countsFor(0.5)), SETTINGS);
    near(reflectanceOf(reading, spectral, DUCK_COLOUR.noise).reflectance.F4, 0.5, 1e-12);
    near(
      reflectanceOf(reading, corrected, DUCK_COLOUR.noise).reflectance.F4,
      (1.1 * countsFor(0.5) - 100) * (0.9 / 8900),
      1e-12,
    );
    const relative = [0.5, 0.01].map((level) => {
      const { reflectance, sigma } = reflectanceOf(
        readingOfCounts(every(countsFor(level)), SETTINGS),
        spectral,
        DUCK_COLOUR.noise,
      );
      return (sigma.F1 ?? 0) / (reflectance.F1 ?? 0);
    });
    assert.ok((relative[0] ?? 1) < 0.004 && (relative[1] ?? 0) > 0.005, relative.join());
  });
});

describe("analyseSpectrumCalibrated", () => {
  it("finds a grey card neutral and clean, at any level", () => {
    for (const level of [0.1, 0.3, 0.5, 0.9]) {
      const { color, defects, ratios, calibrated } = analyse(every(countsFor(level)));
      assert.equal(calibrated, true);
      assert.ok(Math.hypot(color.a, color.b) < 0.01, `a ${color.a} b ${color.b}`);
      near(color.l, 116 * Math.cbrt(level) - 16, 0.01);
      assert.deepEqual(defects, []);
      for (const ratio of Object.values(ratios)) near(ratio, 1, 1e-9);
    }
  });

  const uncalibrated: [string, ReturnType<typeof analyse>, string[]][] = [
    ["without a record", analyse(every(5000), {}, { calibration: undefined }), ["no-calibration"]],
    [
      "with a record of the other sensor alone",
      analyse(every(5000), {}, { calibration: { ...calibration, spectral: undefined } }),
      ["no-calibration"],
    ],
    [
      "without the gain",
      analyseSpectrumCalibrated(readingOfCounts(every(5000), { aTime: 29, aStep: 599 }), context, DUCK_COLOUR),
      ["missing-gain"],
    ],
    [
      "without the timing",
      analyseSpectrumCalibrated(readingOfCounts(every(5000), { gain: 4 }), context, DUCK_COLOUR),
      ["missing-integration-time"],
    ],
    ["on a saturated reading", analyse({ ...every(5000), F3: 18_000 }), ["saturated"]],
    ["on a useless white", analyse(every(5000), {}, { calibration: calibrationOf(every(0)) }), ["bad-white"]],
    [
      "on eight channels less one",
      analyseSpectrumCalibrated(
        readingOfCounts({ F1: 1, F2: 1, F3: 1, F4: 1, F5: 1, F6: 1, F7: 1 }, SETTINGS),
        context,
        DUCK_COLOUR,
      ),
      ["too-few-channels"],
    ],
  ];
  for (const [when, analysis, reasons] of uncalibrated) {
    it(`reports no reflectance, colour, difference or finding ${when}`, () => {
      assert.deepEqual([analysis.calibrated, analysis.color.calibrated], [false, false]);
      assert.deepEqual(analysis.uncalibratedReasons, reasons);
      for (const figure of [analysis.color.deltaE, analysis.color.l, analysis.oxidationIndex, analysis.freshnessIndex])
        assert.ok(Number.isNaN(figure));
      assert.deepEqual([analysis.indices, analysis.xyz, analysis.defects], [undefined, undefined, []]);
    });
  }

  it("keeps every share within 0…1 and every figure finite, whatever a calibrated reading holds", () => {
    const counts = fc.record(Object.fromEntries(CHANNELS.map((channel) => [channel, fc.nat(17_999)])));
    fc.assert(
      fc.property(counts, (values) => {
        const { indices, color, calibrated, oxidationIndex, colorUniformity } = analyse({ ...every(0), ...values });
        assert.equal(calibrated, true);
        assert.ok(indices);
        for (const share of [indices.blood, indices.bile, oxidationIndex, colorUniformity])
          assert.ok(share >= 0 && share <= 1, String(share));
        for (const value of [indices.yellowness, indices.browning, color.l, color.a, color.b, color.deltaE])
          assert.ok(Number.isFinite(value));
      }),
      { numRuns: 100 },
    );
  });

  it("has parameters that their schema describes", () => {
    assert.deepEqual(Object.keys(ColourSchema.properties).sort(), Object.keys(DUCK_COLOUR).sort());
    assert.deepEqual(Object.keys(GOOSE_COLOUR).sort(), Object.keys(DUCK_COLOUR).sort());
  });
});
