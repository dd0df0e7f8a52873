import assert from "node:assert/strict";
import fc from "fast-check";
import pg from "pg";
import { textArray } from "./text-array.ts";

/** Number of `text[]` (pg_type.oid). */
const TEXT_ARRAY: number = 1009;

describe("an array parameter as text", () => {
  it("is read as what its elements were", () => {
    const cell = fc.oneof(fc.constant(null), fc.string({ unit: "grapheme" }), fc.integer(), fc.double(), fc.boolean());
    const read = pg.types.getTypeParser(TEXT_ARRAY, "text");
    fc.assert(
      fc.property(fc.array(cell), (cells) => {
        const texts = cells.map((one) => (one === null ? null : String(one)));
        assert.deepEqual(read(textArray(cells)), texts);
      }),
    );
  });
});
