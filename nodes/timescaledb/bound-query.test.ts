import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import pg from "pg";
import { bindMessage, type WireValue } from "./bound-query.ts";

/** What pg itself sends. */
function sentByPg(statement: string, values: WireValue[]): Buffer {
  const stream = new PassThrough();
  new pg.Connection({ stream: () => stream }).bind({ statement, values }, false);
  return stream.read();
}

describe("a statement's parameters on their way to the database", () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  );

  it("are the message that pg would send, in memory of just its length", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zé_-]{0,40}$/), fc.array(value, { maxLength: 80 }), (statement, values) => {
        assert.deepEqual(bindMessage(statement, values), sentByPg(statement, values));
      }),
    );
    const large = bindMessage("s", [Buffer.alloc(100_000), null, "é".repeat(40_000)]);
    assert.equal(large.buffer.byteLength, large.length);
  });
});
