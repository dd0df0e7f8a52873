import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonFields } from "./json-fields.ts";

const NAMES = ["sample_id", "device", "boot", "seq"] as const;
const isScalar = (value: unknown) => typeof value !== "object" || value === null;
const bytesOf = (value: unknown, space?: number) => Buffer.from(JSON.stringify(value, undefined, space));

describe("fields of a JSON object", () => {
  it("are what parsing all of it finds, whatever else it holds", () => {
    const key = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { maxKeys: 12 }), fc.constantFrom(0, 1), (object, space) => {
        const found = jsonFields(bytesOf(object, space), NAMES);
        for (const name of NAMES) {
          const value = Object.hasOwn(object, name) ? object[name] : undefined;
          // As text carries it: -0 is 0 there.
          const expected = isScalar(value) && value !== undefined ? JSON.parse(JSON.stringify(value)) : undefined;
          assert.deepEqual(found[name], expected);
        }
      }),
    );
  });

  it("are the last of those with the same name, as when it is parsed", () => {
    assert.deepEqual(jsonFields(Buffer.from('{"seq":1,"x":{"seq":2},"seq":3}'), NAMES), { seq: 3 });
    assert.equal(jsonFields(Buffer.from('{"seq":1,"seq":[3]}'), NAMES).seq, undefined);
  });

  it("are those up to the one that is enough", () => {
    const text = '{"x":{"device":"no"},"boot":"b","device":"d","seq":1}';
    assert.deepEqual(jsonFields(Buffer.from(text), NAMES, "device"), { boot: "b", device: "d" });
    assert.deepEqual(jsonFields(Buffer.from(text), NAMES, "sample_id"), { boot: "b", device: "d", seq: 1 });
  });

  it("are never found where they are not, and never make trouble", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        jsonFields(Buffer.from(bytes), NAMES);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), fc.nat(255), (value, place, byte) => {
        const bytes = bytesOf({ device: "d", value });
        bytes[place % bytes.length] = byte;
        jsonFields(bytes, NAMES);
      }),
    );
    for (const text of ["", "[]", '"seq"', "{", '{"seq"', '{"seq":', '{"seq":"', '{"x":{"seq":1}}', '[{"seq":1}]'])
      assert.equal(jsonFields(Buffer.from(text), NAMES).seq, undefined, text);
  });
});
