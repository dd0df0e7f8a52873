import assert from "node:assert/strict";
import { encode } from "cborg";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { isCborMap, parseCbor } from "./cbor.ts";

const LIMITS = { maxBytes: 1 << 20, maxDepth: 16 };
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const parse = (bytes: Uint8Array) => parseCbor(bytes, LIMITS);
const refused = (bytes: Uint8Array, code: string) =>
  assert.throws(
    () => parse(bytes),
    (error) => error instanceof CodedError && error.code === code && error.message !== "",
  );

describe("device/cbor", () => {
  it("reads what JSON could have said, byte strings as base64", () => {
    assert.deepEqual(parse(hex("a2 6161 01 6162 82 f9 3e00 43 010203")), { a: 1, b: [1.5, "AQID"] });
    assert.deepEqual(parse(hex("a1 6161 1b 001fffffffffffff")), { a: Number.MAX_SAFE_INTEGER });
    assert.ok(isCborMap(hex("a0")) && isCborMap(hex("bf")) && !isCborMap(hex("7b")) && !isCborMap(hex("")));
  });

  it("refuses the rest with a code", () => {
    refused(hex(""), "not-cbor");
    refused(hex("a1 6161"), "not-cbor");
    refused(hex("a0 00"), "not-cbor"); // trailing bytes
    refused(hex("bf ff"), "not-cbor"); // indefinite length
    refused(hex("a1 6161 ff"), "not-cbor"); // a break in place of a value
    refused(hex("a1 01 02"), "not-cbor"); // a key that is no text
    refused(hex("a1 6161 f7"), "not-cbor"); // undefined
    refused(hex("a1 6161 c0 60"), "not-cbor"); // a tag
    refused(hex("a1 6161 1b ffffffffffffffff"), "not-cbor"); // above 2^53
    refused(hex("a1 6161 5b 7fffffffffffffff"), "not-cbor"); // a byte string longer than the world
    refused(hex("a1 6161 9b 00ffffffffffffff"), "not-cbor"); // an array longer than the message
    refused(hex("a2 6161 01 6161 02"), "duplicate-key");
    refused(hex("a1 6161 f9 7e00"), "not-finite");
    refused(hex("a1 6161 f9 7c00"), "not-finite");
    refused(hex("a1 69 5f5f70726f746f5f5f a0"), "forbidden-key");
    refused(hex("a1 6161 a1 6b 636f6e7374727563746f72 00"), "forbidden-key");
    refused(hex("a1 6161 62 c328"), "bad-text");
    refused(hex("a1 6161 61 00"), "bad-text");
    refused(Buffer.concat([Buffer.alloc(100_000, 0x81), hex("00")]), "too-deep");
    refused(Buffer.concat([hex("9a 00020000"), Buffer.alloc(0x20000)]), "too-many-values");
    refused(Buffer.alloc((1 << 20) + 1), "too-large");
  });

  it("gives any JSON value back", () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter((item) => !hasNul(item));
    fc.assert(
      fc.property(value, (item) => {
        const json = JSON.parse(JSON.stringify(item));
        assert.deepEqual(parse(encode(json)), json);
      }),
    );
  });

  it("reads or refuses any bytes, coded", () => {
    const head = fc.integer({ min: 0xa0, max: 0xbf });
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 200 }), (first, rest) => {
        try {
          parse(Buffer.from([first, ...rest]));
        } catch (error) {
          assert.ok(error instanceof CodedError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function hasNul(item: unknown): boolean {
  return /\\u0000|\ufffd|__proto__|"constructor"|"prototype"|\\ud[89a-f]/i.test(JSON.stringify(item));
}
