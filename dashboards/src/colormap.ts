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

/** The same, evenly sampled: a picture asks for it at each of its points. Three values a colour. */
const SHADES = 1024;
const CIVIDIS = Float32Array.from(Array.from({ length: SHADES }, (_, i) => cividis(i / (SHADES - 1))).flat());

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

interface Tap {
  at: number[];
  weights: number[];
}
const tapsBySize = new Map<string, Tap[]>();

/** What each of `fine` points is made of; there are two kinds of sensor grids, so that few are ever made. */
function tapsOf(side: number, fine: number, style: "through" | "around"): Tap[] {
  const size = `${side} ${fine} ${style}`;
  let taps = tapsBySize.get(size);
  if (!taps) {
    const kernel = style === "through" ? through : around;
    const clamp = (i: number) => Math.min(side - 1, Math.max(0, i));
    taps = Array.from({ length: fine }, (_, i) => {
      const position = ((i + 0.5) / fine) * side - 0.5;
      const first = Math.floor(position);
      return { at: [first - 1, first, first + 1, first + 2].map(clamp), weights: kernel(position - first) };
    });
    tapsBySize.set(size, taps);
  }
  return taps;
}

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
  const taps = tapsOf(side, fine, style);
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

/** Where a product's outline is, of a mask of 0 and 1 resampled `around`, and how sharply it is drawn there. */
const OUTLINE = 0.44;
const SHARPNESS = 18;

/**
 * The height map as a picture of `fine × fine` points, RGBA row-major. Outside the product a trace of the measured height
 * remains, on grey.
 * @param heightMm `side × side`
 * @param occupied as many of 0 and 1: 1 where the product is
 * @param scale heights of the darkest and the lightest colour, mm
 * @param outside the grey, 0…255
 */
export function paintHeights(
  heightMm: readonly number[],
  occupied: string,
  side: number,
  fine: number,
  scale: { from: number; to: number },
  outside: number,
): Uint8ClampedArray<ArrayBuffer> {
  const heights = resample(heightMm, side, fine, "through");
  const mask = resample(Array.from(occupied, Number), side, fine, "around");
  const shadesPerMm = (SHADES - 1) / (scale.to - scale.from);
  const picture = new Uint8ClampedArray(4 * fine * fine);
  for (let i = 0; i < heights.length; i++) {
    const shade = Math.round(((heights[i] ?? 0) - scale.from) * shadesPerMm);
    const at = 3 * Math.min(SHADES - 1, Math.max(0, shade));
    const [red, green, blue] = [CIVIDIS[at] ?? 0, CIVIDIS[at + 1] ?? 0, CIVIDIS[at + 2] ?? 0];
    const inside = Math.min(1, Math.max(0, ((mask[i] ?? 0) - OUTLINE) * SHARPNESS));
    const grey = outside + ((red + green + blue) / 3 - 127) * 0.14;
    picture[4 * i] = grey + (red - grey) * inside;
    picture[4 * i + 1] = grey + (green - grey) * inside;
    picture[4 * i + 2] = grey + (blue - grey) * inside;
    picture[4 * i + 3] = 255;
  }
  return picture;
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
