import type { LobeField } from "./lobe-field.ts";
import { EXPECTED, FORM_FROM } from "./lobes.ts";
import type { NormalEquations } from "./normal-equations.ts";

/** Spread of p, q and the fold's rounding (mm): while the fit is still far off, and then. */
const TIGHT = [0.05, 0.08, 1];
const LOOSE = [0.3, 0.5, 4];
/** Spread of the factor and of its second differences. */
const FACTOR_SHARE = 0.03;
const BEND_SHARE = 0.03;
/** While the fit is far off, lobes come before the factor: its spreads times this. */
const TIGHT_FACTOR = 0.15;

/** Adds what is expected of lobes and factor to the equations; returns its cost. */
export function addPrior(field: LobeField, factorFrom: number, isTight: boolean, equations: NormalEquations): number {
  let cost = 0;
  const expect = (index: readonly number[], stencil: readonly number[], off: number, spread: number) => {
    const precision = 1 / spread ** 2;
    equations.add(index, stencil, stencil.length, off, precision);
    cost += (precision * off * off) / 2;
  };
  const spreads = isTight ? TIGHT : LOOSE;
  const freedom = isTight ? TIGHT_FACTOR : 1;
  EXPECTED.forEach((expected, k) => {
    expect([FORM_FROM + k], [1], expected - (field.lobes[FORM_FROM + k] ?? 0), spreads[k] ?? 1);
  });
  const { nx, ny, factor } = field;
  const bend = (at: number, stride: number) => {
    const index = [at, at + stride, at + 2 * stride];
    const value = (factor[index[0] ?? 0] ?? 0) - 2 * (factor[index[1] ?? 0] ?? 0) + (factor[index[2] ?? 0] ?? 0);
    expect(
      index.map((i) => factorFrom + i),
      [1, -2, 1],
      -value,
      BEND_SHARE * freedom,
    );
  };
  for (let j = 0; j < ny; j += 1)
    for (let i = 0; i < nx; i += 1) {
      const at = j * nx + i;
      expect([factorFrom + at], [1], -(factor[at] ?? 0), FACTOR_SHARE * freedom);
      if (i + 2 < nx) bend(at, 1);
      if (j + 2 < ny) bend(at, nx);
    }
  return cost;
}
