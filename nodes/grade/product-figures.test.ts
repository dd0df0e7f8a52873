import assert from "node:assert/strict";
import { meanReading } from "./product-figures.ts";

describe("mean readings", () => {
  const counts = (value: number) => ({
    F1: value,
    F2: value,
    F3: value,
    F4: value,
    F5: value,
    F6: value,
    F7: value,
    F8: value,
    Clear: value,
    NIR: value,
  });
  it("average counts and basic counts, and stay saturated where one is", () => {
    const mean = meanReading([
      { counts: counts(10), basicCounts: { F1: 1 }, gain: 4, reconstructed: [], saturated: [] },
      { counts: counts(30), basicCounts: { F1: 3 }, gain: 4, reconstructed: [], saturated: ["F2"] },
    ]);
    assert.deepEqual([mean.counts.F5, mean.basicCounts?.F1, mean.gain], [20, 2, 4]);
    assert.deepEqual(mean.saturated, ["F2"]);
  });
});
