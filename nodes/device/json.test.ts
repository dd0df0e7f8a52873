import assert from "node:assert/strict";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { parseJson } from "./json.ts";
import { parseTimestamp, timestampOfSeconds } from "./timestamp.ts";

const limits = { maxBytes: 1 << 20, maxDepth: 16 };
const parse = (text: string | Uint8Array) => parseJson(typeof text === "string" ? Buffer.from(text) : text, limits);

describe("parseJson", () => {
  const refused: [text: string | Uint8Array, code: string, message: RegExp][] = [
    ["{", "not-json", /JSON/],
    ["", "not-json", /JSON/],
    ['{"a":NaN}', "not-json", /JSON/],
    ['{"a":Infinity}', "not-json", /JSON/],
    [Uint8Array.of(0x22, 0xff, 0x22), "not-json", /UTF-8/],
    ['{"a":[1,{"b":1e309}]}', "not-finite", /^a\[1\]\.b /],
    ["[[1,-1e999]]", "not-finite", /^\[0\]\[1\] /],
    ['{"a":{"__proto__":1}}', "forbidden-key", /^a has the key __proto__/],
    ['{"constructor":1}', "forbidden-key", /^message has the key constructor/],
    ['{"a":[{"prototype":{}}]}', "forbidden-key", /^a\[0\] /],
    [`${"[".repeat(200_000)}${"]".repeat(200_000)}`, "too-deep", /deeper than 16/],
    ['{"a":"x\\u0000y"}', "bad-text", /^a has NUL/],
    ['{"a\\ud800":1}', "bad-text", /key/],
    [`"${"x".repeat(limits.maxBytes)}"`, "too-large", /at most/],
  ];
  for (const [text, code, message] of refused) {
    it(`refuses ${String(text).slice(0, 30)} as ${code}`, () => {
      assert.throws(
        () => parse(text),
        (error) => error instanceof CodedError && error.code === code && message.test(error.message),
      );
    });
  }

  it("gives back what other JSON says", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        try {
          assert.deepEqual(parse(text), JSON.parse(text));
        } catch (error) {
          assert.ok(error instanceof CodedError && /bad-text|forbidden-key/.test(error.code), String(error));
        }
      }),
    );
  });
});

describe("parseTimestamp", () => {
  const read: [text: string, iso: string][] = [
    ["2026-11-22T10:23:52.966818Z", "2026-11-22T10:23:52.966818Z"],
    ["2026-11-22T10:23:52.966818", "2026-11-22T10:23:52.966818Z"],
    ["2026-11-22T10:23:52Z", "2026-11-22T10:23:52.000Z"],
    ["2026-11-22T10:23:52.9668181234+02:00".replace("1234", ""), "2026-11-22T08:23:52.966818Z"],
    ["2026-11-22 10:23:52,5-0330", "2026-11-22T13:53:52.500Z"],
    ["2026-12-31T23:59:59.999999-01:00", "2027-01-01T00:59:59.999999Z"],
  ];
  for (const [text, iso] of read) it(`reads ${text}`, () => assert.equal(parseTimestamp(text)?.iso, iso));

  for (const text of [
    "",
    "now",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:60Z",
    "1969-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "2026-01-01",
    "2026-01-01T00:00:00+25:00",
    "2026-11-22T10:23:52Z; drop",
  ])
    it(`does not read "${text}"`, () => assert.equal(parseTimestamp(text), undefined));

  it("is what the platform reads, to the millisecond", () => {
    const date = fc.date({
      min: new Date("1970-01-01T00:00:00Z"),
      max: new Date("2199-12-31T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, (at) => {
        assert.deepEqual(parseTimestamp(at.toISOString()), { iso: at.toISOString(), epochMs: at.getTime() });
        assert.equal(timestampOfSeconds(at.getTime() / 1000)?.iso, at.toISOString());
      }),
    );
  });

  it("takes no time from a number that is none", () => {
    for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e18])
      assert.equal(timestampOfSeconds(seconds), undefined);
  });
});
