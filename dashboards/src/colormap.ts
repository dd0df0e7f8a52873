/**
 * Cividis, sampled: dark blue to yellow, evenly spaced to the eye, the same to the colour-blind
 * (Nuñez, Anderton, Renslow 2018, doi 10.1371/journal.pone.0199239).
 */
const STOPS: readonly (readonly [number, number, number])[] = [
  [0, 34, 78],
  [18, 53, 112],
  [59, 73, 108],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [225, 204, 85],
  [254, 232, 56],
];

/** Colour (RGB, 0…255) of a share 0…1. */
export function cividis(share: number): [number, number, number] {
  const position = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(position));
  const rest = position - index;
  const [from, to] = [STOPS[index] ?? [0, 0, 0], STOPS[index + 1] ?? [0, 0, 0]];
  return [0, 1, 2].map((i) => (from[i] ?? 0) + ((to[i] ?? 0) - (from[i] ?? 0)) * rest) as [number, number, number];
}

type Kernel = (t: number) => [number, number, number, number];

/** Catmull-Rom weights: through every value, smooth between. */
const through: Kernel = (t) => [
  ((2 - t) * t - 1) * t * 0.5,
  ((3 * t - 5) * t * t + 2) * 0.5,
  ((4 - 3 * t) * t + 1) * t * 0.5,
  (t - 1) * t * t * 0.5,
];
/** Cubic B-spline weights: smoother than the values, for outlines. */
const around: Kernel = (t) => [
  (1 - t) ** 3 / 6,
  (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
  (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
  t ** 3 / 6,
];

/**
 * A square grid resampled to `fine × fine`, row-major; borders repeat outwards.
 * @param values `side × side`, each at the middle of its zone
 */
export function resample(
  values: readonly number[],
  side: number,
  fine: number,
  style: "through" | "around",
): Float32Array {
  const kernel = style === "through" ? through : around;
  const clamp = (i: number) => Math.min(side - 1, Math.max(0, i));
  const taps = Array.from({ length: fine }, (_, i) => {
    const position = ((i + 0.5) / fine) * side - 0.5;
    const first = Math.floor(position);
    return { at: [first - 1, first, first + 1, first + 2].map(clamp), weights: kernel(position - first) };
  });
  const rows = new Float32Array(side * fine);
  for (let row = 0; row < side; row++) {
    taps.forEach(({ at, weights }, column) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += (weights[k] ?? 0) * (values[row * side + (at[k] ?? 0)] ?? 0);
      rows[row * fine + column] = sum;
    });
  }
  const result = new Float32Array(fine * fine);
  taps.forEach(({ at, weights }, row) => {
    for (let column = 0; column < fine; column++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += (weights[k] ?? 0) * (rows[(at[k] ?? 0) * fine + column] ?? 0);
      result[row * fine + column] = sum;
    }
  });
  return result;
}

const LEAST_SPAN_MM = 30;

/**
 * The scale for a product: whole tens round what it measures, so that a flat one shows its relief too; never less
 * than 30 mm, so that noise does not look like relief.
 */
export function scaleMm(heightMm: readonly number[], occupied: string): { from: number; to: number } {
  const product = heightMm.filter((_, i) => occupied[i] === "1");
  const shown = product.length > 0 ? product : heightMm;
  if (shown.length === 0) return { from: 0, to: LEAST_SPAN_MM };
  const to = Math.max(LEAST_SPAN_MM, Math.ceil(Math.max(...shown) / 10) * 10);
  const from = Math.floor(Math.min(...shown) / 10) * 10;
  return { from: Math.max(0, Math.min(from, to - LEAST_SPAN_MM)), to };
}
