/** A chart of coloured patches of known colour. */
export interface Chart {
  name: string;
  patches: { name: string; xyz: readonly [number, number, number] }[];
}

/** Patches from which a matrix of eight channels can be fitted at all; with fewer than the chart has, less well. */
export const LEAST_PATCHES = 12;

/** Whites of the 2° observer, Y = 1. */
const D50 = [0.96422, 1, 0.82521] as const;
/** Bradford adaptation of XYZ from D50 to D65. */
const D50_TO_D65 = [
  [0.9555766, -0.0230393, 0.0631636],
  [-0.0282895, 1.0099416, 0.0210077],
  [0.0122982, -0.020483, 1.3299098],
] as const;

/** The 24 patches of the ColorChecker Classic as its maker publishes them: CIELAB, D50, 2°, row by row. */
const COLOR_CHECKER: readonly [name: string, l: number, a: number, b: number][] = [
  ["dark skin", 37.986, 13.555, 14.059],
  ["light skin", 65.711, 18.13, 17.81],
  ["blue sky", 49.927, -4.88, -21.925],
  ["foliage", 43.139, -13.095, 21.905],
  ["blue flower", 55.112, 8.844, -25.399],
  ["bluish green", 70.719, -33.397, -0.199],
  ["orange", 62.661, 36.067, 57.096],
  ["purplish blue", 40.02, 10.41, -45.964],
  ["moderate red", 51.124, 48.239, 16.248],
  ["purple", 30.325, 22.976, -21.587],
  ["yellow green", 72.532, -23.709, 57.255],
  ["orange yellow", 71.941, 19.363, 67.857],
  ["blue", 28.778, 14.179, -50.297],
  ["green", 55.261, -38.342, 31.37],
  ["red", 42.101, 53.378, 28.19],
  ["yellow", 81.733, 4.039, 79.819],
  ["magenta", 51.935, 49.986, -14.574],
  ["cyan", 51.038, -28.631, -28.638],
  ["white", 96.539, -0.425, 1.186],
  ["neutral 8", 81.257, -0.638, -0.335],
  ["neutral 6.5", 66.766, -0.734, -0.504],
  ["neutral 5", 50.867, -0.153, -0.27],
  ["neutral 3.5", 35.656, -0.421, -1.231],
  ["black", 20.461, -0.079, -0.973],
];

/** The ColorChecker Classic, XYZ for D65 and 2° (Y = 1 for the perfect diffuser). */
export const COLOR_CHECKER_CLASSIC: Chart = {
  name: "ColorChecker Classic",
  patches: COLOR_CHECKER.map(([name, l, a, b]) => ({ name, xyz: toD65(xyzD50(l, a, b)) })),
};

function xyzD50(l: number, a: number, b: number): [number, number, number] {
  const y = (l + 16) / 116;
  const [xn, yn, zn] = D50;
  return [xn * inverse(y + a / 500), yn * inverse(y), zn * inverse(y - b / 200)];
}

/** Inverse of CIE 1976's cube root with its linear foot. */
function inverse(t: number): number {
  return t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29);
}

function toD65([x, y, z]: readonly [number, number, number]): [number, number, number] {
  const [rx, ry, rz] = D50_TO_D65;
  return [rx[0] * x + rx[1] * y + rx[2] * z, ry[0] * x + ry[1] * y + ry[2] * z, rz[0] * x + rz[1] * y + rz[2] * z];
}
