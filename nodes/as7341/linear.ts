/**
 * Solves A x = b for a symmetric positive definite A by Cholesky's decomposition.
 * @param a row-major n × n
 * @returns undefined when A is not positive definite
 */
export function solveSymmetric(a: readonly (readonly number[])[], b: readonly number[]): number[] | undefined {
  const lower = cholesky(a);
  return lower && backSubstitute(lower, b);
}

/** Inverse of a symmetric positive definite matrix; undefined when it is none. */
export function invertSymmetric(a: readonly (readonly number[])[]): number[][] | undefined {
  const lower = cholesky(a);
  return (
    lower &&
    a.map((_, column) =>
      backSubstitute(
        lower,
        a.map((__, row) => (row === column ? 1 : 0)),
      ),
    )
  );
}

function cholesky(a: readonly (readonly number[])[]): number[][] | undefined {
  const lower: number[][] = [];
  for (const [i, row] of a.entries()) {
    const current: number[] = [];
    for (let j = 0; j <= i; j += 1) {
      const other = j === i ? current : (lower[j] ?? []);
      let sum = row[j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (current[k] ?? 0) * (other[k] ?? 0);
      if (j < i) current.push(sum / (other[j] ?? Number.NaN));
      else if (sum > 0) current.push(Math.sqrt(sum));
      else return undefined;
    }
    lower.push(current);
  }
  return lower;
}

function backSubstitute(lower: readonly (readonly number[])[], b: readonly number[]): number[] {
  const x: number[] = [];
  for (const [i, row] of lower.entries()) {
    let sum = b[i] ?? 0;
    for (let k = 0; k < i; k += 1) sum -= (row[k] ?? 0) * (x[k] ?? 0);
    x.push(sum / (row[i] ?? Number.NaN));
  }
  for (let i = lower.length - 1; i >= 0; i -= 1) {
    let sum = x[i] ?? 0;
    for (let k = i + 1; k < lower.length; k += 1) sum -= (lower[k]?.[i] ?? 0) * (x[k] ?? 0);
    x[i] = sum / (lower[i]?.[i] ?? Number.NaN);
  }
  return x;
}
