import assert from "node:assert/strict";
import fc from "fast-check";
import { PARAMETER_TYPES, type ParameterDef, parameterValues, parseParameters } from "./parameters.ts";

const one = (type: ParameterDef["type"], optional = false): ParameterDef[] => [{ name: "p", type, optional }];

describe("query parameters", () => {
  it("come by place from an array, by name from an object, alone from a value", () => {
    const two: ParameterDef[] = [
      { name: "lot", type: "text" },
      { name: "hours", type: "integer" },
    ];
    assert.deepEqual(parameterValues(two, ["L1", 24]), ["L1", 24]);
    assert.deepEqual(parameterValues(two, { hours: "24", lot: "L1" }), ["L1", 24]);
    assert.deepEqual(parameterValues(one("integer"), 5), [5]);
  });

  it("that are missing are refused, or null where they may be", () => {
    for (const payload of [undefined, null, {}, [], { P: 1 }]) {
      assert.throws(() => parameterValues(one("text"), payload), { code: "missing-parameter" });
      assert.deepEqual(parameterValues(one("text", true), payload), [null]);
    }
    assert.throws(() => parameterValues([{ name: "constructor", type: "text" }], {}), { code: "missing-parameter" });
  });

  const bad: [ParameterDef["type"], unknown][] = [
    ["text", { toString: () => "x" }],
    ["number", "1e999"],
    ["number", Number.NaN],
    ["number", " "],
    ["integer", 1.5],
    ["integer", 2 ** 60],
    ["boolean", 1],
    ["time", "yesterday-ish"],
    ["time", Number.POSITIVE_INFINITY],
    ["time", { toString: "" }],
    ["json", { cost: 1n }],
  ];
  for (const [type, value] of bad) {
    it(`refuse ${typeof value === "object" ? "a strange object" : String(value)} as ${type}`, () => {
      assert.throws(() => parameterValues(one(type), { p: value }), { code: "bad-parameter" });
    });
  }

  it("keep a time's microseconds and take milliseconds since 1970", () => {
    assert.deepEqual(parameterValues(one("time"), ["2026-11-22T10:00:00.123456Z"]), ["2026-11-22T10:00:00.123456Z"]);
    assert.deepEqual(parameterValues(one("time"), [0]), ["1970-01-01T00:00:00.000Z"]);
  });

  it("of any payload give one value each, or a coded refusal", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PARAMETER_TYPES), fc.anything(), (type, payload) => {
        try {
          assert.equal(parameterValues(one(type), payload).length, 1);
        } catch (error) {
          assert.match(String(Reflect.get(Object(error), "code")), /^(missing|bad)-parameter$/);
        }
      }),
    );
  });

  it("are read from a configuration, or refused", () => {
    assert.deepEqual(parseParameters(undefined), []);
    assert.deepEqual(parseParameters([{ name: "a", type: "json" }]), [{ name: "a", type: "json", optional: false }]);
    for (const given of [{}, [null], [{ name: "a", type: "sql" }], [{ type: "text" }]]) {
      assert.throws(() => parseParameters(given), { code: "bad-parameter" });
    }
  });
});
