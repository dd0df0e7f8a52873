export type Triple = readonly [number, number, number];

/** Tristimulus values of the perfect diffuser under D65 for the 2° observer, Y = 1 (as AN000633 uses them). */
export const WHITE_D65: Triple = [0.95047, 1, 1.08883];

const EPSILON = (6 / 29) ** 3;

/** CIELAB of XYZ (CIE 15): L* 0…100, a*, b*. XYZ and white in the same unit. */
export function labOfXyz(xyz: Triple, white: Triple = WHITE_D65): [l: number, a: number, b: number] {
  const f = (value: number, reference: number) => {
    const t = value / reference;
    return t > EPSILON ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
  };
  const [fx, fy, fz] = [f(xyz[0], white[0]), f(xyz[1], white[1]), f(xyz[2], white[2])];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** CIE 1976 colour difference: the distance in L*a*b*. */
export function deltaE76(one: Triple, two: Triple): number {
  return Math.hypot(one[0] - two[0], one[1] - two[1], one[2] - two[2]);
}

const DEGREE = Math.PI / 180;
const POW_25_7 = 25 ** 7;

/** CIEDE2000 colour difference, all parametric factors 1 (Sharma, Wu, Dalal 2005, doi 10.1002/col.20070). */
export function deltaE2000([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const meanChroma = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(meanChroma ** 7 / (meanChroma ** 7 + POW_25_7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const [h1, h2] = [hueOf(p1, b1), hueOf(p2, b2)];
  const isGrey = c1 * c2 === 0;
  const turn = isGrey ? 0 : h2 - h1 > 180 ? h2 - h1 - 360 : h2 - h1 < -180 ? h2 - h1 + 360 : h2 - h1;
  const dL = l2 - l1;
  const dC = c2 - c1;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((turn / 2) * DEGREE);
  const sum = h1 + h2;
  const meanHue = isGrey ? sum : Math.abs(h1 - h2) <= 180 ? sum / 2 : sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
  const t =
    1 -
    0.17 * Math.cos((meanHue - 30) * DEGREE) +
    0.24 * Math.cos(2 * meanHue * DEGREE) +
    0.32 * Math.cos((3 * meanHue + 6) * DEGREE) -
    0.2 * Math.cos((4 * meanHue - 63) * DEGREE);
  const meanL = (l1 + l2) / 2;
  const meanC = (c1 + c2) / 2;
  const sL = 1 + (0.015 * (meanL - 50) ** 2) / Math.sqrt(20 + (meanL - 50) ** 2);
  const sC = 1 + 0.045 * meanC;
  const sH = 1 + 0.015 * meanC * t;
  const rC = 2 * Math.sqrt(meanC ** 7 / (meanC ** 7 + POW_25_7));
  const rT = -Math.sin(60 * Math.exp(-(((meanHue - 275) / 25) ** 2)) * DEGREE) * rC;
  const [x, y, z] = [dL / sL, dC / sC, dH / sH];
  return Math.sqrt(x * x + y * y + z * z + rT * y * z);
}

function hueOf(a: number, b: number): number {
  if (a === 0 && b === 0) return 0;
  const hue = Math.atan2(b, a) / DEGREE;
  return hue < 0 ? hue + 360 : hue;
}

/** Product of a 3 × n matrix and n values. */
export function applyMatrix(rows: readonly (readonly number[])[], values: readonly number[]): [number, number, number] {
  const dot = (row: readonly number[] = []) =>
    row.reduce((sum, factor, index) => sum + factor * (values[index] ?? 0), 0);
  return [dot(rows[0]), dot(rows[1]), dot(rows[2])];
}

/** Chromaticity x, y of XYZ. */
export function chromaticityOf([x, y, z]: Triple): [x: number, y: number] {
  const sum = x + y + z;
  return [x / sum, y / sum];
}
