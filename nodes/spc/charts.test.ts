import assert from "node:assert/strict";
import fc from "fast-check";
import { c4, d2, d3 } from "./constants.ts";
import { EWMA_DEFAULTS, ewma } from "./ewma.ts";
import { limitsOf, pointSigmaOf, pointsOf, processOf, spreadLimitsOf, spreadsOf, zScores } from "./shewhart.ts";
import { callsOf, mostByChance, RULES, RUN_LENGTH, westernElectric } from "./western-electric.ts";

const near = (actual: number | undefined, expected: number, by: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= by, `${actual} is not ${expected} ± ${by}`);
const finite = fc.double({ min: -1000, max: 1000, noNaN: true });

/** Φ, by Simpson's rule on the density. */
const PHI: readonly number[] = (() => {
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const values = [0];
  for (let step = 0; step < 1600; step += 1) {
    const x = -8 + step * 0.01;
    values.push((values.at(-1) ?? 0) + ((density(x) + 4 * density(x + 0.005) + density(x + 0.01)) * 0.01) / 6);
  }
  return values;
})();
/** A mulberry of numbers that are the same on every run: about normal values. */
function normals(count: number, seed: number): number[] {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

describe("constants of control charts", () => {
  it("are those of the range of normal values", () => {
    for (const size of [2, 3, 5, 10, 25]) {
      // E[W] = ∫ 1 − (1 − Φ)ⁿ − Φⁿ dx
      const mean = PHI.reduce((sum, p) => sum + (1 - (1 - p) ** size - p ** size) * 0.01, 0);
      near(d2(size), mean, 0.001);
      // E[W²] = 2 ∫∫ (x < y) 1 − Φ(y)ⁿ − (1 − Φ(x))ⁿ + (Φ(y) − Φ(x))ⁿ dx dy, in steps of 0.04
      const coarse = PHI.filter((_, index) => index % 4 === 0);
      let square = 0;
      for (const [j, q] of coarse.entries())
        for (let i = 0; i <= j; i += 1) {
          const p = coarse[i] ?? 0;
          const weight = i === j ? 0.5 : 1;
          square += weight * (1 - q ** size - (1 - p) ** size + (q - p) ** size) * 2 * 0.04 ** 2;
        }
      near(d3(size), Math.sqrt(square - mean ** 2), 0.002);
    }
  });

  it("give the factors of the tables", () => {
    near(c4(2), 0.7979, 5e-5);
    near(c4(5), 0.94, 5e-5);
    near(c4(25), 0.9896, 5e-5);
    near(3 / d2(5) / Math.sqrt(5), 0.577, 5e-4); // A2
    near(1 + (3 * d3(5)) / d2(5), 2.114, 1e-3); // D4
    near(1 - (3 * d3(7)) / d2(7), 0.076, 1e-3); // D3
    near(3 / c4(10) / Math.sqrt(10), 0.975, 5e-4); // A3
    near(1 + (3 * Math.sqrt(1 - c4(10) ** 2)) / c4(10), 1.716, 1e-3); // B4
    assert.throws(() => d2(26), RangeError);
    assert.throws(() => c4(1), RangeError);
  });
});

describe("Shewhart charts", () => {
  it("of single values: the flow rates of the NIST handbook, 6.3.2.2", () => {
    const values = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1].map((value) => [value]);
    const process = processOf(values);
    assert.ok(process);
    // Mean 508.1 / 10; moving ranges 2.0 2.3 1.4 3.5 3.4 1.4 0.2 1.2 1.5 = 16.9 / 9 = 1.8778; 1.8778 / 1.128 = 1.6647.
    near(process.center, 50.81, 1e-9);
    near(process.sigma, 1.6647, 1e-4);
    const { lower, upper } = limitsOf(process, 1);
    near(upper, 55.8041, 1e-4);
    near(lower, 45.8159, 1e-4);
    // D4 for two values is 3.267: 3.267 · 1.8778 = 6.135.
    near(spreadLimitsOf(process, 1).upper, 6.135, 0.005);
    assert.equal(spreadLimitsOf(process, 1).lower, 0);
  });

  it("of subgroups: the flow widths of Montgomery, example 6.1", () => {
    // x̿ = 1.5056, R̄ = 0.32521, n = 5: limits 1.69325 and 1.31795, of the ranges 2.114 · 0.32521 = 0.68749.
    const process = { center: 1.5056, sigma: 0.32521 / 2.326 };
    near(limitsOf(process, 5).upper, 1.69325, 2e-4);
    near(limitsOf(process, 5).lower, 1.31795, 2e-4);
    near(spreadLimitsOf(process, 5).upper, 0.68749, 3e-4);
  });

  it("estimate from ranges up to ten values, from deviations above", () => {
    // Ranges 2 and 4, mean 3; 3 / 1.693 = 1.772. Means 2 and 5.
    const process = processOf([
      [1, 2, 3],
      [3, 5, 7],
    ]);
    near(process?.center, 3.5, 1e-12);
    near(process?.sigma, 3 / 1.693, 1e-12);
    // Each subgroup is ±1 six times: s = √(12 / 11), over c4(12) = 0.9776.
    const twelve = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? -1 : 1));
    near(processOf([twelve, twelve])?.sigma, Math.sqrt(12 / 11) / 0.9776, 1e-4);
    assert.equal(processOf([[1, 2]]), undefined);
  });

  it("move and stretch with the figure's unit", () => {
    const groups = fc
      .integer({ min: 1, max: 12 })
      .chain((size) =>
        fc.array(fc.array(finite, { minLength: size, maxLength: size }), { minLength: 2, maxLength: 20 }),
      );
    fc.assert(
      fc.property(groups, finite, fc.double({ min: 0.1, max: 10, noNaN: true }), (subgroups, shift, stretch) => {
        const size = subgroups[0]?.length ?? 1;
        const [one, other] = [subgroups, subgroups.map((group) => group.map((value) => stretch * value + shift))].map(
          (each) => {
            const process = processOf(each);
            assert.ok(process);
            return limitsOf(process, size);
          },
        );
        near(other?.center, stretch * (one?.center ?? 0) + shift, 1e-6);
        near(other?.upper, stretch * (one?.upper ?? 0) + shift, 1e-6);
        assert.ok((one?.lower ?? 1) <= (one?.center ?? 0) + 1e-9);
        assert.equal(spreadsOf(subgroups).length, subgroups.length);
      }),
    );
  });

  it("take what is off a center without spread for infinitely far", () => {
    const process = { center: 5, sigma: 0 };
    assert.deepEqual(zScores([5, 6, 4], process, 1), [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  });
});

