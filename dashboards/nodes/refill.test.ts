import assert from "node:assert/strict";
import fc from "fast-check";
import { lastProducts, type Queryable, shiftCounts } from "./refill.ts";

const NOW = Date.parse("2026-11-22T09:00:00Z");
const ROW = {
  sample_uid: "abc",
  sample_id: "MG-1",
  device_id: "dev-1",
  final_grade: "REJECT",
  score_grade: "B",
  is_historical: false,
  lot_abattage: "lot-1",
  eleveur: null,
  at_ms: NOW - 5000,
  score: 0.61,
  vl53l8ch_score: 0.5,
  as7341_score: null,
  mass_g: 512.34,
  vetoes: ["too_many_defects"],
  reasons: [
    { code: "tof_volume", metric: "volume", value: 4e5, limit: [1, 2], effect: 0.08, kind: "score" },
    { code: "too_many_defects", metric: "defects", value: 7, limit: 4, effect: null, kind: "veto" },
    { code: 7, metric: "defects", value: "x", effect: null, kind: "veto" },
  ],
  spec_id: "sqal",
  spec_version: "1.0.0",
  height_matrix: Array.from({ length: 8 }, (_, row) => Array.from({ length: 8 }, (_, column) => row + column / 8)),
  occupied_matrix: Array.from({ length: 8 }, (_, row) => Array.from({ length: 8 }, () => row > 3)),
  max_height_mm: 61.27,
  defects: [{ zone: { row: 1, column: 2 } }, { type: "weak" }],
  channels: { F1: 1, F2: 2, F3: 3, F4: 4, F5: 5, F6: 6, F7: 7, F8: 8, Clear: 9, NIR: 10 },
  reconstructed: ["NIR"],
  saturated: [],
  gain: 64,
  integration_time_ms: 100,
  color_l: 68.22,
  color_a: 5,
  color_b: 20,
  delta_e: 1.84,
};

function answering(rows: unknown[]): Queryable & { asked: unknown[][] } {
  const asked: unknown[][] = [];
  return {
    asked,
    query: (_text, params) => {
      asked.push(params);
      return Promise.resolve({ rows });
    },
  };
}

describe("refill from the database", () => {
  it("makes a stored row the product it was", async () => {
    const [first] = await lastProducts(answering([ROW]), "site-1", "line-1", NOW);
    assert.ok(first);
    const { product, isHistorical } = first;
    assert.equal(isHistorical, false);
    assert.equal(product.grade, "REJECT");
    assert.equal(product.scoreGrade, "B");
    assert.equal(product.breeder, undefined);
    assert.equal(product.tof?.heightMm[9], 1.1);
    assert.equal(product.tof?.occupied, "0".repeat(32) + "1".repeat(32));
    assert.deepEqual(product.tof?.marks, [10]);
    assert.deepEqual(product.spectrum?.counts, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(product.spectrum?.color?.deltaE, 1.8);
    assert.deepEqual(
      product.reasons?.map((reason) => reason.code),
      ["too_many_defects", "tof_volume"],
    );
  });

  it("leaves out what makes no sense and never throws", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ ...Object.fromEntries(Object.keys(ROW).map((key) => [key, fc.anything()])) })),
        async (rows) => {
          const products = await lastProducts(answering([...rows, null, 3]), "site-1", "line-1", NOW);
          for (const { product } of products) assert.ok(product.uid && Number.isFinite(product.atMs));
        },
      ),
    );
  });

  it("counts the shift by grade, with the newest uids", async () => {
    const database = answering([
      { final_grade: "A", products: 12, newest: ["u1", "u2"] },
      { final_grade: "C", products: 1, newest: null },
      { final_grade: "Z", products: 99, newest: ["u3"] },
    ]);
    const shift = { name: "matin", day: "2026-11-22", startMs: NOW - 7_200_000 };
    const counts = await shiftCounts(database, "site-1", "line-1", shift, NOW);
    assert.deepEqual(counts, { shift: "matin", day: "2026-11-22", counts: { A: 12, C: 1 }, newestUids: ["u1", "u2"] });
    assert.deepEqual(database.asked[0]?.slice(0, 2), ["site-1", "line-1"]);
  });
});
