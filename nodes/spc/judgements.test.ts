import assert from "node:assert/strict";
import fc from "fast-check";
import { capabilityOf, indicesOf } from "./capability.ts";
import { type DeviceCell, deviceDrift } from "./device-drift.ts";
import { shapeOf } from "./normal.ts";
import { studentCdf, studentQuantile } from "./student.ts";

const near = (actual: number | undefined, expected: number, by: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= by, `${actual} is not ${expected} ± ${by}`);

/** Values at the quantiles of a normal distribution, by turns from both ends: normal, without runs. */
function regularNormal(count: number, center: number, sigma: number): number[] {
  const quantile = (p: number) => studentQuantile(p, 100_000);
  const sorted = Array.from({ length: count }, (_, index) => center + sigma * quantile((index + 0.5) / count));
  // A stride that shares no factor with the count visits each once, spread about.
  return sorted.map((_, index) => sorted[(index * 61 + 17) % count] ?? center);
}
const groupsOf = (values: readonly number[], size: number) =>
  Array.from({ length: Math.floor(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );

describe("Student's t", () => {
  it("has the quantiles of the tables", () => {
    near(studentQuantile(0.975, 1), 12.706, 1e-3);
    near(studentQuantile(0.95, 5), 2.015, 1e-3);
    near(studentQuantile(0.975, 10), 2.228, 1e-3);
    near(studentQuantile(0.995, 30), 2.75, 1e-3);
    near(studentQuantile(0.975, 100_000), 1.96, 1e-3);
    assert.throws(() => studentQuantile(1, 3), RangeError);
  });

  it("has quantiles that its distribution gives back, the same on both sides", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 2000 }),
        (probability, freedom) => {
          const t = studentQuantile(probability, freedom);
          near(studentCdf(t, freedom), probability, 1e-8);
          near(studentCdf(-t, freedom), 1 - probability, 1e-8);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("capability", () => {
  it("is that of the NIST handbook, 6.1.6", () => {
    // Limits 8 and 20, mean 16, deviation 2: Cp = 12 / 12 = 1; Cpk = (20 − 16) / 6 = 0.667.
    const { cp, cpk, cpkInterval } = indicesOf({ center: 16, sigma: 2 }, { lower: 8, upper: 20 }, 50);
    near(cp, 1, 1e-12);
    near(cpk, 2 / 3, 1e-12);
    // 1.96 · √(1 / 450 + 0.4444 / 98) = 1.96 · √0.0067574 = 0.1611
    near(cpkInterval?.[0], 0.5056, 1e-3);
    assert.deepEqual(Object.keys(indicesOf({ center: 2, sigma: 1 }, { upper: 5 }, 50)).sort(), ["cpk", "cpkInterval"]);
  });

  it("is given for a stable, normal process with enough products", () => {
    const values = regularNormal(500, 500, 20);
    const found = capabilityOf(groupsOf(values, 5), { lower: 400, upper: 600 });
    assert.deepEqual(found.unmet, []);
    near(found.process?.sigma, 20, 2);
    near(found.cp, 100 / 60, 0.17);
    assert.equal(found.outside, 0);
  });

  it("is not given where a condition does not hold, and says which", () => {
    const values = regularNormal(500, 500, 20);
    const limits = { lower: 400, upper: 600 };
    const unmet = (given: readonly number[], size = 5, tolerance: { lower?: number; upper?: number } = limits) => {
      const found = capabilityOf(groupsOf(given, size), tolerance);
      assert.equal(found.cpk, undefined);
      assert.equal(found.cp, undefined);
      return found.unmet;
    };
    assert.deepEqual(unmet(values, 5, {}), ["no-tolerance"]);
    assert.deepEqual(unmet(values.slice(0, 95)).slice(0, 1), ["too-few"]);
    // Half of the time another mean: the points run out of their limits.
    assert.ok(unmet(values.map((value, index) => value + (index < 250 ? 0 : 40))).includes("out-of-control"));
    // Squares of normal values are skew.
    assert.ok(
      unmet(
        regularNormal(500, 0, 1).map((value) => value ** 2),
        5,
        { upper: 9 },
      ).includes("not-normal"),
    );
    assert.ok(unmet(values.map(() => 500)).includes("no-spread"));
    assert.deepEqual(capabilityOf([], limits).unmet, ["too-few"]);
  });

  it("counts what lies outside the tolerance in any case", () => {
    assert.equal(capabilityOf([[1], [2], [3], [10]], { upper: 2.5 }).outside, 2);
  });
});

describe("shape of a distribution", () => {
  it("is skewness and excess, without bias", () => {
    // Of 2 3 5 8 … a hand's work: the values of Joanes and Gill's formulas for 1, 2, …, 10: G1 = 0, G2 = −1.2.
    const shape = shapeOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    near(shape?.skewness, 0, 1e-12);
    near(shape?.excess, -1.2, 1e-9);
    assert.equal(shapeOf([1, 1, 1, 1, 1, 1, 1, 1]), undefined);
    assert.equal(shapeOf(regularNormal(400, 3, 2))?.isRoughlyNormal, true);
  });

  it("does not depend on the unit", () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.1, max: 10, noNaN: true }), (given, stretch) => {
        const [one, other] = [shapeOf(given), shapeOf(given.map((value) => stretch * value + 7))];
        assert.equal(one === undefined, other === undefined);
        if (one && other) near(other.skewness, one.skewness, 1e-6 * (1 + Math.abs(one.skewness)));
      }),
    );
  });
});

