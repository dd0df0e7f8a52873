import assert from "node:assert/strict";
import fc from "fast-check";
import { backoffMs } from "./failures.ts";

describe("waiting between tries", () => {
  it("doubles from a quarter of a second up to 15 s, spread over half of it", () => {
    assert.deepEqual(
      [0, 1, 2, 5, 6, 100].map((attempt) => [backoffMs(attempt, 0), backoffMs(attempt, 1)]),
      [
        [125, 250],
        [250, 500],
        [500, 1000],
        [4000, 8000],
        [7500, 15_000],
        [7500, 15_000],
      ],
    );
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const ms = backoffMs(attempt, random);
        assert.ok(ms >= 125 && ms <= 15_000);
      }),
    );
  });

  it("is not the same for two clients", () => {
    assert.ok(new Set(Array.from({ length: 50 }, () => backoffMs(3))).size > 10);
  });
});
