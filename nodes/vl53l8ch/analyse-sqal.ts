import type { ShapeAnalysis, TofFeatures, TofFrame } from "../sample/sample.ts";
import { mean, populationStd } from "../sample/statistics.ts";
import { shapeDefectsOf } from "./defects.ts";
import { histogramFiguresOf, meansOf } from "./histogram.ts";
import { countTrue, occupancyOf } from "./occupancy.ts";
import type { SqalShapeParameters } from "./parameters.ts";
import { reflectanceOf, signalOf, surfaceUniformityOf } from "./surface.ts";
import { volumesOf } from "./volume.ts";

export const SQAL_SHAPE_METHOD = "sqal/1";

/** With the figures that only SQAL's method has. */
type SqalShapeAnalysis = ShapeAnalysis &
  Required<
    Pick<
      ShapeAnalysis,
      | "volumeTrapezoidalMm3"
      | "volumeSimpsonMm3"
      | "volumeSplineMm3"
      | "candidateZones"
      | "usedFallback"
      | "reflectanceThreshold"
      | "signalThreshold"
    >
  >;

/**
 * SQAL's analysis of one ToF frame (`sqal.md` 4.1). Lengths in mm, areas in mm², volumes in mm³, mass in g.
 * The histogram figures come from the frame's histograms, else from the device's features, else are null.
 * The volume in force is the trapezoidal one.
 */
export function analyseShapeSqal(
  frame: TofFrame,
  features: TofFeatures,
  parameters: SqalShapeParameters,
): SqalShapeAnalysis {
  const { side, distanceMm, reflectancePercent, signal } = frame;
  const { sensorHeightMm, zoneSideMm } = parameters;
  const heightMm = distanceMm.map((distance) => Math.max(0, sensorHeightMm - distance));
  const occupancy = occupancyOf(heightMm, reflectancePercent, signal, parameters.occupancy);
  const capMm = occupancy.capMm ?? Number.POSITIVE_INFINITY;
  const productMm = heightMm.map((height, zone) => (occupancy.occupied[zone] ? Math.min(height, capMm) : 0));
  const volumes = volumesOf(productMm, side, zoneSideMm);
  const volumeMm3 = volumes.trapezoidalMm3;
  const minHeightMm = Math.min(...heightMm);
  const maxHeightMm = Math.max(...heightMm);
  return {
    method: SQAL_SHAPE_METHOD,
    sensorHeightMm,
    zoneSideMm,
    heightMm,
    occupied: occupancy.occupied,
    occupiedZones: countTrue(occupancy.occupied),
    candidateZones: countTrue(occupancy.candidates),
    usedFallback: occupancy.usedFallback,
    occupancyThresholdMm: occupancy.heightThresholdMm,
    reflectanceThreshold: occupancy.reflectanceThreshold,
    signalThreshold: occupancy.signalThreshold,
    heightCapMm: occupancy.capMm,
    heightP90Mm: occupancy.heightP90Mm,
    heightP95Mm: occupancy.heightP95Mm,
    volumeMm3,
    volumeSimpleMm3: volumes.simpleMm3,
    volumeTrapezoidalMm3: volumes.trapezoidalMm3,
    volumeSimpsonMm3: volumes.simpsonMm3,
    volumeSplineMm3: volumes.splineMm3,
    massG: (volumeMm3 / 1000) * parameters.densityGPerCm3,
    baseAreaMm2: side * side * zoneSideMm * zoneSideMm,
    averageHeightMm: mean(heightMm),
    minHeightMm,
    maxHeightMm,
    heightRangeMm: maxHeightMm - minHeightMm,
    heightVariationMm: populationStd(heightMm),
    surfaceUniformity: surfaceUniformityOf(distanceMm, side),
    reflectance: reflectanceOf(reflectancePercent, side, parameters.reflectance),
    signal: signalOf(signal, parameters.signal),
    histogram: histogramOf(frame, features, parameters),
    defects: shapeDefectsOf(distanceMm, side, parameters.defects),
  };
}

function histogramOf(
  frame: TofFrame,
  features: TofFeatures,
  parameters: SqalShapeParameters,
): ShapeAnalysis["histogram"] {
  const computed = frame.histogram && histogramFiguresOf(frame.histogram, parameters.histogram);
  const figures = computed ?? features.histogramFigures;
  return figures ? { source: computed ? "histogram" : "device", figures, means: meansOf(figures) } : null;
}
