/** Cholesky factor (lower, in place) of a symmetric positive matrix, row-major n × n; false when it is not positive. */
export function factorise(matrix: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j += 1) {
    let diagonal = matrix[j * n + j] ?? 0;
    for (let k = 0; k < j; k += 1) diagonal -= (matrix[j * n + k] ?? 0) ** 2;
    if (!(diagonal > 0)) return false;
    const root = Math.sqrt(diagonal);
    matrix[j * n + j] = root;
    for (let i = j + 1; i < n; i += 1) {
      let sum = matrix[i * n + j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (matrix[i * n + k] ?? 0) * (matrix[j * n + k] ?? 0);
      matrix[i * n + j] = sum / root;
    }
  }
  return true;
}

/** Solves L·Lᵀ·x = b for a factor made by `factorise`. */
export function substitute(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = forward(factor, n, b);
  for (let i = n - 1; i >= 0; i -= 1) {
    let sum = x[i] ?? 0;
    for (let k = i + 1; k < n; k += 1) sum -= (factor[k * n + i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (factor[i * n + i] ?? 1);
  }
  return x;
}

/** Solves L·x = b: the length of x² is bᵀ·(L·Lᵀ)⁻¹·b. */
export function forward(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = new Float64Array(n);
  for (let i = 0; i < n; i += 1) {
    let sum = b[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (factor[i * n + k] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (factor[i * n + i] ?? 1);
  }
  return x;
}
