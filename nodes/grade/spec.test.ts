import assert from "node:assert/strict";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import type { TofFeatures, TofFrame } from "../sample/sample.ts";
import { builtinSpec } from "./builtin.ts";
import { parseGradeSpec, parseGradeSpecText, specHash } from "./spec.ts";

type Document = { [key: string]: Document & unknown[] };
function edited(edit: (document: Document) => void): Document {
  const document = structuredClone(builtinSpec("sqal")) as Document;
  edit(document);
  return document;
}

const flat = (value: number) => Array<number>(64).fill(value);
const frame: TofFrame = {
  side: 8,
  distanceMm: flat(60),
  reflectancePercent: flat(55),
  signal: flat(20),
  ambient: flat(80),
  signalUnit: "sqal-au",
  status: flat(0),
  validStatuses: [0],
};

describe("parseGradeSpec", () => {
  it("reads the spec that comes with FoieFlow", () => {
    const spec = parseGradeSpec(builtinSpec("sqal"));
    assert.deepEqual([spec.id, spec.version, spec.method], ["sqal", "1.0.0", "sqal"]);
    assert.match(spec.hash, /^[0-9a-f]{64}$/);
    assert.equal(parseGradeSpecText(JSON.stringify(builtinSpec("sqal"))).hash, spec.hash);
  });

  it("hashes the content, not its order or spacing", () => {
    const reversed = Object.fromEntries(Object.entries(edited(() => {})).reverse());
    assert.equal(specHash(reversed), specHash(builtinSpec("sqal")));
    const other = edited(({ fusion }) => Object.assign(fusion ?? {}, { tofWeight: 0.61 }));
    assert.notEqual(specHash(other), specHash(builtinSpec("sqal")));
  });

  const refused: [why: string, document: unknown, message: RegExp][] = [
    ["nothing", undefined, /object with a method/],
    ["an unknown method", { method: "guess" }, /guess.*sqal/],
    ["a missing part", edited((document) => delete document.spectrum), /spectrum/],
    ["a weight above 1", edited(({ fusion }) => Object.assign(fusion ?? {}, { tofWeight: 60 })), /fusion\.tofWeight/],
    [
      "a word for a number",
      edited(({ shape }) => Object.assign(shape ?? {}, { sensorHeightMm: "100" })),
      /shape\.sensorHeightMm/,
    ],
    ["a misspelt member", edited(({ shape }) => Object.assign(shape ?? {}, { sensorHeigth: 1 })), /shape/],
    [
      "an unknown channel",
      edited(({ spectrum }) => Object.assign(spectrum?.ratios?.normalized_clear ?? {}, { over: ["F9"] })),
      /normalized_clear/,
    ],
    [
      "a device with an unknown profile",
      edited(({ devices }) => Object.assign(devices ?? {}, { X1: "premium" })),
      /devices\.X1.*premium/,
    ],
    [
      "an override of nothing",
      edited(({ profiles }) => Object.assign(profiles ?? {}, { p: { zoneSideMm: 1, shape: { colour: 1 } } })),
      /shape/,
    ],
    [
      "an override out of range",
      edited(({ profiles }) =>
        Object.assign(profiles ?? {}, { p: { zoneSideMm: 1, shapeScore: { inconsistent: 2 } } }),
      ),
      /inconsistent/,
    ],
    [
      "a band of no ratio",
      edited(({ spectrum }) => Object.assign(spectrum?.bands?.nir_violet ?? {}, { ratio: "nir" })),
      /bands\.nir_violet.*nir/,
    ],
    [
      "a band inside out",
      edited(({ spectrum }) => Object.assign(spectrum?.bands?.nir_violet ?? {}, { optimal: [0.9, 1.8] })),
      /bands\.nir_violet/,
    ],
    [
      "an index of no band",
      edited(({ spectrum }) => Object.assign(spectrum ?? {}, { freshness: { violet: 1 } })),
      /freshness.*violet/,
    ],
    ["no such colour", edited(({ spectrum }) => Object.assign(spectrum?.color ?? {}, { referenceId: "bleu" })), /bleu/],
  ];
  for (const [why, document, message] of refused) {
    it(`refuses ${why}`, () => {
      assert.throws(
        () => parseGradeSpec(document),
        (error) => error instanceof CodedError && error.code === "bad-spec" && message.test(error.message),
      );
    });
  }

  it("refuses any other JSON with a code, and text that is none", () => {
    assert.throws(() => parseGradeSpecText("{"), { code: "bad-spec" });
    assert.throws(() => builtinSpec("goose-2031"), { code: "bad-spec" });
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.throws(() => parseGradeSpec(value), { code: "bad-spec" })));
  });
});

describe("the profile in force", () => {
  const spec = parseGradeSpec(builtinSpec("sqal"));
  const zoneSide = (deviceId: string, features: TofFeatures) =>
    spec.analyseShape(frame, features, { deviceId }).zoneSideMm;

  it("is the site's for a device in its table, whatever the device says", () => {
    assert.equal(zoneSide("ESP32_LL_02", { zoneSideMm: 10, profile: "foiegras_bloc" }), 35);
  });

  it("is the device's word otherwise: its grid, its profile, else the default", () => {
    assert.equal(zoneSide("X", { zoneSideMm: 10, profile: "foiegras_bloc" }), 10);
    assert.equal(zoneSide("X", { profile: "foiegras_bloc" }), 31.25);
    assert.equal(zoneSide("X", { profile: "constructor" }), 37.5);
    assert.equal(zoneSide("toString", {}), 37.5);
  });

  it("carries its overrides into the analysis", () => {
    const distanceMm = flat(60).with(0, 90);
    const defects = (deviceId: string) => spec.analyseShape({ ...frame, distanceMm }, {}, { deviceId }).defects.length;
    assert.deepEqual([defects("ESP32_LL_01"), defects("ESP32_LS_01")], [1, 0]);
  });

  it("chooses the legacy occupancy by the dialect", () => {
    assert.equal(spec.analyseShape(frame, { dialect: "sqal-legacy" }, { deviceId: "X" }).heightCapMm, null);
    assert.notEqual(spec.analyseShape(frame, { dialect: "sqal" }, { deviceId: "X" }).heightCapMm, null);
  });
});
