/** Normal equations of a least-squares problem over `n` parameters. Of the matrix only the lower triangle is filled. */
export class NormalEquations {
  readonly n: number;
  /** Row-major n × n. */
  readonly matrix: Float64Array;
  readonly right: Float64Array;

  constructor(n: number) {
    this.n = n;
    this.matrix = new Float64Array(n * n);
    this.right = new Float64Array(n);
  }

  clear(): void {
    this.matrix.fill(0);
    this.right.fill(0);
  }

  copyFrom(other: NormalEquations): void {
    this.matrix.set(other.matrix);
    this.right.set(other.right);
  }

  /**
   * Adds an equation Σ value[index] · step = off with a precision.
   * @param count how many of the indices count
   */
  add(index: ArrayLike<number>, value: ArrayLike<number>, count: number, off: number, precision: number): void {
    const { n, matrix, right } = this;
    for (let a = 0; a < count; a += 1) {
      const i = index[a] ?? 0;
      const weighted = precision * (value[a] ?? 0);
      if (weighted === 0) continue;
      right[i] = (right[i] ?? 0) + weighted * off;
      for (let b = 0; b <= a; b += 1) {
        const j = index[b] ?? 0;
        const at = i > j ? i * n + j : j * n + i;
        matrix[at] = (matrix[at] ?? 0) + weighted * (value[b] ?? 0);
      }
    }
  }

  /** The matrix with its diagonal times (1 + damping), plus what keeps parameters that nothing depends on. */
  damped(damping: number, least = 1e-9): Float64Array {
    const { n } = this;
    const matrix = this.matrix.slice();
    for (let i = 0; i < n; i += 1) matrix[i * n + i] = (matrix[i * n + i] ?? 0) * (1 + damping) + least;
    return matrix;
  }
}
