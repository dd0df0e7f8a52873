import assert from "node:assert/strict";
import fc from "fast-check";
import { CHANNEL_KEYS, FULL_SCALE, measureSpectrum } from "./as7341.ts";
import { analyseBins, spectralRatios } from "./firmware.ts";
import { DENSITY_G_PER_CM3, drawProduct, integrateVolume, type Lobe, lobeVolume } from "./product.ts";
import { QUALITY_CLASSES } from "./quality.ts";
import { random } from "./random.ts";
import { REFERENCE_TISSUE, reflectance, type Tissue } from "./tissue.ts";
import { BIN_WIDTH_MM, BINS, measureTof, type Scene } from "./tof.ts";

const even = new Array<number>(64).fill(1);
const plane = (heightMm: number): Scene => ({
  sensorHeightMm: heightMm,
  trayTilt: [0, 0],
  trayReflectance: 0.6,
  productReflectance: () => 0.6,
  ambient: 90,
});
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const light = { lamp: 1, tint: 0, room: 0 };
const bare = { hematoma: 0, bile: 0 };

describe("simulator: random numbers", () => {
  it("repeat for a seed, differ between seeds and between forks", () => {
    const draw = (seed: number, label: string) => Array.from({ length: 20 }, random(seed, label).next);
    fc.assert(
      fc.property(seeds, (seed) => {
        assert.deepEqual(draw(seed, "a"), draw(seed, "a"));
        assert.notDeepEqual(draw(seed, "a"), draw(seed, "b"));
        assert.notDeepEqual(draw(seed, "a"), draw((seed + 1) >>> 0, "a"));
        for (const value of draw(seed, "a")) assert.ok(value >= 0 && value < 1);
      }),
    );
  });

  it("have the moments they claim", () => {
    const rng = random(7);
    const moments = (draw: () => number) => {
      const values = Array.from({ length: 20_000 }, draw);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length };
    };
    const normal = moments(() => rng.normal(3, 2));
    assert.ok(Math.abs(normal.mean - 3) < 0.06 && Math.abs(normal.variance - 4) < 0.2);
    for (const rate of [0.7, 12, 200]) {
      const { mean, variance } = moments(() => rng.poisson(rate));
      assert.ok(Math.abs(mean / rate - 1) < 0.03, `mean of ${rate}: ${mean}`);
      assert.ok(Math.abs(variance / rate - 1) < 0.06, `variance of ${rate}: ${variance}`);
    }
  });
});

describe("simulator: product", () => {
  it("has the volume that the integral of a lobe gives", () => {
    const lobe: Lobe = { xMm: 10, yMm: -5, semiLengthMm: 85, semiWidthMm: 42, heightMm: 50, angleRad: 0.3 };
    const numeric = integrateVolume({ lobes: [lobe], ripples: [], defects: [] }, 1);
    assert.ok(Math.abs(numeric / lobeVolume(lobe) - 1) < 0.005, `${numeric} against ${lobeVolume(lobe)}`);
  });

  it("is a duck's liver: 380 to 720 g at its density, with a size to match", () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: -1, max: 1, noNaN: true }), (seed, skill) => {
        const { truth, state } = drawProduct(random(seed), skill);
        assert.ok(truth.massG > 370 && truth.massG < 720, `${truth.massG} g`);
        assert.ok(Math.abs(truth.massG - (truth.volumeMm3 / 1000) * DENSITY_G_PER_CM3) < 1e-9);
        assert.ok(truth.lengthMm > 120 && truth.lengthMm < 260 && truth.widthMm < truth.lengthMm);
        assert.ok(truth.thicknessMm >= 38 && truth.thicknessMm <= 58);
        for (const share of [state.freshness, state.fat, state.oxidation, truth.quality])
          assert.ok(share >= 0 && share <= 1);
      }),
      { numRuns: 40 },
    );
  });

  it("comes in all classes, and better from better breeders", () => {
    const rng = random(3);
    const average = (skill: number) => {
      const qualities = Array.from({ length: 150 }, () => drawProduct(rng, skill));
      assert.deepEqual(new Set(qualities.map(({ state }) => state.qualityClass)), new Set(QUALITY_CLASSES));
      return qualities.reduce((total, { truth }) => total + truth.quality, 0) / qualities.length;
    };
    assert.ok(average(0.8) > average(-0.8) + 0.03);
  });
});

