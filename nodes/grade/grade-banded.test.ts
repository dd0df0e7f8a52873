import assert from "node:assert/strict";
import fc from "fast-check";
import type { Defect, Sample, ShapeAnalysis, SpectralAnalysis } from "../sample/sample.ts";
import { SHAPE_PARAMETERS } from "../vl53l8ch/shape-parameters.ts";
import { builtinSpec } from "./builtin.ts";
import { curveAt } from "./grade-banded.ts";
import { parseGradeSpec } from "./spec.ts";

const duck = parseGradeSpec(builtinSpec("duck"));

/** A sound liver of 520 g in every figure the spec asks for; `changes` spoil it. */
function liver(
  changes: {
    shape?: Partial<ShapeAnalysis>;
    indices?: Partial<NonNullable<SpectralAnalysis["indices"]>>;
    deltaE?: number;
    calibrated?: boolean;
  } = {},
): Sample {
  const calibrated = changes.calibrated ?? true;
  const shape = {
    massG: 520,
    massHalfWidthG: 20,
    thicknessMm: 50,
    lengthMm: 180,
    widthMm: 110,
    roughnessMm: 0.6,
    defects: [] as Defect[],
    calibrated,
    ...changes.shape,
  } as ShapeAnalysis;
  const spectrum = {
    color: { l: 80, a: 1, b: 11, deltaE: changes.deltaE ?? 1.5, referenceId: "r", calibrated },
    calibrated,
    defects: [] as Defect[],
    indices: { blood: 0, bile: 0, yellowness: 0.05, browning: 0.1, ...changes.indices },
  } as unknown as SpectralAnalysis;
  return { deviceId: "X", vl53l8ch: { analysis: shape }, as7341: { analysis: spectrum } } as unknown as Sample;
}

describe("built-in specs", () => {
  for (const name of ["duck", "goose"] as const)
    it(`${name} measures shapes with the figures whose accuracy is known`, () => {
      const { shape } = builtinSpec(name) as { shape: unknown };
      assert.deepEqual(shape, SHAPE_PARAMETERS);
    });
});

describe("grade by bands", () => {
  it("gives a sound liver the best grade, and explains every part of the score", () => {
    const grade = duck.grade(liver());
    assert.equal(grade.grade, "A+");
    const explained = grade.reasons.reduce((total, { effect }) => total + (effect ?? 0), 0);
    assert.ok(Math.abs(explained - grade.score) < 1e-12);
    const all = grade.reasons.reduce((total, { most }) => total + (most ?? 0), 0);
    assert.ok(Math.abs(all - 1) < 1e-12, "what each could add is the whole score");
    assert.ok(grade.reasons.every(({ effect, most }) => (effect ?? 0) <= (most ?? 0) + 1e-12));
    assert.deepEqual(grade.vetoes, []);
    assert.match(grade.specHash, /^[0-9a-f]{64}$/);
  });

  it("does not simply reward weight", () => {
    const at = (massG: number) => duck.grade(liver({ shape: { massG } })).score;
    assert.ok(at(520) > at(290));
    assert.ok(at(520) > at(900), "a very heavy liver melts more");
  });

  it("rejects bile whatever the score, and caps blood", () => {
    const bile = duck.grade(liver({ indices: { bile: 0.4 } }));
    assert.equal(bile.grade, "REJECT");
    assert.equal(bile.isCompliant, false);
    assert.ok(bile.scoreGrade !== "REJECT", "the score alone would not have");
    assert.deepEqual(bile.vetoes, ["reject_bile"]);
    const blood = duck.grade(liver({ indices: { blood: 0.15 } }));
    assert.equal(blood.grade, "B");
    assert.deepEqual(blood.vetoes, ["cap_blood"]);
  });

  it("only flags the legal minimum, by the whole interval", () => {
    const flagged = (massG: number, massHalfWidthG: number) => {
      const grade = duck.grade(liver({ shape: { massG, massHalfWidthG } }));
      return grade.reasons.some(({ code }) => code === "weigh_it") && grade.vetoes.length === 0;
    };
    assert.equal(flagged(290, 10), true);
    assert.equal(flagged(310, 20), true);
    assert.equal(flagged(330, 20), false);
  });

  it("leaves out what is not calibrated, says so, and reports no colour difference", () => {
    const grade = duck.grade(
      liver({ calibrated: false, indices: { blood: Number.NaN, bile: Number.NaN, browning: Number.NaN } }),
    );
    assert.equal(grade.metrics.deltaE, null);
    assert.ok(grade.reasons.some(({ code, metric }) => code === "not_known" && metric === "deltaE"));
    assert.ok(Number.isFinite(grade.score));
  });

  it("refuses a sample without a figure it knows, and documents that are not in order", () => {
    assert.throws(() => duck.grade({ deviceId: "X" } as Sample), { code: "not-analysed" });
    const spoilt = (change: (document: { grades: object; parts: { curve: number[][] }[] }) => void) => {
      const document = structuredClone(builtinSpec("duck")) as { grades: object; parts: { curve: number[][] }[] };
      change(document);
      return () => parseGradeSpec(document);
    };
    assert.throws(
      spoilt((d) => Object.assign(d.grades, { A: 0.95 })),
      /grades/,
    );
    assert.throws(
      spoilt((d) => d.parts[0]?.curve.reverse()),
      /curve of mass/,
    );
    assert.throws(
      spoilt((d) => Object.assign(d, { bonus: 1 })),
      { code: "bad-spec" },
    );
  });

  it("never leaves the unit interval and never improves by a worse stain", () => {
    const curve: [number, number][] = [
      [0, 1],
      [0.03, 1],
      [0.1, 0.5],
      [0.4, 0],
    ];
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 2, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (value, step) => {
          const here = curveAt(curve, value);
          assert.ok(here >= 0 && here <= 1);
          assert.ok(curveAt(curve, value + step) <= here + 1e-12);
          const stained = (bile: number) => duck.grade(liver({ indices: { bile } })).score;
          const share = Math.min(1, Math.max(0, value));
          assert.ok(stained(Math.min(1, share + step)) <= stained(share) + 1e-12);
        },
      ),
    );
  });
});
