import assert from "node:assert/strict";
import fc from "fast-check";
import { splineWeights } from "./spline.ts";
import { volumesOf } from "./volume.ts";

const near = (actual: number, expected: number, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} is not ${expected}`);

describe("volumesOf", () => {
  it("agrees with SciPy's RectBivariateSpline and simpson on a 4×4 grid", () => {
    const heightMm = [
      35.225, 19.165, 32.2, 7.736, 77.426, 17.2, 53.741, 24.034, 69.926, 52.977, 10.529, 67.606, 75.596, 72.313, 45.578,
      11.637,
    ];
    const volumes = volumesOf(heightMm, 4, 37.5);
    near(volumes.splineMm3, 507231.05712890613);
    near(volumes.simpsonMm3, 507231.0571289062);
  });

  it("is exact under a plane: simple counts whole zones, the others lie between zone centres", () => {
    const plane = (side: number) =>
      Array.from({ length: side * side }, (_, zone) => 10 + 3 * Math.floor(zone / side) - (zone % side));
    for (const side of [4, 8] as const) {
      const centre = 10 + (3 - 1) * ((side - 1) / 2);
      const volumes = volumesOf(plane(side), side, 10);
      near(volumes.simpleMm3, centre * side * side * 100);
      for (const volume of [volumes.trapezoidalMm3, volumes.simpsonMm3, volumes.splineMm3])
        near(volume, centre * (side - 1) ** 2 * 100);
    }
  });

  it("grows with the heights and with the square of the zone side", () => {
    const heights = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(heights, fc.double({ min: 1, max: 100, noNaN: true }), (heightMm, side) => {
        const once = volumesOf(heightMm, 8, side);
        const doubled = volumesOf(
          heightMm.map((height) => 2 * height),
          8,
          side,
        );
        const wider = volumesOf(heightMm, 8, 3 * side);
        for (const key of ["simpleMm3", "trapezoidalMm3", "simpsonMm3", "splineMm3"] as const) {
          near(doubled[key], 2 * once[key], 1e-9);
          near(wider[key], 9 * once[key], 1e-9);
        }
      }),
    );
  });
});

describe("splineWeights", () => {
  it("passes through the values and reproduces a cubic everywhere", () => {
    const cubic = (x: number) => 2 - x + 0.5 * x ** 2 - 0.1 * x ** 3;
    const weights = splineWeights(8);
    const values = Array.from({ length: 8 }, (_, x) => cubic(x));
    for (let x = 0; x <= 7; x += 0.35)
      near(
        values.reduce((sum, value, i) => sum + value * (weights.at(x)[i] ?? 0), 0),
        cubic(x),
        1e-10,
      );
    near(
      values.reduce((sum, value, i) => sum + value * (weights.integral[i] ?? 0), 0),
      14 - 24.5 + 343 / 6 - 0.025 * 7 ** 4,
      1e-10,
    );
  });
});
