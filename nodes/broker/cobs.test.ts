import assert from "node:assert/strict";
import fc from "fast-check";
import { cobsDecode, cobsEncode, frameCobs, unframeCobs } from "./cobs.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const run = (from: number, to: number) => Buffer.from(Array.from({ length: to - from + 1 }, (_, i) => from + i));

/** Runs of zeros and of more than 254 others, where the method changes its step. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.integer({ min: 250, max: 260 }).map((length) => new Uint8Array(length).fill(7)),
      fc.integer({ min: 1, max: 4 }).map((length) => new Uint8Array(length)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

describe("broker/cobs", () => {
  it("stuffs the published examples", () => {
    const examples: [Buffer, Buffer][] = [
      [hex(""), hex("01")],
      [hex("00"), hex("01 01")],
      [hex("00 00"), hex("01 01 01")],
      [hex("00 11 00"), hex("01 02 11 01")],
      [hex("11 22 00 33"), hex("03 11 22 02 33")],
      [hex("11 22 33 44"), hex("05 11 22 33 44")],
      [hex("11 00 00 00"), hex("02 11 01 01 01")],
      [run(1, 254), Buffer.concat([hex("ff"), run(1, 254)])],
      [Buffer.concat([hex("00"), run(1, 254)]), Buffer.concat([hex("01 ff"), run(1, 254)])],
      [run(1, 255), Buffer.concat([hex("ff"), run(1, 254), hex("02 ff")])],
      [Buffer.concat([run(2, 255), hex("00")]), Buffer.concat([hex("ff"), run(2, 255), hex("01 01")])],
      [Buffer.concat([run(3, 255), hex("00 01")]), Buffer.concat([hex("fe"), run(3, 255), hex("02 01")])],
    ];
    for (const [plain, stuffed] of examples) {
      assert.deepEqual(cobsEncode(plain), stuffed);
      assert.deepEqual(cobsDecode(stuffed), plain);
    }
  });

  it("brings any content back, without a zero and hardly longer", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const stuffed = cobsEncode(bytes);
        assert.ok(!stuffed.includes(0));
        assert.ok(stuffed.length <= bytes.length + Math.floor(bytes.length / 254) + 1);
        assert.deepEqual(cobsDecode(stuffed), bytes);
      }),
    );
  });

  it("reads or refuses any block, and notices any damaged byte of a frame", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (block) => {
        unframeCobs(block);
      }),
    );
    fc.assert(
      fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, where, change) => {
        fc.pre(bytes.length > 0);
        const frame = frameCobs(bytes);
        const block = frame.subarray(1, -2);
        assert.deepEqual(unframeCobs(block), bytes);
        const at = where % block.length;
        block[at] = (block[at] ?? 0) ^ change;
        assert.equal(unframeCobs(block), undefined);
      }),
    );
  });

  it("refuses an empty payload", () =>
    assert.equal(unframeCobs(frameCobs(Buffer.alloc(0)).subarray(1, -2)), undefined));
});
