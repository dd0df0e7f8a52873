import assert from "node:assert/strict";
import fc from "fast-check";
import { binaryArray } from "./binary-array.ts";
import type { Database } from "./database.ts";
import { targets } from "./fixture.test.ts";

const nullable = <T>(one: fc.Arbitrary<T>) => fc.array(fc.option(one), { maxLength: 40 });
/** Text that PostgreSQL can keep: without NUL and lone surrogates. */
const text = fc.string({ unit: "grapheme" }).map((one) => one.replaceAll("\0", ""));
const VALUES = {
  text: nullable(fc.oneof(text, fc.constantFrom('{"a": "\\\\ \\" {,}"}', "NULL", "", '"'))),
  float8: nullable(fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0))),
  integer: nullable(fc.integer()),
  boolean: nullable(fc.boolean()),
} as const;

for (const target of targets()) {
  describe(`binary arrays on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    before(async () => {
      database = await target.open();
    });
    after(async () => {
      await database.close();
      await target.remove();
    });

    for (const type of ["text", "float8", "integer", "boolean"] as const)
      it(`come out as they went in: ${type}`, async () => {
        await fc.assert(
          fc.asyncProperty<[readonly unknown[]]>(VALUES[type] as fc.Arbitrary<readonly unknown[]>, async (values) => {
            const array = binaryArray(type, values);
            assert.ok(array);
            const { rows } = await database.pool.query(
              `SELECT v FROM unnest($1::${type}[]) WITH ORDINALITY AS r (v, n) ORDER BY n`,
              [array],
            );
            assert.deepEqual(
              rows.map(({ v }) => v),
              values,
            );
          }),
          { numRuns: 60 },
        );
      });
  });
}

describe("binary arrays", () => {
  it("leave to the text form what they cannot hold", () => {
    for (const [type, value] of [
      ["integer", 2 ** 31],
      ["integer", 1.5],
      ["float8", "1"],
      ["text", 1],
      ["boolean", "t"],
      ["numeric", 1],
      ["timestamptz", "2026-11-22T00:00:00Z"],
    ] as const)
      assert.equal(binaryArray(type, [null, value]), undefined, `${type} ${value}`);
  });
});
