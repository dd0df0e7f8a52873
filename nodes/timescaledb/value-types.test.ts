import assert from "node:assert/strict";
import fc from "fast-check";
import { VALUE_TYPES } from "./value-types.ts";

const TIMESTAMPTZ = 1184;
const timeOf = VALUE_TYPES.getTypeParser(TIMESTAMPTZ, "text") as (text: string) => string;

describe("values out of the database", () => {
  it("write a time as JavaScript does, with its microseconds where it has some", () => {
    assert.equal(timeOf("2026-11-22 15:50:00.61+00"), "2026-11-22T15:50:00.610Z");
    assert.equal(timeOf("2026-11-22 15:50:00+00"), "2026-11-22T15:50:00.000Z");
    assert.equal(timeOf("2026-11-22 15:50:00.12345+00"), "2026-11-22T15:50:00.123450Z");
    assert.equal(timeOf("infinity"), "infinity");
    assert.equal(timeOf("0044-03-15 00:00:00+00 BC"), "0044-03-15 00:00:00+00 BC");
  });

  it("give any millisecond back as it was written", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date("2199-12-31"), noInvalidDate: true }), (date) => {
        // PostgreSQL leaves out the zeros at the end.
        const written = date
          .toISOString()
          .replace("T", " ")
          .replace(/\.?0*Z$/, "+00");
        assert.equal(timeOf(written), date.toISOString());
      }),
    );
  });
});
