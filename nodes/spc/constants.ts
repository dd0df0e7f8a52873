/**
 * Constants of control charts for normal values. Sources: ASTM MNL 7 "Manual on Presentation of Data and Control Chart
 * Analysis", table of factors; the same in Montgomery, "Introduction to Statistical Quality Control", appendix VI.
 */

/** Subgroup sizes that the constants cover. */
export const LEAST_SIZE = 2;
export const MOST_SIZE = 25;

/** d2: mean of the range of n values, in sigmas, from n = 2. */
const D2 = [
  1.128, 1.693, 2.059, 2.326, 2.534, 2.704, 2.847, 2.97, 3.078, 3.173, 3.258, 3.336, 3.407, 3.472, 3.532, 3.588, 3.64,
  3.689, 3.735, 3.778, 3.819, 3.858, 3.895, 3.931,
] as const;

/** d3: standard deviation of the range of n values, in sigmas, from n = 2. */
const D3 = [
  0.853, 0.888, 0.88, 0.864, 0.848, 0.833, 0.82, 0.808, 0.797, 0.787, 0.778, 0.77, 0.763, 0.756, 0.75, 0.744, 0.739,
  0.734, 0.729, 0.724, 0.72, 0.716, 0.712, 0.708,
] as const;

/** @throws RangeError for a size the constants do not cover */
function at(table: readonly number[], size: number): number {
  const value = table[size - LEAST_SIZE];
  if (value === undefined) throw new RangeError(`a subgroup has ${LEAST_SIZE} to ${MOST_SIZE} values, not ${size}`);
  return value;
}

/** Mean range of `size` values over sigma. */
export const d2 = (size: number): number => at(D2, size);
/** Standard deviation of the range of `size` values over sigma. */
export const d3 = (size: number): number => at(D3, size);

/**
 * Mean sample standard deviation (dividing by n − 1) of `size` values over sigma:
 * c4(n) = √(2 / (n − 1)) · Γ(n / 2) / Γ((n − 1) / 2).
 */
export function c4(size: number): number {
  at(D2, size);
  // g(n) = Γ(n / 2) / Γ((n − 1) / 2): g(2) = 1 / √π, and g(n + 1) = ((n − 1) / 2) / g(n).
  let ratio = 1 / Math.sqrt(Math.PI);
  for (let n = 2; n < size; n += 1) ratio = (n - 1) / 2 / ratio;
  return Math.sqrt(2 / (size - 1)) * ratio;
}
