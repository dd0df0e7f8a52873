import assert from "node:assert/strict";
import { LOBE_PARAMETERS, lobesInto } from "./lobes.ts";
import { NormalEquations } from "./normal-equations.ts";
import { factorise, substitute } from "./solve.ts";

const GRID = { x0: -60, y0: -40, width: 12, height: 9, cellMm: 11 };
const SIZE = GRID.width * GRID.height;
const LOBES = Float64Array.from([3, -5, 4.5, 3.9, 47, 0.3, 10, 30, 4.2, 3.8, 40, 0.5, 2.2, 3, 6]);

describe("lobes", () => {
  it("stand as high as their formula says, joined by a rounded fold", () => {
    const heights = new Float64Array(1);
    const at = (x: number, y: number) => {
      lobesInto(LOBES, { x0: x, y0: y, width: 1, height: 1, cellMm: 1 }, heights);
      return heights[0] ?? Number.NaN;
    };
    assert.ok(Math.abs(at(3, -5) - 47) < 1e-4);
    const u = 20 / Math.exp(4.5);
    const [x, y] = [3 - 20 * Math.cos(0.3), -5 - 20 * Math.sin(0.3)];
    assert.ok(Math.abs(at(x, y) - 47 * Math.cbrt(1 - u ** 2.2)) < 1e-4);
    assert.equal(at(3, 200), 0);
  });

  it("have the derivatives that differences show", () => {
    const before = new Float64Array(SIZE);
    const after = new Float64Array(SIZE);
    const slopes = new Float64Array(SIZE * LOBE_PARAMETERS);
    lobesInto(LOBES, GRID, before, slopes);
    for (let p = 0; p < LOBE_PARAMETERS; p += 1) {
      const moved = LOBES.slice();
      moved[p] = (moved[p] ?? 0) + 1e-5;
      lobesInto(moved, GRID, after);
      let seen = 0;
      for (let k = 0; k < SIZE; k += 1) {
        // Near the outline the root's slope is held down on purpose.
        if ((before[k] ?? 0) < 18) continue;
        const slope = slopes[k * LOBE_PARAMETERS + p] ?? Number.NaN;
        const difference = ((after[k] ?? 0) - (before[k] ?? 0)) / 1e-5;
        assert.ok(Math.abs(slope - difference) < 0.02, `parameter ${p}: ${slope} against ${difference}`);
        seen += Math.abs(slope);
      }
      assert.ok(seen > 0, `parameter ${p} acts on nothing`);
    }
  });
});

describe("normal equations", () => {
  it("hold a weighted straight line, whatever the order of the parameters", () => {
    const equations = new NormalEquations(2);
    for (const [x, y, precision] of [
      [0, 1, 1],
      [1, 3, 1],
      [2, 5, 4],
      [3, 70, 0],
    ] as const)
      equations.add(x === 1 ? [1, 0] : [0, 1], x === 1 ? [x, 1] : [1, x], 2, y, precision);
    const matrix = equations.damped(0);
    assert.ok(factorise(matrix, 2));
    const [offset = 0, slope = 0] = substitute(matrix, 2, equations.right);
    assert.ok(Math.abs(offset - 1) < 1e-6 && Math.abs(slope - 2) < 1e-6, `${offset} ${slope}`);
  });
});
