import type { ShapeAnalysis } from "../sample/sample.ts";
import { mean, populationStd } from "../sample/statistics.ts";
import type { SqalShapeParameters } from "./parameters.ts";

/** 1 for a plane, falling towards 0 with the mean slope in mm per zone: 1 / (1 + mean‖∇D‖). */
export function surfaceUniformityOf(distanceMm: readonly number[], side: number): number {
  const at = (row: number, column: number) => distanceMm[row * side + column] ?? 0;
  // Central differences inside, one-sided ones at the edges.
  const slope = (value: (index: number) => number, index: number) => {
    const before = Math.max(0, index - 1);
    const after = Math.min(side - 1, index + 1);
    return (value(after) - value(before)) / (after - before);
  };
  const slopes: number[] = [];
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) {
      const down = slope((index) => at(index, column), row);
      const across = slope((index) => at(row, index), column);
      slopes.push(Math.sqrt(down * down + across * across));
    }
  }
  return 1 / (1 + mean(slopes));
}

/** Mean and spread of the reflectance, the shares outside [low, high] and the 3×3 windows that vary too much. */
export function reflectanceOf(
  percent: readonly number[],
  side: number,
  parameters: SqalShapeParameters["reflectance"],
): ShapeAnalysis["reflectance"] {
  let anomalousWindows = 0;
  for (let row = 1; row < side - 1; row += 1) {
    for (let column = 1; column < side - 1; column += 1) {
      const window: number[] = [];
      for (let r = row - 1; r <= row + 1; r += 1)
        window.push(...percent.slice(r * side + column - 1, r * side + column + 2));
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
  return values.length === 0 ? 0 : values.filter(test).length / values.length;
}
