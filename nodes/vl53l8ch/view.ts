import type { Calibration } from "../sample/calibration.ts";
import type { TofFrame } from "../sample/sample.ts";
import { median, percentile } from "../sample/statistics.ts";
import type { ShapeParameters } from "./shape-parameters.ts";

/**
 * How one sensor sees its belt. Axes are the sensor's: x along columns, y along rows, z the depth below it. A zone looks
 * along the tangents (x/z, y/z) of its middle; the belt is the plane z = belt.z0 + belt.dx·x + belt.dy·y.
 */
export interface View {
  side: 4 | 8;
  /** Tangents of the zones' middles along x (by column) and y (by row), and the width of a zone in tangents. */
  tangents: Float64Array;
  span: number;
  belt: { z0: number; dx: number; dy: number };
  /** Depth of the belt along each zone's axis, mm, row-major. */
  beltDepthMm: Float64Array;
  /** Subtracted from a zone's reading: the range bias and what the tare found beyond a plane. */
  offsetMm: Float64Array;
  /** Standard deviation of the belt's height common to all zones, and of one zone's own tare. */
  beltSigmaMm: number;
  zoneSigmaMm: Float64Array;
  /** Belt's reflectance per zone as the sensor reports it, percent; absent without a tare that holds it. */
  beltReflectancePercent?: number[];
  calibrated: boolean;
  /** Why it is not: `no-tof-calibration`, `other-resolution`, `belt-estimated`, `belt-assumed`. */
  uncalibratedReasons: string[];
}

/** The view by the device's calibration; without one for this resolution, by the belt that the frames show around the product. */
export function viewOf(
  frames: readonly TofFrame[],
  calibration: Calibration | undefined,
  parameters: ShapeParameters,
): View {
  const side = frames[0]?.side ?? 8;
  const tof = calibration?.tof;
  if (tof && tof.side === side) {
    const base = rays(side, tof.fieldOfViewDeg);
    const depth = tof.beltDistanceMm.map((distance) => distance - parameters.rangeBiasMm);
    const belt = fitPlane(base.tangents, depth, side) ?? {
      z0: median(depth) ?? parameters.nominalHeightMm,
      dx: 0,
      dy: 0,
    };
    const beltDepthMm = beltDepths(base.tangents, belt, side);
    const frameCount = Math.max(1, tof.frames);
    return {
      ...base,
      belt,
      beltDepthMm,
      offsetMm: Float64Array.from(tof.beltDistanceMm, (distance, zone) => distance - (beltDepthMm[zone] ?? distance)),
      beltSigmaMm: parameters.beltSigmaMm,
      zoneSigmaMm: Float64Array.from(tof.beltSigmaMm, (sigma) => sigma / Math.sqrt(frameCount)),
      ...(tof.beltReflectancePercent && { beltReflectancePercent: tof.beltReflectancePercent }),
      calibrated: true,
      uncalibratedReasons: [],
    };
  }
  const reasons = [tof ? "other-resolution" : "no-tof-calibration"];
  const base = rays(side, parameters.fieldOfViewDeg);
  // What lies farthest in each zone over all frames is belt wherever the product left it in view.
  const farthest = Array.from({ length: side * side }, (_, zone) => {
    const seen = frames.flatMap((frame) => (isValid(frame, zone) ? [frame.distanceMm[zone] ?? Number.NaN] : []));
    return (percentile(seen, 75) ?? Number.NaN) - parameters.rangeBiasMm;
  });
  const plane = robustPlane(base.tangents, farthest, side);
  reasons.push(plane ? "belt-estimated" : "belt-assumed");
  const belt = plane ?? { z0: parameters.nominalHeightMm, dx: 0, dy: 0 };
  return {
    ...base,
    belt,
    beltDepthMm: beltDepths(base.tangents, belt, side),
    offsetMm: new Float64Array(side * side).fill(parameters.rangeBiasMm),
    beltSigmaMm: plane ? parameters.estimatedBeltSigmaMm : parameters.assumedBeltSigmaMm,
    zoneSigmaMm: new Float64Array(side * side).fill(1),
    calibrated: false,
    uncalibratedReasons: reasons,
  };
}

