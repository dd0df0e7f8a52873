import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { TofFrame } from "../sample/sample.ts";
import { analyseShapeSqal } from "./analyse-sqal.ts";
import { histogramFiguresOf } from "./histogram.ts";
import type { SqalShapeParameters } from "./parameters.ts";

const document = JSON.parse(readFileSync(new URL("../grade/specs/sqal.json", import.meta.url), "utf8"));
const parameters: SqalShapeParameters = { ...document.shape, zoneSideMm: 10 };
const legacy: SqalShapeParameters = { ...parameters, occupancy: { ...parameters.occupancy, rule: "all-zones" } };

/** A tray at 95 mm with a block of product `size` zones wide at 60 mm in its corner. */
function frameOf(size: number, more: Partial<TofFrame> = {}): TofFrame {
  const isProduct = (zone: number) => Math.floor(zone / 8) < size && zone % 8 < size;
  const fill = (inside: number, outside: number) =>
    Array.from({ length: 64 }, (_, zone) => (isProduct(zone) ? inside : outside));
  return {
    side: 8,
    distanceMm: fill(60, 95),
    reflectancePercent: fill(55, 75),
    signal: fill(20, 15),
    ambient: fill(80, 80),
    signalUnit: "sqal-au",
    status: fill(0, 0),
    validStatuses: [0],
    ...more,
  };
}

describe("analyseShapeSqal", () => {
  it("finds the product and its volume", () => {
    const shape = analyseShapeSqal(frameOf(4), {}, parameters);
    assert.equal(shape.occupiedZones, 16);
    assert.equal(shape.candidateZones, 16);
    assert.equal(shape.usedFallback, false);
    assert.equal(shape.volumeSimpleMm3, 16 * 40 * 100);
    assert.equal(shape.volumeMm3, shape.volumeTrapezoidalMm3);
    assert.equal(shape.massG, ((shape.volumeTrapezoidalMm3 ?? 0) / 1000) * 0.947);
    assert.equal(shape.baseAreaMm2, 6400);
    assert.deepEqual([shape.minHeightMm, shape.maxHeightMm, shape.heightRangeMm], [5, 40, 35]);
    assert.equal(shape.histogram, null);
  });

  it("falls back to the candidates when hardly a zone passes the thresholds", () => {
    const shape = analyseShapeSqal(frameOf(4, { signal: Array(64).fill(3) }), {}, parameters);
    assert.equal(shape.usedFallback, true);
    assert.equal(shape.occupiedZones, 16);
    assert.equal(analyseShapeSqal(frameOf(4, { signal: Array(64).fill(3) }), {}, legacy).volumeMm3, 0);
  });

  it("has thresholds of their own for an empty tray", () => {
    const shape = analyseShapeSqal(frameOf(0, { distanceMm: Array(64).fill(100) }), {}, parameters);
    assert.deepEqual([shape.occupiedZones, shape.volumeMm3, shape.surfaceUniformity], [0, 0, 1]);
    assert.deepEqual([shape.occupancyThresholdMm, shape.reflectanceThreshold, shape.signalThreshold], [2, 45, 12]);
    assert.deepEqual([shape.heightCapMm, shape.heightP90Mm, shape.heightP95Mm], [0, 0, 0]);
  });

  it("names zones that stand out by side, place and severity", () => {
    const distanceMm = Array(64).fill(60);
    distanceMm[10] = 45;
    distanceMm[63] = 100;
    const { defects } = analyseShapeSqal(frameOf(0, { distanceMm }), {}, parameters);
    assert.deepEqual(
      defects.map(({ type, zone, severity, deviationMm }) => [type, zone, severity, deviationMm]),
      [
        ["foreign_body", { row: 1, column: 2 }, 0.5, -15],
        ["surface_deformation", { row: 7, column: 7 }, 1, 40],
      ],
    );
  });

  it("prefers its own histogram figures to the device's, and says whose they are", () => {
    const figures = { peakCount: [1], roughness: [1], signalQuality: [1], texture: [0.5], density: [7], peakBin: [1] };
    const fromDevice = analyseShapeSqal(frameOf(4), { histogramFigures: figures }, parameters);
    assert.deepEqual([fromDevice.histogram?.source, fromDevice.histogram?.means.density], ["device", 7]);
    const histogram = { bins: 128, binWidthMm: 37.5, counts: Array(64).fill(Array(128).fill(1)) };
    assert.equal(
      analyseShapeSqal(frameOf(4, { histogram }), { histogramFigures: figures }, parameters).histogram?.source,
      "histogram",
    );
  });

  it("stays finite on dead zones, zero signal and empty histograms", () => {
    const zeros = Array(64).fill(0);
    const histogram = { bins: 128, binWidthMm: 37.5, counts: Array(64).fill(Array(128).fill(0)) };
    const frame = frameOf(0, { distanceMm: zeros, reflectancePercent: zeros, signal: zeros, histogram });
    for (const rule of [parameters, legacy]) {
      const shape = analyseShapeSqal(frame, {}, rule);
      const numbers = [
        shape.volumeMm3,
        shape.signal.outlierShare,
        shape.surfaceUniformity,
        ...(shape.histogram?.figures.texture ?? []),
      ];
      assert.ok(numbers.every(Number.isFinite), String(numbers));
    }
  });
});

describe("histogramFiguresOf", () => {
  const pulse = (bins: number[]) => {
    const counts = Array(128).fill(0);
    for (const bin of bins) counts[bin] = 100;
    return { bins: 128, binWidthMm: 37.5, counts: [counts] };
  };

  it("counts echoes that stand apart, not those that merge or lie at the edge", () => {
    const peaks = (bins: number[]) => histogramFiguresOf(pulse(bins), parameters.histogram).peakCount;
    assert.deepEqual([peaks([60]), peaks([40, 80]), peaks([60, 62]), peaks([127])], [[1], [2], [1], [0]]);
  });

  it("gives a single clean echo no texture, its whole area, and its bin", () => {
    const figures = histogramFiguresOf(pulse([60]), parameters.histogram);
    assert.ok((figures.texture[0] ?? 1) < 1e-8);
    assert.deepEqual([figures.density, figures.peakBin], [[100], [60]]);
  });

  it("takes the baseline of the first bins off", () => {
    const { counts, ...rest } = pulse([60]);
    const raised = { ...rest, counts: counts.map((zone) => zone.map((count: number) => count + 5)) };
    assert.deepEqual(
      histogramFiguresOf(raised, parameters.histogram),
      histogramFiguresOf({ ...rest, counts }, parameters.histogram),
    );
  });
});
