const DEGREE = 3;

/**
 * The cubic spline through n equally spaced values (spacing 1, abscissae 0…n−1) that has no knot at the second and the
 * last but one (FITPACK's interpolating spline, `s = 0`), as linear weights on the values. Tensor products of them give
 * the bicubic spline over a grid.
 */
export interface SplineWeights {
  /** ∫ of the spline over [0, n−1] = Σ integral[i]·value[i]. */
  integral: Float64Array;
  /** Value at abscissa x = Σ at(x)[i]·value[i]. */
  at(x: number): Float64Array;
}

/** @param count number of values, at least 4 */
export function splineWeights(count: number): SplineWeights {
  const knots = knotsFor(count);
  const collocation = Array.from({ length: count }, (_, x) => basisAt(knots, count, x));
  const inverse = invert(collocation);
  const basisIntegrals = Float64Array.from(
    { length: count },
    (_, i) => ((knots[i + DEGREE + 1] ?? 0) - (knots[i] ?? 0)) / (DEGREE + 1),
  );
  return { integral: timesMatrix(basisIntegrals, inverse), at: (x) => timesMatrix(basisAt(knots, count, x), inverse) };
}

function knotsFor(count: number): Float64Array {
  const end = count - 1;
  const inner = Array.from({ length: count - 4 }, (_, i) => i + 2);
  return Float64Array.from([0, 0, 0, 0, ...inner, end, end, end, end]);
}

/** All B-splines at x, by the Cox–de Boor recursion. */
function basisAt(knots: Float64Array, count: number, x: number): Float64Array {
  const knot = (index: number) => knots[index] ?? 0;
  let span = DEGREE;
  while (span < count - 1 && x >= knot(span + 1)) span += 1;
  let values = new Float64Array(knots.length - 1);
  values[span] = 1;
  for (let degree = 1; degree <= DEGREE; degree += 1) {
    const next = new Float64Array(knots.length - 1 - degree);
    for (let i = 0; i < next.length; i += 1) {
      const left = knot(i + degree) - knot(i);
      const right = knot(i + degree + 1) - knot(i + 1);
      if (left > 0) next[i] = ((x - knot(i)) / left) * (values[i] ?? 0);
      if (right > 0) next[i] = (next[i] ?? 0) + ((knot(i + degree + 1) - x) / right) * (values[i + 1] ?? 0);
    }
    values = next;
  }
  return values;
}

/** Inverse by Gauss–Jordan elimination with partial pivoting. */
function invert(matrix: readonly Float64Array[]): Float64Array[] {
  const size = matrix.length;
  const rows = matrix.map((row, i) => {
    const wide = new Float64Array(2 * size);
    wide.set(row);
    wide[size + i] = 1;
    return wide;
  });
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row;
    }
    const pivotRow = rows[pivot];
    const top = rows[column];
    if (!pivotRow || !top) throw new Error("matrix is not square");
    rows[pivot] = top;
    rows[column] = pivotRow;
    const scale = pivotRow[column] ?? 0;
    for (let i = 0; i < 2 * size; i += 1) pivotRow[i] = (pivotRow[i] ?? 0) / scale;
    for (const row of rows) {
      if (row === pivotRow) continue;
      const factor = row[column] ?? 0;
      if (factor === 0) continue;
      for (let i = 0; i < 2 * size; i += 1) row[i] = (row[i] ?? 0) - factor * (pivotRow[i] ?? 0);
    }
  }
  return rows.map((row) => row.slice(size));
}

function timesMatrix(vector: Float64Array, matrix: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(matrix[0]?.length ?? 0);
  matrix.forEach((row, i) => {
    for (let j = 0; j < result.length; j += 1) result[j] = (result[j] ?? 0) + (vector[i] ?? 0) * (row[j] ?? 0);
  });
  return result;
}
