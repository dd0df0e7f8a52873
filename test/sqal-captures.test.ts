import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeEntry } from "../nodes/device/decode-entry.ts";
import { builtinSpec } from "../nodes/grade/builtin.ts";
import { parseGradeSpec } from "../nodes/grade/spec.ts";
import { SqalSpecSchema } from "../nodes/grade/sqal-schema.ts";
import { validator } from "../nodes/grade/validate.ts";
import type { Sample } from "../nodes/sample/sample.ts";
import { occupancyOf } from "../nodes/vl53l8ch/occupancy.ts";
import { at, CAPTURED_FIELDS, type Capture, capturedSamples, differences } from "./sqal-captures.ts";

const checkedSpec = validator(SqalSpecSchema, "spec");
const spec = parseGradeSpec(builtinSpec("sqal"));
const site = {
  siteId: "LL",
  lineId: "L1",
  timeZone: "Europe/Paris",
  shifts: [],
  historicalAfterS: 1e9,
  futureToleranceS: 300,
};

function graded(bytes: Buffer): Sample {
  const entry = {
    entryId: "1",
    attempts: 0,
    transport: "websocket",
    siteId: "LL",
    defaultLineId: "L1",
    bytes,
  } as const;
  const sample = decodeEntry({ ...entry, receivedAt: "2026-11-22T11:00:00Z" }, site);
  const { vl53l8ch, as7341, deviceId } = sample;
  if (vl53l8ch) vl53l8ch.analysis = spec.analyseShape(vl53l8ch.frame, vl53l8ch.features ?? {}, { deviceId });
  if (as7341) as7341.analysis = spec.analyseSpectrum(as7341.reading, { deviceId });
  return { ...sample, grade: spec.grade(sample) };
}

/** What we make of a message, without what we only keep of it. */
function results({ vl53l8ch, as7341, grade }: Sample) {
  return {
    frame: vl53l8ch?.frame,
    shape: vl53l8ch?.analysis,
    reading: as7341?.reading,
    spectrum: as7341?.analysis,
    grade,
  };
}

describe("SQAL's captured samples", () => {
  const captures = capturedSamples();

  it("are 21 of the new generation and 4 of the legacy one", () => {
    const count = (generation: Capture["generation"]) =>
      captures.filter((capture) => capture.generation === generation).length;
    assert.deepEqual([count("new"), count("legacy")], [21, 4]);
  });

  for (const capture of captures) {
    it(`${capture.message.sample_id}: every recomputed value is SQAL's`, () => {
      assert.deepEqual(differences(capture, graded(capture.bytes)), []);
    });
  }

  it("would show a value that is off by 1e-8, a wrong flag, a missing defect", () => {
    const [capture] = captures;
    assert.ok(capture);
    const sample = graded(capture.bytes);
    const { analysis } = sample.vl53l8ch ?? {};
    assert.ok(analysis && sample.grade);
    analysis.volumeSimpsonMm3 = (analysis.volumeSimpsonMm3 ?? 0) * (1 + 1e-8);
    analysis.usedFallback = !analysis.usedFallback;
    sample.grade.defects.pop();
    assert.deepEqual(
      differences(capture, sample).map((line) => line.split(" ")[0]),
      [
        "vl53l8ch.stats.volume_simpson_mm3",
        "vl53l8ch.stats.used_fallback",
        "vl53l8ch.defects",
        "fusion.combined_defects",
        "fusion.defects",
        "fusion.num_defects",
      ],
    );
  });

  it("name each captured field once", () => {
    const names = CAPTURED_FIELDS.map(({ captured }) => captured);
    assert.equal(new Set(names).size, names.length);
  });

  it("grade as the score says but for SQAL's live vetoes", () => {
    for (const capture of captures) {
      const { grade } = graded(capture.bytes);
      assert.equal(grade?.grade, "REJECT");
      assert.ok(grade?.vetoes.includes("too_many_defects"));
      assert.equal(grade?.vetoes.includes("spectral_reject"), at(capture.message, "as7341.grade") === "REJECT");
      const effects = grade?.reasons.reduce((sum, reason) => sum + (reason.effect ?? 0), 0) ?? Number.NaN;
      assert.ok(Math.abs(effects - (grade?.score ?? 0)) < 1e-12, "the reasons' effects add up to the score");
    }
  });
});