/** Whether a zone holds a distance the sensor vouches for. */
export function isValid(frame: TofFrame, zone: number): boolean {
  return frame.validStatuses.includes(frame.status[zone] ?? -1) && (frame.distanceMm[zone] ?? 0) > 0;
}

function rays(side: 4 | 8, fieldOfViewDeg: number) {
  const half = Math.tan((fieldOfViewDeg * Math.PI) / 360);
  const span = (2 * half) / side;
  return { side, span, tangents: Float64Array.from({ length: side }, (_, index) => (index + 0.5) * span - half) };
}

function beltDepths(tangents: Float64Array, belt: View["belt"], side: number): Float64Array {
  return Float64Array.from({ length: side * side }, (_, zone) => {
    const tx = tangents[zone % side] ?? 0;
    const ty = tangents[Math.floor(zone / side)] ?? 0;
    return belt.z0 / (1 - belt.dx * tx - belt.dy * ty);
  });
}

/** Least squares of 1/z = (1 − dx·tx − dy·ty)/z0, which is linear, weighted so that errors count in z. */
function fitPlane(
  tangents: Float64Array,
  depthMm: readonly number[],
  side: number,
  weight: (zone: number) => number = () => 1,
): View["belt"] | undefined {
  const m = new Float64Array(9);
  const v = new Float64Array(3);
  for (let zone = 0; zone < side * side; zone += 1) {
    const z = depthMm[zone] ?? Number.NaN;
    const w = weight(zone);
    if (!(z > 0) || w <= 0) continue;
    const row = [1, tangents[zone % side] ?? 0, tangents[Math.floor(zone / side)] ?? 0];
    const zz = w * z ** 4;
    for (let i = 0; i < 3; i += 1) {
      v[i] = (v[i] ?? 0) + (zz * (row[i] ?? 0)) / z;
      for (let j = 0; j < 3; j += 1) m[3 * i + j] = (m[3 * i + j] ?? 0) + zz * (row[i] ?? 0) * (row[j] ?? 0);
    }
  }
  const solution = solve3(m, v);
  const [a = 0, b = 0, c = 0] = solution ?? [];
  if (!solution || !(a > 0)) return undefined;
  return { z0: 1 / a, dx: -b / a, dy: -c / a };
}

/** A plane that at least a third of the zones agree on, the rest lying nearer; undefined when there is none. */
function robustPlane(tangents: Float64Array, depthMm: readonly number[], side: number): View["belt"] | undefined {
  const known = depthMm.filter((depth) => Number.isFinite(depth));
  const far = percentile(known, 85);
  if (far === undefined) return undefined;
  let kept = depthMm.map((depth) => Math.abs(depth - far) < 12);
  let plane: View["belt"] | undefined;
  for (let round = 0; round < 6; round += 1) {
    if (kept.filter(Boolean).length < (side * side) / 3) return undefined;
    plane = fitPlane(tangents, depthMm, side, (zone) => (kept[zone] ? 1 : 0));
    if (!plane) return undefined;
    const depths = beltDepths(tangents, plane, side);
    kept = depthMm.map((depth, zone) => Math.abs(depth - (depths[zone] ?? 0)) < 4);
  }
  // A flat thing that covers the belt is no belt: what is seen must not go on below the plane.
  return plane;
}

function solve3(m: Float64Array, v: Float64Array): number[] | undefined {
  const at = (i: number) => m[i] ?? 0;
  const det = (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number) =>
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const whole = det(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7), at(8));
  if (!(Math.abs(whole) > 1e-30)) return undefined;
  return [0, 1, 2].map((column) => {
    const n = Float64Array.from(m);
    for (let row = 0; row < 3; row += 1) n[3 * row + column] = v[row] ?? 0;
    const of = (i: number) => n[i] ?? 0;
    return det(of(0), of(1), of(2), of(3), of(4), of(5), of(6), of(7), of(8)) / whole;
  });
}
