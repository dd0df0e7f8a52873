import assert from "node:assert/strict";
import fc from "fast-check";
import { ticksOf } from "./ticks.ts";

describe("ticksOf", () => {
  it("gives round numbers around what is shown", () => {
    assert.deepEqual(ticksOf(0.702, 0.798, 4), [0.7, 0.75, 0.8]);
    assert.deepEqual(ticksOf(500, 520, 4), [500, 505, 510, 515, 520]);
    assert.deepEqual(ticksOf(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 4), []);
  });

  it("covers whatever is shown, in few equal steps", () => {
    const value = fc.integer({ min: -1e8, max: 1e8 }).map((n) => n / 1000);
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [least, most] = [Math.min(a, b), Math.max(a, b)];
        const ticks = ticksOf(least, most, 4);
        const slack = 1e-9 * Math.max(1, Math.abs(least), Math.abs(most));
        assert.ok((ticks[0] ?? 0) <= least + slack && (ticks.at(-1) ?? 0) >= most - slack, `${ticks}`);
        assert.ok(ticks.length >= 2 && ticks.length <= 7, `${ticks}`);
      }),
    );
  });
});