describe("what SQAL's captured samples say besides", () => {
  const numberAt = (capture: Capture, path: string) => {
    const value = at(capture.message, path);
    assert.ok(typeof value === "number", path);
    return value;
  };

  it("count the same zones before the fallback", () => {
    const document = checkedSpec(builtinSpec("sqal"));
    for (const capture of capturedSamples().filter(({ generation }) => generation === "new")) {
      const { frame, analysis } = graded(capture.bytes).vl53l8ch ?? {};
      assert.ok(frame && analysis);
      const occupancy = occupancyOf(
        analysis.heightMm,
        frame.reflectancePercent,
        frame.signal,
        document.shape.occupancy,
      );
      assert.equal(occupancy.qualifiedZones, numberAt(capture, "vl53l8ch.stats.occupied_pixels_raw"));
    }
  });

  it("fuse with our weights, once the random part of the ToF score is put back", () => {
    for (const capture of capturedSamples()) {
      const { grade } = graded(capture.bytes);
      assert.ok(grade?.tof && grade.spectral);
      const mixed = numberAt(capture, "fusion.tof_score");
      const randomPart = (mixed - 0.3 * grade.tof.score) / 0.7;
      assert.ok(randomPart >= 0.4 && randomPart <= 0.98, `a quality class's uniformity, not ${randomPart}`);
      const final = 0.6 * mixed + 0.4 * grade.spectral.score;
      assert.ok(Math.abs(final - numberAt(capture, "fusion.final_score")) < 1e-12);
    }
  });

  it("weigh what we weigh, but for the legacy simulator's noise of 3 %", () => {
    for (const capture of capturedSamples().filter(({ generation }) => generation === "legacy")) {
      const massG = graded(capture.bytes).vl53l8ch?.analysis?.massG ?? Number.NaN;
      const weightG = numberAt(capture, "fusion.foie_gras_metrics.estimated_weight_g");
      assert.ok(Math.abs(weightG - massG) <= 0.15 * massG, `${weightG} g is not about ${massG} g`);
    }
  });
});

/** Everything in a message from which we recompute; all else is the device's word. */
const DATA = [
  /^(type|timestamp|sample_id|device_id|location)$/,
  /^vl53l8ch\.(distance|reflectance|amplitude|ambient|status)_matrix\b/,
  /^vl53l8ch\.bins_analysis\b/,
  /^as7341\.channels\b/,
  /^as7341\.spectral_ratios\.(normalized_clear|nir_violet_ratio)$/,
  /^as7341\.(meta|integration_time|gain)\b/,
  /^meta\b/,
  /^(lot_abattage|eleveur|provenance|code_lot|lot_id)$/,
  /^(vl53l8ch|as7341)_raw\b/,
];

/** A copy in which `replace` decides on every member that is not data; undefined deletes it. */
function rewritten(value: unknown, replace: (path: string) => unknown, path = ""): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return replace(path);
  const isAbove = (inner: string) => ["vl53l8ch", "as7341", "as7341.spectral_ratios"].includes(inner);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const inner = path === "" ? key : `${path}.${key}`;
      if (DATA.some((pattern) => pattern.test(inner))) return [key, item];
      return [key, isAbove(inner) ? rewritten(item, replace, inner) : replace(inner)];
    }),
  );
}

describe("the device's claims", () => {
  const captures = capturedSamples();
  const sent = (message: unknown) => results(graded(Buffer.from(JSON.stringify(message))));

  it("change nothing when all of them are deleted", () => {
    for (const capture of captures) {
      const bare = rewritten(capture.message, () => undefined);
      assert.equal(at(bare, "vl53l8ch.stats") ?? at(bare, "fusion") ?? at(bare, "as7341.defects"), undefined);
      assert.deepStrictEqual(sent(bare), results(graded(capture.bytes)));
    }
  });

  it("change nothing when they are falsified", () => {
    const lie = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom<unknown>("A+", "REJECT", null, true, [], {}, [{ type: "foreign_body", severity: 1 }]),
    );
    fc.assert(
      fc.property(fc.constantFrom(...captures), fc.array(lie, { minLength: 1, maxLength: 8 }), (capture, lies) => {
        let turn = 0;
        const falsified = rewritten(capture.message, () => lies[turn++ % lies.length]);
        assert.deepStrictEqual(sent(falsified), results(graded(capture.bytes)));
      }),
      { numRuns: 60 },
    );
  });
});
