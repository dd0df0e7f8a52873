import { splineWeights } from "./spline.ts";

/** Volumes under a height map, mm³, by four rules. */
export interface Volumes {
  /** Every zone a box. */
  simpleMm3: number;
  /** Mean of the four corners over the (side−1)² cells between zone centres. */
  trapezoidalMm3: number;
  /** Composite Simpson rule on a (side+1)² resample of the bicubic spline between the outer zone centres. */
  simpsonMm3: number;
  /** Integral of that spline, in closed form. */
  splineMm3: number;
}

interface Rules {
  trapezoid: Float64Array;
  simpson: Float64Array;
  spline: Float64Array;
}

/** @param heightMm row-major, `side * side` */
export function volumesOf(heightMm: ArrayLike<number>, side: 4 | 8, zoneSideMm: number): Volumes {
  const rules = side === 8 ? RULES_8 : RULES_4;
  const zoneMm2 = zoneSideMm * zoneSideMm;
  let simple = 0;
  for (let zone = 0; zone < heightMm.length; zone += 1) simple += heightMm[zone] ?? 0;
  return {
    simpleMm3: simple * zoneMm2,
    trapezoidalMm3: integrate(heightMm, side, rules.trapezoid) * zoneMm2,
    simpsonMm3: integrate(heightMm, side, rules.simpson) * zoneMm2,
    splineMm3: integrate(heightMm, side, rules.spline) * zoneMm2,
  };
}

// Every rule is linear in the heights and the same in both directions, so that each is one fixed weight per row and column.
const RULES_4 = rulesFor(4);
const RULES_8 = rulesFor(8);

function rulesFor(side: number): Rules {
  const spline = splineWeights(side);
  const samples = side + 1;
  const step = (side - 1) / (samples - 1);
  const simpson = new Float64Array(side);
  for (let sample = 0; sample < samples; sample += 1) {
    const isEnd = sample === 0 || sample === samples - 1;
    const weight = ((isEnd ? 1 : sample % 2 === 1 ? 4 : 2) * step) / 3;
    spline.at(sample * step).forEach((value, i) => {
      simpson[i] = (simpson[i] ?? 0) + weight * value;
    });
  }
  const trapezoid = new Float64Array(side).fill(1);
  trapezoid[0] = 0.5;
  trapezoid[side - 1] = 0.5;
  return { trapezoid, simpson, spline: spline.integral };
}

function integrate(heightMm: ArrayLike<number>, side: number, weights: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < side; row += 1) {
    let rowSum = 0;
    for (let column = 0; column < side; column += 1) {
      rowSum += (weights[column] ?? 0) * (heightMm[row * side + column] ?? 0);
    }
    sum += (weights[row] ?? 0) * rowSum;
  }
  return sum;
}
