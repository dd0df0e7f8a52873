/** Arithmetic mean; 0 for no values. */
export function mean(values: ArrayLike<number>): number {
  if (values.length === 0) return 0;
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] ?? 0;
  return sum / values.length;
}

/** Population standard deviation (divides by n); 0 for no values. */
export function populationStd(values: ArrayLike<number>): number {
  if (values.length === 0) return 0;
  const centre = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += ((values[index] ?? 0) - centre) ** 2;
  return Math.sqrt(sum / values.length);
}

/**
 * Percentile with linear interpolation between closest ranks (numpy's default).
 * @param percent 0…100
 * @returns undefined for no values
 */
export function percentile(values: ArrayLike<number>, percent: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = new Float64Array(values).sort();
  const rank = (percent / 100) * (sorted.length - 1);
  const below = Math.floor(rank);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low;
  return low + (high - low) * (rank - below);
}

/** Median; undefined for no values. */
export function median(values: ArrayLike<number>): number | undefined {
  return percentile(values, 50);
}

/** `value` held within [low, high]. */
export function clip(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Rounds to `digits` decimals, exact ties to the even neighbour (Python's `round`). */
export function roundHalfEven(value: number, digits = 0): number {
  const scaled = value * 10 ** digits;
  // Only a multiple of 2^-(digits+1) can lie exactly between two decimals of that many digits.
  const isTie = Math.abs(scaled % 1) === 0.5 && Number.isInteger(value * 2 ** (digits + 1));
  if (!isTie) return Number(value.toFixed(digits));
  const floor = Math.floor(scaled);
  return (floor % 2 === 0 ? floor : floor + 1) / 10 ** digits;
}
