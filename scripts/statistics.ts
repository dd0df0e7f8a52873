const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Pearson's correlation; null for fewer than three pairs or no variation. */
export function correlation(x: readonly number[], y: readonly number[]): number | null {
  if (x.length < 3) return null;
  const mx = mean(x);
  const my = mean(y);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [i, value] of x.entries()) {
    const dx = value - mx;
    const dy = (y[i] ?? 0) - my;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

/** Ranks from 1, ties shared. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const result = new Array<number>(values.length).fill(0);
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end + 1 < order.length && order[end + 1]?.value === order[i]?.value) end += 1;
    for (let j = i; j <= end; j++) result[order[j]?.index ?? 0] = (i + end) / 2 + 1;
    i = end + 1;
  }
  return result;
}

/** The value below which a share of them lies, between the two nearest; NaN of nothing. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * share;
  const low = Math.floor(at);
  const a = sorted[low] ?? Number.NaN;
  return a + ((sorted[low + 1] ?? a) - a) * (at - low);
}

/** How errors lie. */
export interface Spread {
  mean: number;
  p10: number;
  p50: number;
  p90: number;
  meanAbsolute: number;
}

/** @returns null of nothing */
export function spreadOf(errors: readonly number[]): Spread | null {
  if (errors.length === 0) return null;
  return {
    mean: mean(errors),
    p10: quantile(errors, 0.1),
    p50: quantile(errors, 0.5),
    p90: quantile(errors, 0.9),
    meanAbsolute: mean(errors.map(Math.abs)),
  };
}
