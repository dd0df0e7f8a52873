import type { Presence, ShapeAnalysis, TofFrame } from "../sample/sample.ts";
import type { AnalysisContext } from "../sample/spec.ts";
import { mean, populationStd } from "../sample/statistics.ts";
import { SHAPE_PARAMETERS, type ShapeParameters } from "./shape-parameters.ts";
import { isValid, type View, viewOf } from "./view.ts";
import { type ZoneMap, zoneMapOf } from "./zones.ts";

export const SHAPE_METHOD = "shape/1";

/** Relative half width (95 %) that partly covered zones at the edge add to the volume by a single frame. */
const SINGLE_FRAME_SHARE = 0.12;

/**
 * The corrected analysis of one frame (`shape/1`): heights above the belt by the device's tare, volume by the zones' frusta.
 * Lengths in mm, areas in mm², volumes in mm³, mass in g. Without a tare the figures are marked uncalibrated and their
 * intervals are wide. A product's mass is better taken from all its frames (`analyseProduct`).
 */
export function analyseShape(
  frame: TofFrame,
  context: AnalysisContext,
  parameters: ShapeParameters = SHAPE_PARAMETERS,
): ShapeAnalysis {
  const view = viewOf([frame], context.calibration, parameters);
  const map = zoneMapOf(frame, view, parameters);
  const presence = presenceOf(map, parameters);
  const volumeMm3 = map.volumeMm3.reduce((sum, volume) => sum + volume, 0);
  const { baseAreaMm2 } = planOf(map, view);
  const relative = Math.hypot(
    SINGLE_FRAME_SHARE,
    1.96 * heightShare(view, parameters, baseAreaMm2, volumeMm3),
    1.96 * scaleShare(view, parameters),
  );
  return {
    ...frameFigures(frame, map, view),
    presence,
    volumeMm3,
    volumeHalfWidthMm3: relative * volumeMm3,
    massG: (volumeMm3 / 1000) * parameters.densityGPerCm3,
    massHalfWidthG:
      Math.hypot(relative, 1.96 * parameters.densitySigmaShare) * (volumeMm3 / 1000) * parameters.densityGPerCm3,
    defects: [],
  };
}

/** What one frame shows: nothing, a product that a border of the view cuts, or a whole one. */
export function presenceOf(map: ZoneMap, parameters: ShapeParameters): Presence {
  if (map.occupiedZones < parameters.minZones) return "NO_PRODUCT";
  return Object.values(map.touches).some(Boolean) ? "PARTIAL" : "PRODUCT";
}

/** Relative error of the volume (standard deviation) by the belt's place and the reflectance's effect on ranges. */
export function heightShare(view: View, parameters: ShapeParameters, areaMm2: number, volumeMm3: number): number {
  const sigmaMm = Math.hypot(view.beltSigmaMm, parameters.reflectanceWalkSigmaMm);
  return volumeMm3 > 0 ? (sigmaMm * areaMm2) / volumeMm3 : 0;
}

/** The same by the true distance: a zone's area goes with its square. */
export function scaleShare(view: View, parameters: ShapeParameters): number {
  return (2 * Math.hypot(parameters.rangeBiasSigmaMm, view.calibrated ? 0 : view.beltSigmaMm)) / view.belt.z0;
}

function planOf(map: ZoneMap, view: View) {
  let baseAreaMm2 = 0;
  map.occupied.forEach((isOccupied, zone) => {
    if (isOccupied) baseAreaMm2 += (view.span * (map.depthMm[zone] ?? 0)) ** 2;
  });
  return { baseAreaMm2 };
}

/** The figures of a frame that need no fusion: what every zone tells. */
export function frameFigures(frame: TofFrame, map: ZoneMap, view: View) {
  const heightMm = Array.from(map.heightMm, (height) => (Number.isNaN(height) ? 0 : height));
  const inside = heightMm.filter((_, zone) => map.occupied[zone]);
  const reflectance = frame.reflectancePercent.filter((_, zone) => map.occupied[zone]);
  const signal = frame.signal.filter((_, zone) => map.occupied[zone]);
  const valid = heightMm.filter((_, zone) => isValid(frame, zone)).length;
  const minHeightMm = inside.length > 0 ? Math.min(...inside) : 0;
  const maxHeightMm = inside.length > 0 ? Math.max(...inside) : 0;
  const slopes = slopesOf(heightMm, map, view);
  return {
    method: SHAPE_METHOD,
    sensorHeightMm: view.belt.z0,
    zoneSideMm: view.span * view.belt.z0,
    heightMm,
    occupied: map.occupied,
    occupiedZones: map.occupiedZones,
    occupancyThresholdMm: map.thresholdMm,
    /** Sum of the zones' frusta. */
    volumeSimpleMm3: map.volumeMm3.reduce((sum, volume) => sum + volume, 0),
    heightCapMm: null,
    heightP90Mm: null,
    heightP95Mm: null,
    baseAreaMm2: planOf(map, view).baseAreaMm2,
    averageHeightMm: mean(inside),
    minHeightMm,
    maxHeightMm,
    heightRangeMm: maxHeightMm - minHeightMm,
    heightVariationMm: populationStd(inside),
    surfaceUniformity: 1 / (1 + mean(slopes)),
    thicknessMm: maxHeightMm,
    reflectance: {
      mean: mean(reflectance),
      std: populationStd(reflectance),
      lowShare: 0,
      highShare: 0,
      anomalousWindows: 0,
    },
    signal: { mean: mean(signal), std: populationStd(signal), outlierShare: 0, consistent: valid === heightMm.length },
    histogram: null,
    calibrated: view.calibrated,
    uncalibratedReasons: view.uncalibratedReasons,
  } satisfies Partial<ShapeAnalysis>;
}

/** Slopes between neighbouring zones of the product, mm per mm. */
function slopesOf(heightMm: readonly number[], map: ZoneMap, view: View): number[] {
  const { side } = view;
  const slopes: number[] = [];
  const between = (a: number, b: number) => {
    if (!map.occupied[a] || !map.occupied[b]) return;
    const run = Math.hypot((map.x[a] ?? 0) - (map.x[b] ?? 0), (map.y[a] ?? 0) - (map.y[b] ?? 0));
    if (run > 0) slopes.push(Math.abs((heightMm[a] ?? 0) - (heightMm[b] ?? 0)) / run);
  };
  for (let zone = 0; zone < heightMm.length; zone += 1) {
    if (zone % side < side - 1) between(zone, zone + 1);
    if (zone + side < heightMm.length) between(zone, zone + side);
  }
  return slopes;
}
