import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { basicCount } from "./basic-counts.ts";
import { fitColorMatrix, INTERPOLATING_MATRIX } from "./color-matrix.ts";
import { applyMatrix, chromaticityOf, deltaE76, deltaE2000, labOfXyz, type Triple } from "./colour.ts";
import { near, randomCharts } from "./fixture.test.ts";

/** Figures of ams-OSRAM's AN000633 v2-00, figures 18 to 22 (reflection, ColorChecker), first and last patch printed. */
const AN000633 = {
  matrix: [
    [93.354, 3.256, -5.881, 1.634, 8.483, 9.474, 17.403, -20.62],
    [64.077, -7.336, 13.801, 16.2, 13.837, 2.913, 11.605, -21.562],
    [-23.483, 99.493, 40.677, 3.939, -4.126, -0.391, -0.487, -3.863],
  ],
  offset: [0.0037, 0.0139, 0.0064, 0.0285, 0.0302, 0.0301, 0.0407, 0.0121],
  patches: [
    {
      name: "dark skin",
      basic: [0.02948, 0.08678, 0.04986, 0.18989, 0.31438, 0.40503, 0.30905, 0.10734],
      xyz: [11.32, 10.42, 7.23],
      sensorLab: [38.57729, 10.75451, 13.11603],
      spectrometerLab: [38.2521, 11.43062, 12.84954],
      deltaE: 0.79617,
    },
    {
      name: "orange yellow",
      basic: [0.07495, 0.12075, 0.11736, 0.63308, 1.37982, 1.69494, 1.17124, 0.41703],
      xyz: [45.88, 43.02, 7.52],
      sensorLab: [71.56802, 14.77548, 68.94041],
      spectrometerLab: [71.85934, 14.73924, 68.31215],
      deltaE: 0.69346,
    },
  ],
} as const;

const WHITE_PERCENT: Triple = [95.047, 100, 108.883];
const RECORDED = path.join(import.meta.dirname, "../../../shared/data/ams_worked_examples.json");

const labAt = (rows: Record<string, number[]>, patch: number): Triple => [
  rows.L?.[patch] ?? Number.NaN,
  rows.a?.[patch] ?? Number.NaN,
  rows.b?.[patch] ?? Number.NaN,
];

describe("colour", () => {
  it("gives the basic counts of AN000633", () => near(basicCount(1236, 512, 182), 0.013264, 5e-7));

  for (const { name, basic, xyz, sensorLab, spectrometerLab, deltaE } of AN000633.patches) {
    it(`gives XYZ, Lab and ΔE of AN000633's ${name}`, () => {
      const corrected = basic.map((value, index) => value - (AN000633.offset[index] ?? 0));
      const computed = applyMatrix(AN000633.matrix, corrected);
      for (const axis of [0, 1, 2] as const) {
        near(computed[axis], xyz[axis], 0.006);
        near(labOfXyz(computed, WHITE_PERCENT)[axis], sensorLab[axis], 0.05);
      }
      near(deltaE76(sensorLab, spectrometerLab), deltaE, 0.001);
    });
  }

  it("gives every figure of the recorded worked examples", function () {
    if (!existsSync(RECORDED)) return this.skip();
    const { reflection_colorchecker: chart, light_example_fig24_26: light } = JSON.parse(
      readFileSync(RECORDED, "utf8"),
    );
    const offsets: number[] = Object.values(chart.offset_basic_counts);
    const printed: number[][] = Object.values(chart.offset_corrected);
    const columns: number[][] = Object.values(chart.basic_counts);
    for (const [patch] of chart.patches.entries()) {
      const corrected = printed.map((column) => column[patch] ?? 0);
      for (const [index, column] of columns.entries())
        near((column[patch] ?? 0) - (offsets[index] ?? 0), corrected[index] ?? 0, 1e-4);
      // From the printed differences: their offsets have one digit more than the printed ones.
      const xyz = applyMatrix(chart.correction_matrix_3x8, corrected);
      const expected = [chart.calibrated_XYZ.X[patch], chart.calibrated_XYZ.Y[patch], chart.calibrated_XYZ.Z[patch]];
      const sensor = labAt(chart.lab_D65_2deg_sensor, patch);
      const truth = labAt(chart.lab_D65_2deg_spectrometer, patch);
      for (const axis of [0, 1, 2] as const) {
        near(xyz[axis], expected[axis], 0.006);
        near(labOfXyz(xyz, WHITE_PERCENT)[axis], sensor[axis], 0.05);
      }
      near(deltaE76(sensor, truth), chart.delta_E76[patch], 0.001);
    }
    const xyz = applyMatrix(
      light.matrix_3x10,
      light.basic_counts.map((count: number) => count * light.gain_correction_factor),
    );
    near(xyz[0], light.expected.X, 2e-5);
    near(xyz[1], light.expected.Y, 2e-5);
    near(xyz[2], light.expected.Z, 2e-5);
    near(chromaticityOf(xyz)[0], light.expected.x, 2e-5);
  });

  it("gives CIEDE2000 of the pairs published with it", () => {
    const pairs: [Triple, Triple, number][] = [
      [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
      [[50, -1, 2], [50, 0, 0], 2.3669],
      [[50, 2.5, 0], [50, 0, -2.5], 4.3065],
      [[50, 2.49, -0.001], [50, -2.49, 0.0011], 7.2195],
      [[22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373],
      [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
    ];
    for (const [one, two, expected] of pairs) {
      near(deltaE2000(one, two), expected, 1e-4);
      near(deltaE2000(two, one), expected, 1e-4);
    }
  });

  it("keeps greys neutral with the interpolating matrix and with every fitted one", () => {
    fc.assert(
      fc.property(randomCharts(24), fc.double({ min: 0.01, max: 1, noNaN: true }), (chart, level) => {
        const grey = new Array<number>(8).fill(level);
        for (const rows of [INTERPOLATING_MATRIX, fitColorMatrix(chart).rows]) {
          const [, a, b] = labOfXyz(applyMatrix(rows, grey));
          assert.ok(Math.hypot(a, b) < 0.5, `a ${a} b ${b}`);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("finds the matrix that made a chart", () => {
    const truth = INTERPOLATING_MATRIX.map((row) => row.map((value, index) => value * (index % 2 === 0 ? 1.1 : 0.9)));
    const whitened = truth.map((row, axis) => {
      const sum = row.reduce((total, value) => total + value, 0);
      const wanted = INTERPOLATING_MATRIX[axis]?.reduce((total, value) => total + value, 0) ?? 0;
      return row.map((value) => (value * wanted) / sum);
    });
    const [chart] = fc.sample(randomCharts(24), { numRuns: 1, seed: 5 });
    const patches = (chart ?? []).map(({ reflectance }) => ({ reflectance, xyz: applyMatrix(whitened, reflectance) }));
    const fitted = fitColorMatrix(patches, 1e-9);
    assert.ok(fitted.meanDeltaE < 0.01);
    for (const [axis, row] of fitted.rows.entries())
      for (const [index, value] of row.entries()) near(value, whitened[axis]?.[index] ?? Number.NaN, 1e-3);
  });

  it("refuses charts that can't determine a matrix", () => {
    const patch = { reflectance: new Array<number>(8).fill(0.5), xyz: [0.5, 0.5, 0.5] as const };
    assert.throws(() => fitColorMatrix([patch]), { code: "as7341-bad-chart" });
    const broken = new Array(24).fill({ ...patch, reflectance: [1] });
    assert.throws(() => fitColorMatrix(broken), { code: "as7341-bad-chart" });
  });
});
