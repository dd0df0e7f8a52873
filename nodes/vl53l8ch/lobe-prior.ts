import { CAP_PARAMETERS, type LobeField } from "./lobe-field.ts";
import { EXPECTED, FORM_FROM } from "./lobes.ts";
import type { NormalEquations } from "./normal-equations.ts";

/** Spread of p, q and the fold's rounding (mm): while the fit is still far off, and then. */
const TIGHT = [0.05, 0.08, 1];
const LOOSE = [0.3, 0.5, 4];
/** Spread of the factor and of its second differences. */
const FACTOR_SHARE = 0.03;
const BEND_SHARE = 0.03;

/** ln of a cap's radius in mm, and its spread; spread of its depth, mm. */
const CAP_RADIUS = [Math.log(19), 0.25] as const;
const CAP_DEPTH_MM = 10;

/** Adds what is expected of lobes, cap and factor to the equations; returns its cost. */
export function addPrior(field: LobeField, capFrom: number, hasFactor: boolean, equations: NormalEquations): number {
  let cost = 0;
  const expect = (index: readonly number[], stencil: readonly number[], off: number, spread: number) => {
    const precision = 1 / spread ** 2;
    equations.add(index, stencil, stencil.length, off, precision);
    cost += (precision * off * off) / 2;
  };
  const spreads = hasFactor ? LOOSE : TIGHT;
  EXPECTED.forEach((expected, k) => {
    expect([FORM_FROM + k], [1], expected - (field.lobes[FORM_FROM + k] ?? 0), spreads[k] ?? 1);
  });
  const { nx, ny, factor, cap } = field;
  const factorFrom = capFrom + CAP_PARAMETERS;
  if (cap) {
    expect([capFrom], [1], -cap.depthMm, CAP_DEPTH_MM);
    expect([capFrom + 3], [1], CAP_RADIUS[0] - Math.log(cap.radiusMm), CAP_RADIUS[1]);
  }
  if (!hasFactor) return cost;
  const bend = (at: number, stride: number) => {
    const index = [at, at + stride, at + 2 * stride];
    const value = (factor[index[0] ?? 0] ?? 0) - 2 * (factor[index[1] ?? 0] ?? 0) + (factor[index[2] ?? 0] ?? 0);
    expect(
      index.map((i) => factorFrom + i),
      [1, -2, 1],
      -value,
      BEND_SHARE,
    );
  };
  for (let j = 0; j < ny; j += 1)
    for (let i = 0; i < nx; i += 1) {
      const at = j * nx + i;
      expect([factorFrom + at], [1], -(factor[at] ?? 0), FACTOR_SHARE);
      if (i + 2 < nx) bend(at, 1);
      if (j + 2 < ny) bend(at, nx);
    }
  return cost;
}
