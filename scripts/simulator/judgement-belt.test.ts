import assert from "node:assert/strict";
import { parseTruth } from "./judgement.ts";
import { judgeProducts, parseProductRows, parseProductTruth } from "./judgement-belt.ts";

const at = (second: number): string => new Date(Date.UTC(2026, 10, 22, 8, 0, second)).toISOString();
const truth = (number: number, more = {}) =>
  JSON.stringify({
    kind: "belt",
    deviceId: "d",
    product: number,
    enteredAt: at(4 * number),
    leftAt: at(4 * number + 2),
    wholeInView: true,
    qualityClass: "good",
    quality: 0.1 * number,
    massG: 500,
    dents: [],
    bloodShare: 0,
    bileShare: 0,
    ...more,
  });
const row = (second: number, more = {}) => ({
  device_id: "d",
  product_id: null,
  time: at(second),
  final_grade: "A",
  final_quality_score: String(second / 100),
  mass_g: 510,
  defects: "[]",
  ...more,
});

describe("simulator: judging a belt", () => {
  it("matches by time, and counts what is missing, graded twice or of nobody", () => {
    const truths = parseProductTruth([truth(1), truth(2), truth(3), '{"kind":"belt"', '{"kind":"other"}'].join("\n"));
    const rows = parseProductRows([
      row(5),
      row(8),
      row(9),
      row(30),
      row(12, { final_grade: "NO_PRODUCT" }),
      row(12, { device_id: "e" }),
    ]);
    const result = judgeProducts(truths, rows);
    assert.deepEqual([result.products, result.matched, result.missing, result.split, result.strays], [3, 1, 1, 1, 2]);
    assert.ok(Math.abs((result.massError?.mean ?? 0) - 0.02) < 1e-12);
    assert.equal(result.interval, null);
  });

  it("matches by name where a light barrier gave one", () => {
    const truths = parseProductTruth([truth(1, { productId: "p1" }), truth(2, { productId: "p2" })].join("\n"));
    const rows = parseProductRows([row(40, { product_id: "p1" }), row(9, { product_id: "p3" })]);
    const result = judgeProducts(truths, rows);
    assert.deepEqual([result.matched, result.missing, result.strays], [1, 1, 1]);
  });

  it("counts defects that must be found and alarms that must not be, and leaves out what lies between", () => {
    const dent = (diameterMm: number, depthMm: number) => ({ dents: [{ diameterMm, depthMm }] });
    const truths = parseProductTruth(
      [
        truth(1, dent(30, 6)),
        truth(2, dent(40, 5)),
        truth(3),
        truth(4, { ...dent(31, 9), bloodShare: 0.06 }),
        truth(5, { bileShare: 0.03 }),
      ].join("\n"),
    );
    const found = (...types: string[]) => ({ defects: JSON.stringify(types.map((type) => ({ type }))) });
    const rows = [
      row(5, found("dent")),
      row(9, found("dent")),
      row(13, found("dent")),
      row(17),
      row(21, found("bile")),
    ];
    const { defects } = judgeProducts(truths, parseProductRows(rows));
    assert.deepEqual(defects.dent, { there: 2, found: 1, absent: 2, falseAlarms: 1 });
    assert.deepEqual(defects.blood, { there: 1, found: 0, absent: 4, falseAlarms: 0 });
    assert.deepEqual(defects.bile, { there: 0, found: 0, absent: 4, falseAlarms: 0 });
  });

  it("holds stated intervals against the truth", () => {
    const truths = parseProductTruth([truth(1), truth(2)].join("\n"));
    const rows = parseProductRows([row(5, { mass_half_width_g: 25 }), row(9, { mass_half_width_g: "9" })]);
    const { interval } = judgeProducts(truths, rows);
    assert.deepEqual(interval, { coverage: 0.5, halfWidth: 0.034 });
  });

  it("keeps belt lines out of the judging of samples", () => {
    assert.deepEqual(parseTruth(truth(1)), []);
  });
});