describe("Western Electric rules", () => {
  const broken = (z: readonly number[]) => westernElectric(z).map((signals) => signals.map(({ rule }) => rule));
  const last = (z: readonly number[]) => broken(z).at(-1);

  it("name what a point breaks", () => {
    assert.deepEqual(last([3.1]), ["beyond-3-sigma"]);
    assert.deepEqual(last([3]), [], "on the limit is within");
    assert.deepEqual(last([2.1, 0, 2.2]), ["two-of-three-beyond-2"]);
    assert.deepEqual(last([2.1, 0, 0, 2.2]), []);
    assert.deepEqual(last([-2.1, 2.2]), [], "on the same side only");
    assert.deepEqual(last([2.1, 2.2, 0]), [], "the last point must lie out there itself");
    assert.deepEqual(last([1.1, 1.2, -0.5, 1.3, 1.4]), ["four-of-five-beyond-1"]);
    assert.deepEqual(last([1.1, 1.2, -0.5, -0.5, 1.3, 1.4]), []);
    assert.deepEqual(last([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]), ["eight-on-one-side"]);
    assert.deepEqual(last([0.1, 0.1, 0.1, 0.1, 0, 0.1, 0.1, 0.1, 0.1]), [], "the center is on no side");
    assert.deepEqual(westernElectric([-4])[0], [{ rule: "beyond-3-sigma", side: "below" }]);
    assert.deepEqual(last([-2.5, -2.5, -2.5, -3.5]), [
      "beyond-3-sigma",
      "two-of-three-beyond-2",
      "four-of-five-beyond-1",
    ]);
  });

  it("are the same upside down, and forget what is eight points old", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -4, max: 4, noNaN: true }), { maxLength: 40 }), (z) => {
        const signals = broken(z);
        assert.deepEqual(broken(z.map((one) => -one)), signals);
        assert.deepEqual(broken(z.slice(-15)).slice(-8), signals.slice(-8));
        for (const [index, rules] of signals.entries()) {
          assert.equal(rules.includes(RULES[0]), Math.abs(z[index] ?? 0) > 3);
          assert.deepEqual(
            rules,
            RULES.filter((rule) => rules.includes(rule)),
          );
        }
      }),
    );
  });

  it("call a stable process once in 92 points, and not more often than chance explains", () => {
    const points = 100_000;
    const rate = callsOf(normals(points, 1)) / points;
    assert.ok(rate > 0.94 / RUN_LENGTH && rate < 1.06 / RUN_LENGTH, `one in ${1 / rate}`);
    // Poisson with mean 1: P(≤ 3) = 0.981, P(≤ 4) = 0.996.
    assert.equal(mostByChance(1), 4);
    assert.equal(mostByChance(0), 0);
    let refused = 0;
    for (let run = 0; run < 400; run += 1)
      if (callsOf(normals(200, run + 7)) > mostByChance(200 / RUN_LENGTH)) refused += 1;
    assert.ok(refused <= 12, `${refused} of 400 stable processes called unstable`);
  });
});

