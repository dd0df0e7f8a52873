import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import { COLOUR_FIGURES, SHAPE_FIGURES } from "../../nodes/grade/banded-schema.ts";
import { asksOf, reasonsOf } from "../nodes/product-view.ts";
import type { ReasonView } from "../nodes/view.ts";
import { ADVICE, adviceOf } from "./advice.ts";

const cause = (code: string, more: Partial<ReasonView> = {}): ReasonView => ({
  code,
  metric: "x",
  value: 1,
  effect: null,
  kind: "veto",
  ...more,
});
const advised = (grade: GradeLetter, reasons: ReasonView[], language: "fr" | "en") =>
  adviceOf({ grade, asks: asksOf(grade, reasonsOf(reasons)) }, language);
const part = (code: string, effect: number, most: number) => cause(code, { effect, most, kind: "score" });

const OF_THE_SIGNAL = ["density", "signalQuality", "reflectance", "consistency"];

describe("what to do about a product", () => {
  it("asks no step for a good one, whatever it lacks", () => {
    const reasons = [part("part_dents", 0.02, 0.14), part("part_mass", 0.16, 0.16)];
    assert.deepEqual(advised("A", reasons, "en"), { goes: ADVICE.en.grades.A, steps: [] });
  });

  it("names where it goes and what its strongest reasons ask for, no more than two, none twice", () => {
    const reasons = [
      cause("reject_bile"),
      cause("cap_bile"),
      part("part_dents", 0.02, 0.14),
      part("part_length", 0, 0.1),
      part("part_blood", 0.11, 0.12),
    ];
    assert.deepEqual(advised("REJECT", reasons, "fr"), {
      goes: "Retirer de la ligne",
      steps: ["Parer la bile, puis repasser", "Contrôler les creux à la main"],
    });
    assert.deepEqual(advised("B", reasons.slice(4), "fr").steps, [], "a point is not worth a step");
  });

  it("puts the legal minimum before everything, also for a good one", () => {
    const reasons = [cause("cap_blood"), cause("weigh_it", { kind: "info" })];
    assert.deepEqual(advised("A", reasons, "en").steps, [
      "Weigh it: legal minimum",
      "Trim the blood, then pass it again",
    ]);
  });

  it("goes by what was taken from the score where the most it could have added is not known", () => {
    const reasons = [
      cause("tof_defects", { effect: -0.05, kind: "score" }),
      cause("tof_volume", { effect: 0.1, kind: "score" }),
    ];
    assert.deepEqual(advised("C", reasons, "en").steps, ["Check the shape by hand"]);
  });

  it("says nothing of a code it does not know", () => {
    assert.deepEqual(advised("C", [cause("new_thing"), cause("odd")], "en").steps, []);
    assert.deepEqual(adviceOf({ grade: "C" }, "en").steps, []);
  });

  it("has a step for every veto and every figure of the built-in grade specs, in both languages", () => {
    const room = path.resolve(import.meta.dirname, "../../nodes/grade");
    const sources = globSync(`${room}/*.ts`).map((file) => readFileSync(file, "utf8"));
    const vetoes = [...sources.join("\n").matchAll(/veto\("(\w+)"|code: "(\w+)",[^}]*kind: "veto"/g)].map(
      (match) => match[1] ?? match[2] ?? "",
    );
    assert.ok(vetoes.length >= 5, vetoes.join());
    const spec = JSON.parse(readFileSync(path.join(room, "specs/sqal.json"), "utf8"));
    const codes = [
      ...vetoes,
      ...Object.keys(spec.shapeScore.weights)
        .filter((metric) => !OF_THE_SIGNAL.includes(metric))
        .map((metric) => `tof_${metric}`),
      ...Object.keys(spec.spectrumScore.weights).map((metric) => `spectral_${metric}`),
      ...[...SHAPE_FIGURES, ...COLOUR_FIGURES].flatMap((figure) => [
        `reject_${figure}`,
        `cap_${figure}`,
        `part_${figure}`,
      ]),
    ];
    for (const language of ["fr", "en"] as const)
      assert.deepEqual(
        codes.filter((code) => advised("C", [cause(code)], language).steps.length === 0),
        [],
        language,
      );
    assert.deepEqual(Object.keys(ADVICE.fr.causes).sort(), Object.keys(ADVICE.en.causes).sort());
  });
});