describe("drift of a device against the others", () => {
  const DAY = 86_400_000;
  /** Twelve lots over six days with means far apart; each device sees them with its own offset and a little noise. */
  const cells = (offsets: Record<string, number>): DeviceCell[] =>
    Object.entries(offsets).flatMap(([device, offset], which) =>
      Array.from({ length: 12 }, (_, lot) => ({
        cell: `lot-${lot}`,
        atMs: lot * (DAY / 2),
        device,
        products: 20,
        mean: 500 + 37 * ((lot * 7) % 5) + offset + 0.5 * ((lot * 5 + which * 3) % 4) - 0.75,
      })),
    );

  it("finds the one that is off, whatever the lots were", () => {
    const [a, b, c] = deviceDrift(cells({ a: 0, b: 6, c: 0 }));
    assert.deepEqual([a?.verdict, b?.verdict, c?.verdict], ["differs", "differs", "differs"]);
    // The others' mean is 3 too high for a and c; b is 6 above theirs.
    near(b?.difference?.value, 6, 0.5);
    near(a?.difference?.value, -3, 0.5);
    assert.ok((b?.difference?.low ?? 0) > 5 && (b?.difference?.high ?? 9) < 7);
    near(b?.slopePerDay?.value, 0, 0.5);
  });

  it("leaves alone those that agree, and says nothing on too little", () => {
    assert.deepEqual(
      deviceDrift(cells({ a: 0, b: 0, c: 0 })).map(({ verdict }) => verdict),
      ["agrees", "agrees", "agrees"],
    );
    const few = deviceDrift(cells({ a: 0, b: 9 }).filter(({ atMs }) => atMs < 3 * DAY));
    assert.deepEqual(
      few.map(({ verdict, cells: count }) => [verdict, count]),
      [
        ["unknown", 6],
        ["unknown", 6],
      ],
    );
    assert.equal(few[0]?.difference, undefined);
    assert.deepEqual(deviceDrift(cells({ alone: 3 }))[0]?.verdict, "unknown");
  });

  it("sees a device wander off", () => {
    const wandering = cells({ a: 0, b: 0 }).map((cell) =>
      cell.device === "b" ? { ...cell, mean: cell.mean + (2 * cell.atMs) / DAY } : cell,
    );
    const b = deviceDrift(wandering)[1];
    near(b?.slopePerDay?.value, 2, 0.4);
    assert.ok((b?.slopePerDay?.low ?? 0) > 0);
  });

  it("does not depend on what the lots were, and turns with the device's offset", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 12, maxLength: 12 }),
        (lots) => {
          const plain = deviceDrift(cells({ a: 0, b: 4, c: 1 }));
          const moved = deviceDrift(
            cells({ a: 0, b: 4, c: 1 }).map((cell) => ({
              ...cell,
              mean: cell.mean + (lots[Number(cell.cell.slice(4))] ?? 0),
            })),
          );
          for (const [index, one] of plain.entries())
            near(moved[index]?.difference?.value, one.difference?.value ?? 0, 1e-8);
        },
      ),
    );
  });
});