describe("EWMA", () => {
  const VALUES = [
    52, 47, 53, 49.3, 50.1, 47, 51, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1,
  ];

  it("is that of the NIST handbook, 6.3.2.4", () => {
    const points = ewma(VALUES, { center: 50, sigma: 2.0539, lambda: 0.3, width: 3 });
    const expected = [
      50.6, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38, 49.92,
      50.73, 51.23, 51.94, 51.99,
    ];
    for (const [index, { value }] of points.entries()) near(value, expected[index] ?? Number.NaN, 0.0051);
    // First limits: 3 · 2.0539 · 0.3 = 1.8485; far ones: 3 · 2.0539 · √(0.3 / 1.7) = 2.5884.
    near(points[0]?.upper, 51.8485, 1e-4);
    near(points.at(-1)?.upper, 52.5884, 0.0015);
    near(points.at(-1)?.lower, 47.4115, 0.0015);
  });

  it("is the Shewhart chart with λ = 1, and widens towards its far limits otherwise", () => {
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, lambda) => {
          for (const [index, point] of ewma(values, { center: 1, sigma: 2, lambda: 1, width: 3 }).entries()) {
            near(point.value, values[index] ?? Number.NaN, 1e-9);
            near(point.upper, 7, 1e-9);
          }
          const uppers = ewma(values, { center: 1, sigma: 2, lambda, width: 3 }).map(({ upper }) => upper);
          for (const [index, upper] of uppers.entries()) {
            assert.ok(upper >= (uppers[index - 1] ?? 1) - 1e-12);
            assert.ok(upper <= 1 + 6 * Math.sqrt(lambda / (2 - lambda)) + 1e-9);
          }
        },
      ),
    );
  });

  it("leaves a stable process alone for some 500 points", () => {
    const { lambda, width } = EWMA_DEFAULTS;
    let length = 0;
    const runs = 300;
    for (let run = 0; run < runs; run += 1) {
      const points = ewma(normals(4000, run + 1), { center: 0, sigma: 1, lambda, width });
      const first = points.findIndex(({ value, lower, upper }) => value < lower || value > upper);
      length += first < 0 ? 4000 : first + 1;
    }
    assert.ok(length / runs > 400 && length / runs < 600, `${length / runs}`);
  });
});

it("points of subgroups are their means, with σ / √n", () => {
  assert.deepEqual(
    pointsOf([
      [1, 3],
      [4, 4],
    ]),
    [2, 4],
  );
  assert.equal(pointSigmaOf({ center: 0, sigma: 6 }, 9), 2);
});
