import type { TofFrame } from "../sample/sample.ts";
import { clip } from "../sample/statistics.ts";
import type { ShapeParameters } from "./shape-parameters.ts";
import { isValid, type View } from "./view.ts";

/** One frame, zone by zone, in the sensor's axes. */
export interface ZoneMap {
  /** Depth with the zone's offset taken off, mm; NaN where the sensor vouches for none. */
  depthMm: Float64Array;
  /** Height above the belt along the sensor's axis, mm; NaN as above. */
  heightMm: Float64Array;
  /** Where the zone's middle meets the surface, mm. */
  x: Float64Array;
  y: Float64Array;
  /** Least height of an occupied zone, mm. */
  thresholdMm: number;
  occupied: boolean[];
  occupiedZones: number;
  /** Volume between surface and belt in the zones' frusta, mm³; 0 where not occupied. */
  volumeMm3: Float64Array;
  /** Which borders of the view the product touches. */
  touches: { left: boolean; right: boolean; top: boolean; bottom: boolean };
}

/**
 * Heights, occupancy and volumes of one frame. A zone's share of the volume is the frustum between surface and belt,
 * span²·(B³ − D³)/3 with B and D the depths of belt and surface: ∫ z² dz over the zone's solid angle, so that its widening
 * downwards is in it.
 */
export function zoneMapOf(frame: TofFrame, view: View, parameters: ShapeParameters): ZoneMap {
  const { side, tangents, belt, span } = view;
  const zones = side * side;
  const map: ZoneMap = {
    depthMm: new Float64Array(zones).fill(Number.NaN),
    heightMm: new Float64Array(zones).fill(Number.NaN),
    x: new Float64Array(zones),
    y: new Float64Array(zones),
    thresholdMm: parameters.minHeightMm,
    occupied: new Array<boolean>(zones).fill(false),
    occupiedZones: 0,
    volumeMm3: new Float64Array(zones),
    touches: { left: false, right: false, top: false, bottom: false },
  };
  for (let zone = 0; zone < zones; zone += 1) {
    if (!isValid(frame, zone)) continue;
    const depth = (frame.distanceMm[zone] ?? 0) - (view.offsetMm[zone] ?? 0) + walkOf(frame, view, zone, parameters);
    const tx = tangents[zone % side] ?? 0;
    const ty = tangents[Math.floor(zone / side)] ?? 0;
    const beltDepth = view.beltDepthMm[zone] ?? 0;
    const height = (beltDepth - depth) * (1 - belt.dx * tx - belt.dy * ty);
    map.depthMm[zone] = depth;
    map.heightMm[zone] = height;
    map.x[zone] = tx * depth;
    map.y[zone] = ty * depth;
    const sigma = Math.hypot(frame.sigmaMm?.[zone] ?? 1.5, view.beltSigmaMm, view.zoneSigmaMm[zone] ?? 0);
    if (height < Math.max(parameters.minHeightMm, parameters.heightSigmas * sigma)) continue;
    // Light scattered in the lens shows a far surface nearer than it is, with hardly any signal.
    const beltReflectance = view.beltReflectancePercent?.[zone];
    const reflectance = frame.reflectancePercent[zone] ?? 0;
    if (beltReflectance !== undefined && reflectance < parameters.minReflectanceShare * beltReflectance) continue;
    map.occupied[zone] = true;
    map.volumeMm3[zone] = (span * span * (beltDepth ** 3 - depth ** 3)) / 3;
  }
  dropStrays(map, side);
  noteBorders(map, side, parameters.borderHeightMm);
  return map;
}

/** What a zone reads too short by because it sees something brighter than the belt that its tare was taken on, mm. */
function walkOf(frame: TofFrame, view: View, zone: number, parameters: ShapeParameters): number {
  const belt = view.beltReflectancePercent?.[zone];
  if (belt === undefined || !(belt > 0)) return 0;
  const ratio = clip((frame.reflectancePercent[zone] ?? belt) / belt, 0.4, 4);
  return parameters.reflectanceWalkMm * Math.log(ratio);
}

/** A zone by itself is a stray echo. */
function dropStrays(map: ZoneMap, side: number): void {
  const was = [...map.occupied];
  for (let zone = 0; zone < was.length; zone += 1) {
    if (!was[zone]) continue;
    const column = zone % side;
    const neighbours = [
      column > 0 && was[zone - 1],
      column < side - 1 && was[zone + 1],
      was[zone - side],
      was[zone + side],
    ];
    if (neighbours.some(Boolean)) map.occupiedZones += 1;
    else {
      map.occupied[zone] = false;
      map.volumeMm3[zone] = 0;
    }
  }
}

function noteBorders(map: ZoneMap, side: number, borderHeightMm: number): void {
  const high = (row: number, column: number) => {
    const zone = row * side + column;
    return map.occupied[zone] === true && (map.heightMm[zone] ?? 0) > borderHeightMm;
  };
  for (let i = 0; i < side; i += 1) {
    map.touches.left ||= high(i, 0);
    map.touches.right ||= high(i, side - 1);
    map.touches.top ||= high(0, i);
    map.touches.bottom ||= high(side - 1, i);
  }
}
