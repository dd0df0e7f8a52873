import assert from "node:assert/strict";
import fc from "fast-check";
import { FrameReader } from "./frame-reader.ts";
import { message } from "./protocol.ts";

describe("the frame reader", () => {
  it("gives the same messages however the bytes are cut, and drops only what is too long", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 12 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (parts, cuts) => {
        const limit = 40;
        const reader = new FrameReader(limit);
        const whole = Buffer.concat(parts.map((body) => message("d", body)));
        const got: number[] = [];
        for (let at = 0, turn = 0; at < whole.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          reader.push(whole.subarray(at, at + size));
          at += size;
          for (let frame = reader.next(); frame; frame = reader.next()) {
            assert.notEqual(frame.kind, "invalid");
            if (frame.kind === "message") {
              assert.deepEqual(frame.bytes, message("d", parts[got.length] ?? Buffer.alloc(0)));
              got.push(frame.bytes.length);
            } else if (frame.kind === "oversize") {
              got.push(frame.length);
            }
          }
        }
        assert.deepEqual(
          got,
          parts.map((body) => body.length + 5),
        );
      }),
    );
  });

  it("knows a length that cannot be", () => {
    const reader = new FrameReader(100);
    reader.push(Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff]));
    assert.equal(reader.next()?.kind, "invalid");
    const starting = new FrameReader(100);
    starting.push(Buffer.from([0, 0, 0, 3]));
    assert.equal(starting.nextStartup(1000), "invalid");
  });
});
