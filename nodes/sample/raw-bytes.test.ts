import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesAsTheyCame, storedBytes } from "./raw-bytes.ts";

describe("a message's bytes as they are stored", () => {
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 500 }).map((list) => Buffer.from(JSON.stringify(list))),
    // What is compressed already is nothing special.
    fc.uint8Array({ minLength: 1, maxLength: 500 }).map((bytes) => storedBytes(Buffer.alloc(4000, bytes)).bytes),
  );

  it("come back as they came, and never take more room", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (list) => {
        const bytes = Buffer.from(list);
        const stored = storedBytes(bytes);
        assert.ok(stored.bytes.length <= bytes.length);
        assert.deepEqual(await bytesAsTheyCame(stored.bytes, stored.encoding, stored.length), bytes);
      }),
    );
  });

  it("are a frame that owes nothing to those before it, in memory of its own", () => {
    const [one, other] = [Buffer.alloc(20_000, "foie gras "), Buffer.alloc(90_000, "magret ")];
    const first = storedBytes(one).bytes;
    storedBytes(other);
    assert.deepEqual(storedBytes(one).bytes, first);
    assert.equal(first.buffer.byteLength, first.length);
  });

  it("are as they came in rows from before, and where nothing repeats", async () => {
    const bytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]); // begins as a zstd frame does
    assert.deepEqual(storedBytes(bytes), { bytes, encoding: null, length: null });
    assert.equal(await bytesAsTheyCame(bytes, null, null), bytes);
  });

  it("are refused when they are not what the row says", async () => {
    const { bytes, encoding, length } = storedBytes(Buffer.alloc(10_000, "foie gras "));
    assert.equal(encoding, "zstd");
    await assert.rejects(bytesAsTheyCame(bytes, "brotli", length), /unknown encoding: brotli/);
    await assert.rejects(bytesAsTheyCame(bytes, "zstd", null), /unknown encoding/);
    await assert.rejects(bytesAsTheyCame(bytes, "zstd", 20_000), /10000 instead of 20000/);
    // However large it would grow, no more than the row's length is made of it.
    await assert.rejects(bytesAsTheyCame(bytes, "zstd", 100));
    await assert.rejects(bytesAsTheyCame(bytes.subarray(0, 12), "zstd", length));
  });
});
