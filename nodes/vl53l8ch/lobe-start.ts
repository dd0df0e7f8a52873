import type { HeightField } from "./height-field.ts";
import { bounded, EXPECTED, FORM_FROM, type Grid, LOBE_PARAMETERS, type LobeParameters, lobesInto } from "./lobes.ts";
import { NormalEquations } from "./normal-equations.ts";
import { factorise, substitute } from "./solve.ts";

/** Every so many cells of the field's raster. */
const STRIDE = 3;
const ROUNDS = 12;
/** Standard deviation of the field against lobes, mm. */
const SIGMA_MM = 2;
/** Spread of p, q and the fold's rounding: the field rounds flanks and folds, and does not tell them. */
const FORM_SPREAD = [0.02, 0.03, 0.2];

/** Two lobes near a free-form field: least squares on its heights from several starts, the best first. */
export function startLobes(field: HeightField): LobeParameters[] {
  const grid = {
    x0: field.x0,
    y0: field.y0,
    width: Math.floor((field.width - 1) / STRIDE) + 1,
    height: Math.floor((field.height - 1) / STRIDE) + 1,
    cellMm: field.cellMm * STRIDE,
  };
  const target = new Float64Array(grid.width * grid.height);
  for (let j = 0; j < grid.height; j += 1)
    for (let i = 0; i < grid.width; i += 1)
      target[j * grid.width + i] = field.raster.values[j * STRIDE * field.width + i * STRIDE] ?? 0;
  const moments = momentsOf(target, grid);
  if (!moments) return [];
  const fitted: { parameters: LobeParameters; cost: number }[] = [];
  for (const side of [1, -1])
    for (const end of [1, -1]) {
      const one = refine(guess(moments, side, end), target, grid);
      if (one && fitted.every(({ cost }) => Math.abs(cost - one.cost) > 0.02 * cost)) fitted.push(one);
    }
  return fitted.toSorted((a, b) => a.cost - b.cost).map(({ parameters }) => parameters);
}

interface Moments {
  x: number;
  y: number;
  angle: number;
  long: number;
  short: number;
  top: number;
}

function momentsOf(target: Float64Array, grid: Grid): Moments | undefined {
  let [n, sx, sy, sxx, sxy, syy, top] = [0, 0, 0, 0, 0, 0, 0];
  target.forEach((height, k) => {
    if (height < 5) return;
    const x = grid.x0 + (k % grid.width) * grid.cellMm;
    const y = grid.y0 + Math.floor(k / grid.width) * grid.cellMm;
    n += 1;
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
    syy += y * y;
    top = Math.max(top, height);
  });
  if (n < 12) return undefined;
  const [x, y] = [sx / n, sy / n];
  const [xx, xy, yy] = [sxx / n - x * x, sxy / n - x * y, syy / n - y * y];
  const half = Math.hypot((xx - yy) / 2, xy);
  return {
    x,
    y,
    angle: Math.atan2(2 * xy, xx - yy) / 2,
    // The semi-axes of a uniform ellipse are twice its standard deviations.
    long: 2 * Math.sqrt((xx + yy) / 2 + half),
    short: 2 * Math.sqrt(Math.max(1, (xx + yy) / 2 - half)),
    top,
  };
}

/** A long lobe on one side and a shorter one on the other, towards one end. */
function guess(m: Moments, side: number, end: number): LobeParameters {
  const [c, s] = [Math.cos(m.angle), Math.sin(m.angle)];
  const at = (u: number, v: number): [number, number] => [m.x + u * c - v * s, m.y + u * s + v * c];
  return Float64Array.from([
    ...at(0, -0.25 * side * m.short),
    Math.log(m.long),
    Math.log(0.75 * m.short),
    m.top,
    m.angle,
    ...at(0.12 * end * m.long, 0.5 * side * m.short),
    Math.log(0.62 * m.long),
    Math.log(0.45 * m.short),
    0.8 * m.top,
    m.angle,
    ...EXPECTED,
  ]);
}

/** Levenberg and Marquardt on the heights of a grid. */
function refine(start: LobeParameters, target: Float64Array, grid: Grid) {
  const n = LOBE_PARAMETERS;
  const size = target.length;
  let parameters = bounded(start);
  const rendered = new Float64Array(size);
  const slopes = new Float64Array(n * size);
  const equations = new NormalEquations(n);
  const formOff = (at: LobeParameters) => EXPECTED.map((expected, k) => expected - (at[FORM_FROM + k] ?? 0));
  const costOf = (at: LobeParameters) => {
    lobesInto(at, grid, rendered);
    let cost = 0;
    for (let k = 0; k < size; k += 1) cost += (((target[k] ?? 0) - (rendered[k] ?? 0)) / SIGMA_MM) ** 2;
    formOff(at).forEach((off, k) => {
      cost += (off / (FORM_SPREAD[k] ?? 1)) ** 2;
    });
    return cost;
  };
  const all = Int32Array.from({ length: n }, (_, i) => i);
  let cost = costOf(parameters);
  let damping = 0.01;
  for (let round = 0; round < ROUNDS; round += 1) {
    lobesInto(parameters, grid, rendered, slopes);
    equations.clear();
    for (let k = 0; k < size; k += 1)
      if ((rendered[k] ?? 0) > 0)
        equations.add(
          all,
          slopes.subarray(k * n, (k + 1) * n),
          n,
          (target[k] ?? 0) - (rendered[k] ?? 0),
          1 / SIGMA_MM ** 2,
        );
    formOff(parameters).forEach((off, k) => {
      equations.add([FORM_FROM + k], [1], 1, off, 1 / (FORM_SPREAD[k] ?? 1) ** 2);
    });
    let gained = 0;
    for (let trial = 0; trial < 4 && gained === 0; trial += 1) {
      const damped = equations.damped(damping);
      if (!factorise(damped, n)) return undefined;
      const step = substitute(damped, n, equations.right);
      const next = bounded(parameters.map((value, i) => value + (step[i] ?? 0)));
      const nextCost = costOf(next);
      if (nextCost < cost) {
        gained = cost - nextCost;
        parameters = next;
        cost = nextCost;
        damping = Math.max(1e-4, damping / 5);
      } else damping *= 6;
    }
    if (gained < 1e-3 * cost) break;
  }
  return { parameters, cost };
}
