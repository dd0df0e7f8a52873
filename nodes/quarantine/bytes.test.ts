import assert from "node:assert/strict";
import { encode } from "cborg";
import { showBytes } from "./bytes.ts";

describe("quarantine bytes", () => {
  it("lays out JSON, with rows of numbers on one line and long lists cut", () => {
    const matrix = Array.from({ length: 8 }, () => [1, 2, 3, 4, 5, 6, 7, 8]);
    const shown = showBytes(Buffer.from(JSON.stringify({ id: "a", matrix, long: Array(100).fill(0) })));
    assert.equal(shown.form, "json");
    assert.ok(shown.cut);
    assert.match(shown.text, /^{\n {2}"id": "a",\n {2}"matrix": \[\n {4}\[1, 2, 3, 4, 5, 6, 7, 8\],\n/);
    assert.match(shown.text, /"long": \[0, (0, )+… \(100\)\]\n}$/);
    assert.equal(showBytes(Buffer.from('{"a": [] }')).cut, false);
  });

  it("shows CBOR like JSON, its byte strings in base64", () => {
    const shown = showBytes(encode({ v: 1, raw: new Uint8Array([1, 2, 3]) }));
    assert.deepEqual([shown.form, JSON.parse(shown.text)], ["cbor", { v: 1, raw: "AQID" }]);
  });

  it("shows text that is not JSON as it is, cut when long", () => {
    assert.deepEqual(showBytes(Buffer.from("{not json\n")), {
      form: "text",
      text: "{not json\n",
      shownBytes: 10,
      cut: false,
    });
    const long = showBytes(Buffer.from("é".repeat(50_000)));
    assert.deepEqual([long.form, long.cut, long.text.length], ["text", true, 12_000]);
    assert.equal(long.shownBytes, 24_000);
  });

  it("shows anything else as a dump of its beginning", () => {
    const shown = showBytes(Buffer.concat([Buffer.from([0, 255]), Buffer.from("FoieFlow"), Buffer.alloc(5000, 7)]));
    assert.deepEqual([shown.form, shown.shownBytes, shown.cut], ["hex", 2048, true]);
    assert.match(shown.text, /^0000 {2}00 ff 46 6f 69 65 46 6c 6f 77 07 07 07 07 07 07 {2}\.\.FoieFlow\.{6}\n0010 /);
    assert.equal(showBytes(new Uint8Array()).form, "empty");
    assert.equal(showBytes(encode({ a: 1 }).subarray(0, 2)).form, "hex", "cut CBOR");
  });
});
