/** Pairs of terms of the continued fraction: enough for 12 digits with some 100 000 degrees of freedom. */
const DEPTH = 300;

/**
 * Quantile of Student's t distribution, by bisection on its exact distribution.
 * @param probability between 0 and 1
 * @param freedom degrees of freedom, 1 or more
 */
export function studentQuantile(probability: number, freedom: number): number {
  if (!(probability > 0 && probability < 1) || !(freedom >= 1))
    throw new RangeError(`no quantile ${probability} with ${freedom} degrees of freedom`);
  if (probability < 0.5) return -studentQuantile(1 - probability, freedom);
  let [low, high] = [0, 1];
  while (studentCdf(high, freedom) < probability) [low, high] = [high, 2 * high];
  for (let step = 0; step < 100 && high - low > 1e-10 * high; step += 1) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(T ≤ t), through the regularised incomplete beta function (Abramowitz and Stegun, 26.7.1). */
export function studentCdf(t: number, freedom: number): number {
  const tail = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** I_x(a, b) by its continued fraction 1 / (1 + d1 / (1 + d2 / (1 + …))) (Abramowitz and Stegun, 26.5.8), from its far end. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below the mean; above it, the other side is computed.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  let rest = 0;
  for (let m = DEPTH; m >= 0; m -= 1) {
    const even = ((m + 1) * (b - m - 1) * x) / ((a + 2 * m + 1) * (a + 2 * m + 2));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    rest = odd / (1 + even / (1 + rest));
  }
  return Math.exp(a * Math.log(x) + b * Math.log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a / (1 + rest);
}

/** ln Γ(x) for x > 0: Stirling's series after shifting x upward (Abramowitz and Stegun, 6.1.41). */
function logGamma(x: number): number {
  let shift = 0;
  let y = x;
  while (y < 12) {
    shift += Math.log(y);
    y += 1;
  }
  const square = y * y;
  const series = (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / y;
  return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series - shift;
}
