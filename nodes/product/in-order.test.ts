import assert from "node:assert/strict";
import fc from "fast-check";
import { InOrder } from "./in-order.ts";

describe("InOrder", () => {
  it("lets everything leave once, in the order it came, in whatever order the results come", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.nat(3), isLater: fc.boolean(), at: fc.nat() }), { maxLength: 12 }),
        async (groups) => {
          const left: unknown[] = [];
          const line = new InOrder<number, string>((item, result) => left.push([item, result]));
          const expected: unknown[] = [];
          const later: { at: number; settle: () => void }[] = [];
          let next = 0;
          for (const { size, isLater, at } of groups) {
            const items = Array.from({ length: size }, () => next++);
            const results = items.map(String);
            expected.push(...items.map((item) => [item, String(item)]));
            line.add(
              items,
              isLater ? new Promise((resolve) => later.push({ at, settle: () => resolve(results) })) : results,
            );
          }
          const isEmpty = line.empty();
          for (const { settle } of later.toSorted((a, b) => a.at - b.at)) {
            settle();
            await undefined;
          }
          await isEmpty;
          assert.deepEqual(left, expected);
          assert.equal(line.size, 0);
        },
      ),
    ));

  it("keeps the order of what comes while a group leaves", () => {
    const left: number[] = [];
    const line = new InOrder<number, number>((item) => {
      left.push(item);
      if (item === 1) line.add([3], [3]);
    });
    line.add([1, 2], [1, 2]);
    assert.deepEqual(left, [1, 2, 3]);
  });

  it("gives up what has not left, and forgets its results", async () => {
    const left: number[] = [];
    const line = new InOrder<number, number>((item) => left.push(item));
    let settle: (results: number[]) => void = () => assert.fail();
    line.add(
      [1, 2],
      new Promise((resolve) => {
        settle = resolve;
      }),
    );
    line.add([3], [3]);
    assert.deepEqual(line.giveUp(), [1, 2, 3]);
    settle([1, 2]);
    await line.empty();
    assert.deepEqual([left, line.size], [[], 0]);
  });
});
