import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { COLOUR_FIGURES, SHAPE_FIGURES } from "../../nodes/grade/banded-schema.ts";
import { REPORT_WORDS } from "../../nodes/report/report-words.ts";
import { insertSqls } from "../../scripts/seed/history-sql.ts";
import { CALIBRATION_WORDS } from "./calibration-words.ts";
import { METRIC_TITLES, METRIC_UNITS, REASON_TITLES } from "./catalogue.ts";
import { DEVICE_WORDS } from "./device-words.ts";
import { WORDS } from "./dictionary.ts";
import { HEALTH_WORDS } from "./health-words.ts";
import { LOT_WORDS } from "./lot-words.ts";
import { LOTS_WORDS } from "./lots-words.ts";
import { QUALITY_WORDS } from "./quality-words.ts";
import { QUARANTINE_WORDS, reasonWords } from "./quarantine-words.ts";
import { SAMPLE_WORDS } from "./sample-words.ts";

const here = import.meta.dirname;
const gradeRoom = path.resolve(here, "../../nodes/grade");
const sources = globSync(`${gradeRoom}/*.ts`)
  .filter((file) => !file.endsWith(".test.ts"))
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** Every key of a tree, with its way. */
function keysOf(value: unknown, way = ""): string[] {
  if (typeof value !== "object" || value === null) return [way];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${way}/${key}`));
}

function sections(text: string): string[] {
  return [...text.matchAll(/data-help-name="([^"]+)"|<(h3|dt|dl|ol|li|dd)\b/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
}

describe("catalogues", () => {
  it("say the same things in French and English", () => {
    assert.deepEqual(keysOf(WORDS.fr).sort(), keysOf(WORDS.en).sort());
    assert.deepEqual(keysOf(CALIBRATION_WORDS.fr).sort(), keysOf(CALIBRATION_WORDS.en).sort());
    assert.deepEqual(keysOf(QUARANTINE_WORDS.fr).sort(), keysOf(QUARANTINE_WORDS.en).sort());
    assert.deepEqual(keysOf(DEVICE_WORDS.fr).sort(), keysOf(DEVICE_WORDS.en).sort());
    assert.deepEqual(keysOf(QUALITY_WORDS.fr).sort(), keysOf(QUALITY_WORDS.en).sort());
    assert.deepEqual(keysOf(HEALTH_WORDS.fr).sort(), keysOf(HEALTH_WORDS.en).sort());
    for (const { fr, en } of [LOT_WORDS, LOTS_WORDS, SAMPLE_WORDS, REPORT_WORDS])
      assert.deepEqual(keysOf(fr).sort(), keysOf(en).sort());
    assert.deepEqual(Object.keys(REASON_TITLES.fr).sort(), Object.keys(REASON_TITLES.en).sort());
    assert.deepEqual(Object.keys(METRIC_TITLES.fr).sort(), Object.keys(METRIC_TITLES.en).sort());
  });

  it("have words for every reason code of the built-in grade specs", () => {
    const codes = new Set<string>();
    for (const match of sources.matchAll(/code: "([a-z]\w*)"|veto\("(\w+)"/g)) codes.add(match[1] ?? match[2] ?? "");
    const spec = JSON.parse(readFileSync(path.join(gradeRoom, "specs/sqal.json"), "utf8"));
    for (const metric of Object.keys(spec.shapeScore.weights)) codes.add(`tof_${metric}`);
    for (const metric of Object.keys(spec.spectrumScore.weights)) codes.add(`spectral_${metric}`);
    for (const figure of [...SHAPE_FIGURES, ...COLOUR_FIGURES])
      for (const kind of ["part", "cap", "reject"]) codes.add(`${kind}_${figure}`);
    assert.ok(codes.size >= 15, `only ${codes.size} codes found: do they still look like this?`);
    assert.deepEqual(
      [...codes].filter((code) => !(code in REASON_TITLES.fr)),
      [],
    );
  });

  it("have words for every code and metric of an invented history", () => {
    const made = insertSqls("site", false).join("\n");
    const codes = [...made.matchAll(/'code', '(\w+)'|'\["(\w+)"\]'/g)].map((match) => match[1] ?? match[2] ?? "");
    assert.ok(codes.length >= 3 && codes.includes("tof_foreign_body"), codes.join());
    assert.deepEqual(
      codes.filter((code) => !(code in REASON_TITLES.fr)),
      [],
    );
    const metrics = [...made.matchAll(/'metric', '(\w+)'/g)].map(([, metric = ""]) => metric);
    assert.deepEqual(
      metrics.filter((metric) => !(metric in METRIC_TITLES.fr)),
      [],
    );
  });

  it("have a sentence for every reason for which something goes to quarantine", () => {
    const rooms = path.resolve(here, "../../nodes");
    const read = (pattern: string) =>
      globSync(pattern, { cwd: rooms })
        .filter((file) => !file.endsWith(".test.ts"))
        .map((file) => readFileSync(path.join(rooms, file), "utf8"))
        .join("\n");
    const codes = new Set([
      "refused-by-database",
      "unmappable",
      "no-sensor-data",
      "lost-in-flow",
      "crashed-three-times",
    ]);
    const decoding = read("{device,vl53l8ch,as7341}/**/*.ts");
    for (const [, code = ""] of decoding.matchAll(/new CodedError\(\s*"([a-z0-9-]+)"/g)) codes.add(code);
    for (const [, code = ""] of read("**/*.ts").matchAll(/(?:failureReason|problem): "([a-z-]+)"/g)) codes.add(code);
    assert.ok(codes.size >= 30, `only ${codes.size} codes found: do they still look like this?`);
    for (const words of Object.values(QUARANTINE_WORDS))
      assert.deepEqual(
        [...codes].filter((code) => reasonWords(words, code).title === code),
        [],
      );
  });

  it("know what every metric with a unit is called", () => {
    assert.deepEqual(
      Object.keys(METRIC_UNITS).filter((metric) => !(metric in METRIC_TITLES.fr)),
      [],
    );
  });
});

describe("the editor's catalogues", () => {
  for (const file of ["widgets", "line-view"]) {
    it(`of ${file} have the same keys and help sections in both languages`, () => {
      const text = (language: string, kind: string) =>
        readFileSync(path.resolve(here, `../nodes/locales/${language}/${file}.${kind}`), "utf8");
      assert.deepEqual(keysOf(JSON.parse(text("fr", "json"))), keysOf(JSON.parse(text("en-US", "json"))));
      assert.deepEqual(sections(text("fr", "html")), sections(text("en-US", "html")));
    });
  }
});
