export interface EwmaPoint {
  value: number;
  lower: number;
  upper: number;
}

/** Usual choice: with both, a stable process gives a false signal every 500 points (Lucas and Saccucci, Technometrics 32, 1990). */
export const EWMA_DEFAULTS = { lambda: 0.2, width: 2.962 } as const;

/**
 * Exponentially weighted moving average z(i) = λ·x(i) + (1 − λ)·z(i − 1), z(0) = center, with its exact limits
 * center ± L·σ·√(λ / (2 − λ) · (1 − (1 − λ)^(2i))). Roberts 1959; Montgomery, section 9.2.
 * @param points in the order of time
 * @param sigma of the points
 * @param lambda weight of the newest point, above 0 and at most 1
 * @param width L, in sigmas
 */
export function ewma(
  points: readonly number[],
  { center, sigma, lambda, width }: { center: number; sigma: number; lambda: number; width: number },
): EwmaPoint[] {
  let value = center;
  let remaining = 1;
  return points.map((point) => {
    value = lambda * point + (1 - lambda) * value;
    remaining *= (1 - lambda) ** 2;
    const reach = width * sigma * Math.sqrt((lambda / (2 - lambda)) * (1 - remaining));
    return { value, lower: center - reach, upper: center + reach };
  });
}
