import assert from "node:assert/strict";
import fc from "fast-check";
import { cividis, paintHeights, resample, scaleMm } from "./colormap.ts";

describe("height map colours", () => {
  it("grow lighter all the way, so that higher never looks lower", () => {
    const lightness = Array.from({ length: 101 }, (_, i) => {
      const [r, g, b] = cividis(i / 100);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    for (let i = 1; i < lightness.length; i++) assert.ok((lightness[i] ?? 0) > (lightness[i - 1] ?? 0), `at ${i} %`);
  });
  it("end at the scale's ends", () => {
    assert.deepEqual(cividis(-1), cividis(0));
    assert.deepEqual(cividis(7), cividis(1));
  });
  it("keep the scale calm", () => {
    assert.deepEqual(scaleMm([], ""), { from: 0, to: 30 });
    assert.deepEqual(scaleMm([2, 12, 61], "011"), { from: 10, to: 70 });
    assert.deepEqual(scaleMm([38, 44], "11"), { from: 20, to: 50 });
    assert.deepEqual(scaleMm([3, 5], "00"), { from: 0, to: 30 });
  });
});

describe("resampling a grid", () => {
  const values = Array.from({ length: 64 }, (_, i) => (i * 37) % 64);
  it("passes through every value at the middle of its zone", () => {
    const fine = resample(values, 8, 8 * 9, "through");
    values.forEach((value, i) => {
      const [row, column] = [Math.floor(i / 8) * 9 + 4, (i % 8) * 9 + 4];
      assert.ok(Math.abs((fine[row * 72 + column] ?? 0) - value) < 1e-4);
    });
  });
  it("keeps a flat grid flat, and an outline within its values", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 400, noNaN: true }), (level) => {
        for (const style of ["through", "around"] as const) {
          for (const value of resample(Array(16).fill(level), 4, 20, style)) assert.ok(Math.abs(value - level) < 1e-3);
        }
      }),
      { numRuns: 30 },
    );
    for (const value of resample(values, 8, 64, "around")) assert.ok(value >= -1e-4 && value <= 63.001);
  });
});

describe("the picture of a height map", () => {
  const scale = { from: 20, to: 50 };
  const paint = (heightMm: number[], occupied: string) => paintHeights(heightMm, occupied, 8, 64, scale, 214);

  it("has each zone's middle in its height's colour where the product is", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 80, noNaN: true }), { minLength: 64, maxLength: 64 }),
        (heightMm) => {
          const picture = paintHeights(heightMm, "1".repeat(64), 8, 8 * 9, scale, 214);
          heightMm.forEach((mm, zone) => {
            const at = 4 * ((Math.floor(zone / 8) * 9 + 4) * 72 + (zone % 8) * 9 + 4);
            cividis((mm - scale.from) / (scale.to - scale.from)).forEach((value, i) => {
              assert.ok(
                Math.abs((picture[at + i] ?? 0) - value) <= 1.5,
                `zone ${zone}: ${picture[at + i]} for ${value}`,
              );
            });
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is grey and opaque where it is not", () => {
    const picture = paint(Array(64).fill(35), "0".repeat(64));
    assert.equal(picture.length, 4 * 64 * 64);
    assert.deepEqual(new Set(picture.filter((_, i) => i % 4 === 3)), new Set([255]));
    for (let i = 0; i < picture.length; i += 4)
      assert.ok(picture[i] === picture[i + 1] && picture[i] === picture[i + 2]);
    assert.ok(Math.abs((picture[0] ?? 0) - 214) < 20);
  });
});
