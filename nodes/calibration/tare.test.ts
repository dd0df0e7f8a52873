import assert from "node:assert/strict";
import fc from "fast-check";
import type { TofFrame } from "../sample/sample.ts";
import { fitPlane, planeDistances, zoneTangents } from "./plane.ts";
import { tareOf } from "./tare.ts";

const DEGREE = Math.PI / 180;
const side8or4 = fc.constantFrom(4 as const, 8 as const);
const tilt = fc.double({ min: -5, max: 5, noNaN: true });
const height = fc.double({ min: 80, max: 900, noNaN: true });

/** Noise of a normal distribution, from a seed: the same in every run. */
function gaussian(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function frameOf(side: 4 | 8, distanceMm: number[], change: Partial<TofFrame> = {}): TofFrame {
  const all = (value: number) => distanceMm.map(() => value);
  return {
    side,
    distanceMm,
    reflectancePercent: all(12),
    signal: all(100),
    ambient: all(1),
    signalUnit: "kcps/SPAD",
    status: all(5),
    validStatuses: [5, 9],
    ...change,
  };
}

/** Distances to a belt at `heightMm` under the axis, tilted by angles about both axes, by intersecting rays. */
function beltAt(side: 4 | 8, heightMm: number, tiltXDeg: number, tiltYDeg: number, fov = 45): number[] {
  const edge = Math.tan((fov / 2) * DEGREE);
  const at = (index: number) => ((index + 0.5) / side) * 2 * edge - edge;
  const [a, b] = [Math.tan(tiltXDeg * DEGREE), Math.tan(tiltYDeg * DEGREE)];
  return Array.from(
    { length: side * side },
    // The point z·(tx, ty, 1) on z = h + a·x + b·y.
    (_, index) => heightMm / (1 - a * at(index % side) - b * at(Math.floor(index / side))),
  );
}

describe("the belt's plane", () => {
  it("is found exactly, whatever the height, tilt and grid", () => {
    fc.assert(
      fc.property(side8or4, height, tilt, tilt, (side, heightMm, tiltX, tiltY) => {
        const plane = fitPlane(beltAt(side, heightMm, tiltX, tiltY), side, 45);
        assert.ok(Math.abs(plane.heightMm - heightMm) < 1e-6 * heightMm);
        assert.ok(Math.abs(Math.atan(plane.slopeX) / DEGREE - tiltX) < 1e-6);
        assert.ok(Math.abs(Math.atan(plane.slopeY) / DEGREE - tiltY) < 1e-6);
      }),
    );
  });

  it("gives back the distances it was made of", () => {
    const distances = beltAt(8, 300, 2, -3);
    const again = planeDistances(fitPlane(distances, 8, 45), 8, 45);
    for (const [index, mm] of distances.entries()) assert.ok(Math.abs(mm - (again[index] ?? 0)) < 1e-9);
  });

  it("splits the view evenly on the belt: 0.1036 d per zone of an 8x8 grid at 45°", () => {
    const tangents = zoneTangents(8, 45);
    assert.ok(Math.abs((tangents[1] ?? 0) - (tangents[0] ?? 0) - 0.10355) < 1e-5);
    assert.ok(Math.abs((tangents[0] ?? 0) + (tangents[7] ?? 0)) < 1e-12);
  });

  it("is refused from zones in one row", () => {
    assert.throws(() => fitPlane(beltAt(8, 300, 0, 0), 8, 45, (index) => index < 8), { code: "plane-undetermined" });
  });
});

describe("a tare", () => {
  const noisy = (distances: number[], count: number, sigmaMm: number, seed: number) => {
    const noise = gaussian(seed);
    return Array.from({ length: count }, () =>
      frameOf(
        8,
        distances.map((mm) => mm + sigmaMm * noise()),
      ),
    );
  };

  it("finds the height within 0.6 mm, and the tilt, from 60 noisy, rounded frames", () => {
    fc.assert(
      fc.property(
        height,
        tilt,
        tilt,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.nat(),
        (heightMm, tiltX, tiltY, sigma, seed) => {
          const frames = noisy(beltAt(8, heightMm, tiltX, tiltY), 60, sigma, seed).map((frame) =>
            frameOf(8, frame.distanceMm.map(Math.round)),
          );
          const { tof, findings } = tareOf(frames, 45);
          assert.ok(tof);
          assert.deepEqual(
            findings.filter(({ severity }) => severity === "error"),
            [],
          );
          assert.ok(Math.abs(tof.sensorHeightMm - heightMm) < 0.6, `${tof.sensorHeightMm} for ${heightMm}`);
          // Half a millimetre of rounding at either end of the view, all of one sign where the readings have no noise.
          const spanMm = 2 * heightMm * Math.tan((22.5 * Math.PI) / 180) * (7 / 8);
          const toleranceDeg = 0.1 + (Math.atan(1 / spanMm) * 180) / Math.PI;
          assert.ok(Math.abs(tof.tiltXDeg - tiltX) < toleranceDeg, `${tof.tiltXDeg} for ${tiltX}`);
          assert.ok(Math.abs(tof.tiltYDeg - tiltY) < toleranceDeg, `${tof.tiltYDeg} for ${tiltY}`);
          assert.equal(tof.beltDistanceMm.length, 64);
          assert.equal(tof.frames, 60);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("states the spread it saw", () => {
    const { tof } = tareOf(noisy(beltAt(8, 300, 0, 0), 200, 2, 7), 45);
    const sigmas = tof?.beltSigmaMm ?? [];
    const middle = sigmas.toSorted((a, b) => a - b)[32] ?? 0;
    assert.ok(middle > 1.7 && middle < 2.2, String(middle));
  });

  it("never states a spread of nothing: equal readings are rounded ones", () => {
    const { tof } = tareOf(
      Array.from({ length: 20 }, () => frameOf(8, beltAt(8, 300, 0, 0).map(Math.round))),
      45,
    );
    assert.ok(tof?.beltSigmaMm.every((mm) => mm > 0.28 && mm < 0.3));
  });

  it("is not moved by a few wild readings", () => {
    const frames = noisy(beltAt(8, 300, 1, 1), 40, 1, 3);
    for (const frame of frames.slice(0, 4)) frame.distanceMm = frame.distanceMm.map(() => 120);
    const { tof, findings } = tareOf(frames, 45);
    assert.deepEqual(findings, []);
    assert.ok(Math.abs((tof?.sensorHeightMm ?? 0) - 300) < 0.5);
  });

  it("sees a thing left on the belt, wherever it lies, and is not lifted by it", () => {
    fc.assert(
      fc.property(fc.nat(5), fc.nat(5), fc.integer({ min: 15, max: 80 }), fc.nat(), (row, column, highMm, seed) => {
        const distances = beltAt(8, 300, 2, -2).map((mm, index) => {
          const [r, c] = [Math.floor(index / 8), index % 8];
          return r >= row && r < row + 3 && c >= column && c < column + 3 ? mm - highMm : mm;
        });
        const { findings, tof } = tareOf(noisy(distances, 30, 1, seed), 45);
        const found = findings.find(({ code }) => code === "belt-not-empty");
        assert.ok(found, JSON.stringify(findings));
        assert.equal(found.values.zones, 9);
        assert.ok(Math.abs((tof?.sensorHeightMm ?? 0) - 300) < 1);
      }),
    );
  });

  const flat = () => noisy(beltAt(8, 300, 0, 0), 30, 0.5, 1);
  const codes = (frames: TofFrame[], previous?: Parameters<typeof tareOf>[2]) =>
    tareOf(frames, 45, previous).findings.map(({ code, severity }) => `${severity} ${code}`);

  it("says what is wrong", () => {
    assert.deepEqual(codes([]), ["error no-frames"]);
    assert.deepEqual(codes(flat()), []);
    const blind = flat();
    for (const frame of blind) frame.status = frame.status.map((_, index) => (index === 9 ? 255 : 5));
    assert.deepEqual(codes(blind), ["error zones-invalid"]);
    assert.equal(tareOf(blind, 45).tof, undefined);
    const weak = flat();
    for (const frame of weak.slice(0, 10)) frame.status = frame.status.map(() => 4);
    assert.deepEqual(codes(weak), ["error zones-invalid"]);
    const gap = flat();
    for (const frame of gap) frame.distanceMm = frame.distanceMm.map((mm, index) => (index < 4 ? mm + 60 : mm));
    assert.deepEqual(codes(gap), ["error belt-not-flat"]);
    assert.deepEqual(codes([...flat(), frameOf(4, beltAt(4, 300, 0, 0))]), ["error mixed-resolution"]);
    assert.deepEqual(codes(noisy(beltAt(8, 300, 0, 0), 30, 9, 1)), ["error belt-unsteady"]);
    assert.deepEqual(codes(noisy(beltAt(8, 300, 14, 0), 30, 0.5, 1)), ["error tilt-implausible"]);
    assert.deepEqual(codes(noisy(beltAt(8, 1300, 0, 0), 30, 0.5, 1)), ["error height-implausible"]);
    assert.deepEqual(codes(noisy(beltAt(8, 100, 0, 0), 30, 0.5, 1)), ["warning view-too-small"]);
    assert.deepEqual(codes(flat(), tareOf(noisy(beltAt(8, 320, 0, 0), 30, 0.5, 1), 45).tof), [
      "warning height-changed",
    ]);
  });
});
