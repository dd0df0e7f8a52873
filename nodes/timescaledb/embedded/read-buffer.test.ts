import assert from "node:assert/strict";
import fc from "fast-check";
import { message, messagesIn, sync } from "./protocol.ts";
import { clearOfPieces } from "./read-buffer.ts";

const PIECE_BYTES = 8192;

describe("groups of messages for the engine", () => {
  it("have no end of a message but the last where a piece of its read buffer ends, and say the same", () => {
    // Bodies that make ends fall on a piece's end, and near it, as often as not.
    const near = fc.integer({ min: PIECE_BYTES - 12, max: PIECE_BYTES + 4 });
    const body = fc.oneof(
      fc.constantFrom(0, 2, 5),
      near,
      near.map((length) => 3 * length),
    );
    fc.assert(
      fc.property(fc.array(body, { maxLength: 6 }), (lengths) => {
        const messages = [...lengths.map((length) => message("B", Buffer.alloc(length))), sync()];
        const given = Buffer.concat(messages);
        const found = [...messagesIn(Buffer.from(clearOfPieces(given)))];
        let end = 0;
        for (const { bytes } of found.slice(0, -1)) {
          end += bytes.length;
          assert.notEqual(end % PIECE_BYTES, 0);
        }
        const said = found.filter(({ type }) => type !== "H").map(({ bytes }) => bytes);
        assert.deepEqual(Buffer.concat(said), given);
      }),
    );
  });
});