describe("simulator: ToF sensor", () => {
  it("reads a plane's height in every zone, quarter millimetres, with the reflectance of the plane", () => {
    for (const height of [40, 61.25, 100, 180]) {
      const frame = measureTof(plane(height), random(1), even, 0);
      for (const distance of frame.distanceMm) {
        assert.ok(Math.abs(distance - height) <= 0.5, `${distance} at ${height}`);
        assert.equal(distance * 4, Math.round(distance * 4));
      }
      for (const percent of frame.reflectancePercent) assert.ok(Math.abs(percent - 60) <= 1.5, `${percent} %`);
      assert.ok(frame.status.every((code) => code === 5));
    }
  });

  it("loses signal with the square of the distance, and more toward the corners", () => {
    const near = measureTof(plane(50), random(1), even, 0);
    const far = measureTof(plane(100), random(1), even, 0);
    for (const zone of [0, 27, 63])
      assert.ok(Math.abs((near.amplitude[zone] ?? 0) / (far.amplitude[zone] ?? 1) - 4) < 0.01);
    assert.ok((near.amplitude[0] ?? 0) < 0.8 * (near.amplitude[27] ?? 0));
  });

  it("puts the pulse into the bin of the distance", () => {
    for (const height of [60, 131, 400]) {
      const frame = measureTof(plane(height), random(1), even, 0);
      assert.ok(frame.histogram.every((bins) => bins.length === BINS));
      const centre = frame.histogram[27] ?? [];
      assert.equal(centre.indexOf(Math.max(...centre)), Math.floor((height * 1.005) / BIN_WIDTH_MM));
    }
  });

  it("is seeded, finite and within its ranges on any product", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const scene = { ...plane(100), product: drawProduct(random(seed, "product"), 0) };
        const frame = measureTof(scene, random(seed, "noise"), even);
        assert.deepEqual(frame, measureTof(scene, random(seed, "noise"), even));
        for (const [name, high] of [
          ["distanceMm", 4000],
          ["reflectancePercent", 100],
          ["amplitude", 4095],
          ["ambient", 4095],
        ] as const) {
          assert.equal(frame[name].length, 64);
          for (const value of frame[name]) assert.ok(value >= 0 && value <= high, `${name} ${value}`);
        }
        for (const count of frame.histogram.flat()) assert.ok(Number.isFinite(count) && count >= 0);
        const figures = analyseBins(frame.histogram);
        for (const map of Object.values(figures))
          assert.ok(map.flat().length === 64 && map.flat().every(Number.isFinite));
      }),
      { numRuns: 15 },
    );
  });
});

describe("simulator: spectral sensor", () => {
  const read = (tissue: Tissue, lamp = 1) =>
    measureSpectrum([{ share: 1, tissue, stains: bare }], { ...light, lamp }, random(1), 0);

  it("gives the commissioning counts on the liver the lamp was adjusted on", () => {
    const counts = read(REFERENCE_TISSUE);
    assert.ok(
      Math.abs(counts.F1_415nm - 1400) <= 2 &&
        Math.abs(counts.F4_515nm - 6950) <= 2 &&
        Math.abs(counts.NIR - 1900) <= 2,
    );
  });

  it("moves its ratios one way only as a liver oxidises", () => {
    const steps = [0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1].map((oxidation) =>
      spectralRatios(read({ ...REFERENCE_TISSUE, oxidation })),
    );
    for (let i = 1; i < steps.length; i++) {
      const [before, after] = [steps[i - 1] ?? {}, steps[i] ?? {}];
      const value = (ratios: Record<string, number>, name: string) => ratios[name] ?? Number.NaN;
      for (const name of ["lipid_oxidation_index", "discoloration_index", "nir_violet_ratio"])
        assert.ok(value(after, name) > value(before, name), name);
      for (const name of ["violet_orange_ratio", "freshness_meat_index", "oil_oxidation_index"])
        assert.ok(value(after, name) < value(before, name), name);
    }
  });

  it("never exceeds its full scale and clips there under too much light", () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0, max: 20, noNaN: true }), (seed, lamp) => {
        const { state } = drawProduct(random(seed), 0);
        const counts = measureSpectrum(
          [{ share: 1, tissue: state, stains: bare }],
          { ...light, lamp, room: 50 },
          random(seed),
        );
        for (const key of CHANNEL_KEYS)
          assert.ok(Number.isInteger(counts[key]) && counts[key] >= 0 && counts[key] <= FULL_SCALE);
      }),
      { numRuns: 20 },
    );
    assert.equal(read(REFERENCE_TISSUE, 20).Clear, FULL_SCALE);
  });

  it("sees blood at 415 nm and bile at 480 nm; reflectance stays within 0 and 1", () => {
    const at = (stains: typeof bare, nm: number) => reflectance(REFERENCE_TISSUE, stains, nm);
    assert.ok(at({ hematoma: 1, bile: 0 }, 415) < 0.5 * at(bare, 415));
    assert.ok(at({ hematoma: 0, bile: 1 }, 450) < 0.7 * at(bare, 450));
    assert.ok(at({ hematoma: 1, bile: 0 }, 910) > 0.5 * at(bare, 910));
    for (let nm = 380; nm <= 1000; nm += 20) assert.ok(at({ hematoma: 1, bile: 1 }, nm) > 0 && at(bare, nm) < 1);
  });
});
