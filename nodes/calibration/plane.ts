import { CodedError } from "../host/errors.ts";

/** The belt's plane in the sensor's frame: z = heightMm + slopeX · x + slopeY · y, z along the sensor's axis. */
export interface BeltPlane {
  /** Distance to the belt along the sensor's axis, mm. */
  heightMm: number;
  slopeX: number;
  slopeY: number;
}

/**
 * Tangents of the directions of a row's (or column's) zone centres, from the first to the last. Zones split the field of
 * view evenly in the image plane, so one zone of an 8x8 grid covers 2·d·tan(22.5°)/8 of the belt at distance d.
 */
export function zoneTangents(side: number, fieldOfViewDeg: number): number[] {
  const edge = Math.tan((fieldOfViewDeg / 2) * (Math.PI / 180));
  return Array.from({ length: side }, (_, index) => ((2 * index + 1) / side - 1) * edge);
}

/**
 * Fits a plane to perpendicular distances. A zone in the direction (tx, ty) meets the plane at
 * z = h / (1 - a·tx - b·ty), so 1/z is linear in the tangents: the fit is exact for a flat belt however it is tilted, and
 * the measured z is nowhere among the regressors. Weights z⁴ make it least squares in z to first order.
 * @param distanceMm row-major, side², mm; x along the columns, y along the rows
 * @param use zones that take part (at least three, not in one row or column)
 * @throws CodedError `plane-undetermined`
 */
export function fitPlane(
  distanceMm: readonly number[],
  side: number,
  fieldOfViewDeg: number,
  use: (index: number) => boolean = () => true,
): BeltPlane {
  const tangents = zoneTangents(side, fieldOfViewDeg);
  const centre = distanceMm.reduce((sum, z) => sum + z, 0) / distanceMm.length;
  // The symmetric normal matrix [n0 n1 n2; n1 n3 n4; n2 n4 n5] and the right side.
  let [n0, n1, n2, n3, n4, n5, r0, r1, r2] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (const [index, z] of distanceMm.entries()) {
    if (!use(index) || !(z > 0)) continue;
    const weight = (z / centre) ** 4;
    const tx = tangents[index % side] ?? 0;
    const ty = tangents[Math.floor(index / side)] ?? 0;
    const inverse = centre / z;
    n0 += weight;
    n1 += weight * tx;
    n2 += weight * ty;
    n3 += weight * tx * tx;
    n4 += weight * tx * ty;
    n5 += weight * ty * ty;
    r0 += weight * inverse;
    r1 += weight * inverse * tx;
    r2 += weight * inverse * ty;
  }
  const det = determinant(n0, n1, n2, n1, n3, n4, n2, n4, n5);
  if (!(det > 1e-9 * n0 * n3 * n5) || n3 === 0 || n5 === 0) {
    throw new CodedError("plane-undetermined", "too few zones, or all in one row, to place a plane");
  }
  const alpha = determinant(r0, n1, n2, r1, n3, n4, r2, n4, n5) / det;
  const beta = determinant(n0, r0, n2, n1, r1, n4, n2, r2, n5) / det;
  const gamma = determinant(n0, n1, r0, n1, n3, r1, n2, n4, r2) / det;
  return { heightMm: centre / alpha, slopeX: -beta / alpha, slopeY: -gamma / alpha };
}

/** Perpendicular distance of every zone to the plane along the zone's direction, row-major, mm. */
export function planeDistances(plane: BeltPlane, side: number, fieldOfViewDeg: number): number[] {
  const tangents = zoneTangents(side, fieldOfViewDeg);
  return Array.from({ length: side * side }, (_, index) => {
    const tx = tangents[index % side] ?? 0;
    const ty = tangents[Math.floor(index / side)] ?? 0;
    return plane.heightMm / (1 - plane.slopeX * tx - plane.slopeY * ty);
  });
}

function determinant(
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
  i: number,
): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
