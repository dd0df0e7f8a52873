import type { ShapeAnalysis } from "../sample/sample.ts";
import { mean, populationStd } from "../sample/statistics.ts";
import type { SqalShapeParameters } from "./parameters.ts";

/** 1 for a plane, falling towards 0 with the mean slope in mm per zone: 1 / (1 + mean‖∇D‖). */
export function surfaceUniformityOf(distanceMm: readonly number[], side: number): number {
  const slopes = new Float64Array(side * side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const down = slopeOf(distanceMm, column, side, row, side);
      const across = slopeOf(distanceMm, row * side, 1, column, side);
      slopes[row * side + column] = Math.sqrt(down * down + across * across);
    }
  }
  return 1 / (1 + mean(slopes));
}

/**
 * Slope at one place of a row or column: central differences inside, one-sided ones at the edges.
 * @param first where the row or column begins
 * @param step from one of its zones to the next
 */
function slopeOf(distanceMm: readonly number[], first: number, step: number, place: number, side: number): number {
  const before = Math.max(0, place - 1);
  const after = Math.min(side - 1, place + 1);
  return ((distanceMm[first + after * step] ?? 0) - (distanceMm[first + before * step] ?? 0)) / (after - before);
}

/** Mean and spread of the reflectance, the shares outside [low, high] and the 3×3 windows that vary too much. */
export function reflectanceOf(
  percent: readonly number[],
  side: number,
  parameters: SqalShapeParameters["reflectance"],
): ShapeAnalysis["reflectance"] {
  let anomalousWindows = 0;
  const window = new Float64Array(9);
  for (let row = 1; row < side - 1; row += 1) {
    for (let column = 1; column < side - 1; column += 1) {
      for (let cell = 0; cell < 9; cell += 1)
        window[cell] = percent[(row - 1 + Math.floor(cell / 3)) * side + column - 1 + (cell % 3)] ?? 0;
      if (populationStd(window) > parameters.windowStd) anomalousWindows += 1;
    }
  }
  return {
    mean: mean(percent),
    std: populationStd(percent),
    lowShare: shareOf(percent, (value) => value < parameters.lowPercent),
    highShare: shareOf(percent, (value) => value > parameters.highPercent),
    anomalousWindows,
  };
}

/** Mean and spread of the return signal, the share of outliers, and whether few enough are. */
export function signalOf(
  signal: readonly number[],
  parameters: SqalShapeParameters["signal"],
): ShapeAnalysis["signal"] {
  const centre = mean(signal);
  const std = populationStd(signal);
  const outlierShare = std > 0 ? shareOf(signal, (value) => Math.abs(value - centre) / std > parameters.outlierZ) : 0;
  return { mean: centre, std, outlierShare, consistent: outlierShare < 1 - parameters.consistency };
}

function shareOf(values: readonly number[], test: (value: number) => boolean): number {
  let count = 0;
  for (const value of values) if (test(value)) count += 1;
  return values.length === 0 ? 0 : count / values.length;
}
