import assert from "node:assert/strict";
import fc from "fast-check";
import { Sequences } from "./sequences.ts";

describe("device/sequences", () => {
  it("counts gaps per device and start, and what is found again", () => {
    const sequences = new Sequences();
    assert.equal(sequences.note("a", "1", 100), undefined, "what came before is not known");
    assert.equal(sequences.note("a", "1", 101), undefined);
    assert.deepEqual(sequences.note("a", "1", 105), { missing: 3, isFound: false });
    assert.equal(sequences.note("a", "1", 105), undefined, "sent again");
    assert.deepEqual(sequences.note("a", "1", 103), { missing: 0, isFound: true });
    assert.equal(sequences.note("a", "1", 103), undefined);
    assert.equal(sequences.note("a", "2", 0), undefined, "another start");
    assert.equal(sequences.note("b", "1", 7), undefined, "another device");
    assert.equal(sequences.missing, 2);
    sequences.note("b", "1", 12);
    assert.deepEqual(sequences.missingByDevice(), { a: 2, b: 4 });
    sequences.note("a", "1", 102);
    sequences.note("a", "1", 104);
    assert.deepEqual([sequences.missingByDevice(), sequences.missingOf("a"), sequences.missing], [{ b: 4 }, 0, 4]);
  });

  it("counts right whatever the order", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }), (numbers) => {
        const sequences = new Sequences();
        sequences.note("a", "1", 0);
        for (const seq of numbers) sequences.note("a", "1", seq);
        assert.equal(sequences.missing, Math.max(...numbers) - numbers.length);
      }),
    );
  });

  it("stays within its bounds", () => {
    const sequences = new Sequences(2);
    for (const device of ["a", "b", "c"]) sequences.note(device, "1", 0);
    assert.equal(sequences.note("a", "1", 9), undefined, "forgotten, so new");
    for (let seq = 0; seq < 2000; seq += 2) sequences.note("c", "1", seq);
    assert.equal(sequences.note("c", "1", 1), undefined, "one of the oldest gaps");
  });
});
