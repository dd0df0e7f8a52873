import assert from "node:assert/strict";
import { clip, mean, median, percentile, populationStd, roundHalfEven } from "./statistics.ts";

describe("statistics", () => {
  it("interpolates percentiles as numpy does", () => {
    assert.equal(percentile([4, 1, 3, 2], 50), 2.5);
    assert.equal(percentile([1, 2, 3, 4, 5], 95), 4.8);
    assert.equal(percentile([7], 15), 7);
    assert.equal(percentile([], 15), undefined);
    assert.equal(median([3, 1, 2]), 2);
  });

  it("leaves its input in order", () => {
    const values = [3, 1, 2];
    percentile(values, 50);
    assert.deepEqual(values, [3, 1, 2]);
  });

  it("divides the spread by n", () => {
    assert.equal(populationStd([2, 4, 4, 4, 5, 5, 7, 9]), 2);
    assert.equal(populationStd([]), 0);
    assert.equal(mean([]), 0);
    assert.equal(clip(3, 0, 1), 1);
  });

  it("rounds as Python does: to even on a true tie, by the exact value else", () => {
    assert.deepEqual(
      [0.5, 1.5, 2.5, -0.5].map((value) => roundHalfEven(value)).map((value) => value + 0),
      [0, 2, 2, 0],
    );
    assert.equal(roundHalfEven(0.125, 2), 0.12);
    assert.equal(roundHalfEven(0.375, 2), 0.38);
    assert.equal(roundHalfEven(2.675, 2), 2.67);
    assert.equal(roundHalfEven(1.005, 2), 1);
  });
});
