import type { Defect, ShapeAnalysis } from "../sample/sample.ts";
import type { AnalysisContext, ProductLook } from "../sample/spec.ts";
import { percentile } from "../sample/statistics.ts";
import { analyseShape, frameFigures, heightShare, scaleShare } from "./analyse-shape.ts";
import type { Motion } from "./fit.ts";
import { fitProduct } from "./fit-product.ts";
import { extentsOf, outlineAt, type Point } from "./outline.ts";
import { SHEET_MM, type Surface, surfaceOf } from "./product-surface.ts";
import type { Raster } from "./raster.ts";
import type { Relief } from "./relief.ts";
import { SHAPE_PARAMETERS, type ShapeParameters } from "./shape-parameters.ts";
import type { Pass } from "./track.ts";
import type { View } from "./view.ts";

/** Length and width are taken at this share of the thickness: lower down the noise of the belt blurs the outline. */
const FOOT_SHARE = 0.12;
/** A dent so deep, or a bump so high, is as severe as one can be. */
const FULL_SEVERITY_MM = 20;

/**
 * Shape of one product from all its frames (`shape/1`): frames are registered by the product's own movement and one surface is
 * fitted to everything the sensor saw of it. Same units as `analyseShape`; `presence` says whether the product was seen whole.
 * @param looks frames in which there is something, any order; at least one
 */
export function analyseProduct(
  looks: readonly ProductLook[],
  context: AnalysisContext,
  parameters: ShapeParameters = SHAPE_PARAMETERS,
): ShapeAnalysis {
  const { view, passes, fullest, fit } = fitProduct(looks, context, parameters);
  const single = analyseShape(fullest.frame, context, parameters);
  if (fullest.map.occupiedZones < parameters.minZones)
    return { ...single, presence: "NO_PRODUCT", framesUsed: passes.length };
  if (!fit) return { ...single, presence: "PARTIAL", framesUsed: passes.length, coverage: 0 };
  const surface = surfaceOf(view, fit, parameters);
  const coverage = coverageOf(surface.raster, surface.motion, view, passes);
  const figures = productFigures(surface, view, parameters);
  const frame = frameFigures(fullest.frame, fullest.map, view);
  return {
    ...frame,
    ...figures,
    presence: coverage >= parameters.leastCoverage ? "PRODUCT" : "PARTIAL",
    coverage,
    framesUsed: passes.length,
    speedMmS: Math.hypot(surface.motion.x, surface.motion.y),
  };
}

/**
 * Share of the fitted product's volume that lay in view in some frame. A product that a border of the view cuts goes on
 * outside in the fit, as it does on the belt.
 */
function coverageOf(field: Raster, motion: Motion, view: View, passes: readonly Pass[]): number {
  const { belt } = view;
  const half = (view.span * view.side) / 2;
  let seen = 0;
  let all = 0;
  for (let j = 0; j < field.height; j += 2)
    for (let i = 0; i < field.width; i += 2) {
      const height = field.values[j * field.width + i] ?? 0;
      if (height < SHEET_MM) continue;
      const px = field.x0 + i * field.cellMm;
      const py = field.y0 + j * field.cellMm;
      all += height;
      const inView = passes.some(({ t }) => {
        const x = px + motion.x * t;
        const y = py + motion.y * t;
        const reach = half * (belt.z0 + belt.dx * x + belt.dy * y - height);
        return Math.abs(x) <= reach && Math.abs(y) <= reach;
      });
      if (inView) seen += height;
    }
  return all > 0 ? seen / all : 0;
}

function productFigures(surface: Surface, view: View, parameters: ShapeParameters) {
  const { raster } = surface;
  const inside = Array.from(raster.values).filter((height) => height >= SHEET_MM);
  const cellMm2 = raster.cellMm ** 2;
  const areaMm2 = inside.length * cellMm2;
  const volumeMm3 = (inside.reduce((sum, height) => sum + height, 0) * cellMm2) / (1 + surface.biasShare);
  const thicknessMm = percentile(inside, 99.5) ?? 0;
  const averageMm = volumeMm3 / Math.max(1, areaMm2);
  const relative =
    1.96 *
    Math.hypot(
      surface.sigmaShare,
      heightShare(view, parameters, areaMm2, volumeMm3),
      scaleShare(view, parameters),
      surface.volumeSigmaMm3 / volumeMm3,
    );
  const density = parameters.densityGPerCm3 / 1000;
  const outline = outlineAt(raster, Math.max(SHEET_MM, thicknessMm / 2));
  const foot = outlineAt(raster, Math.max(SHEET_MM, FOOT_SHARE * thicknessMm));
  const middle = middleOf(outline);
  return {
    volumeMm3,
    volumeHalfWidthMm3: relative * volumeMm3,
    massG: volumeMm3 * density,
    massHalfWidthG: Math.hypot(relative, 1.96 * parameters.densitySigmaShare) * volumeMm3 * density,
    baseAreaMm2: areaMm2,
    averageHeightMm: averageMm,
    maxHeightMm: thicknessMm,
    ...extentsOf(foot),
    thicknessMm,
    outlineMm: outline.map(([x, y]): Point => [round(x - middle[0]), round(y - middle[1])]),
    roughnessMm: surface.roughnessMm,
    defects: defectsOf(surface.relief, parameters, middle),
  };
}

const round = (mm: number) => Math.round(mm * 10) / 10;

function middleOf(points: readonly Point[]): Point {
  const n = Math.max(1, points.length);
  return [points.reduce((sum, [x]) => sum + x, 0) / n, points.reduce((sum, [, y]) => sum + y, 0) / n];
}

/** Dents and bumps, against the product's own form. */
function defectsOf(found: readonly Relief[], parameters: ShapeParameters, middle: Point): Defect[] {
  return found.flatMap((relief): Defect[] => {
    const size = Math.abs(relief.depthMm);
    const isDent = relief.depthMm > 0;
    if (size < (isDent ? parameters.dentDepthMm : parameters.bumpHeightMm)) return [];
    return [
      {
        sensor: "vl53l8ch",
        type: isDent ? "dent" : "bump",
        severity: Math.min(1, size / FULL_SEVERITY_MM),
        deviationMm: round(-relief.depthMm),
        positionMm: [round(relief.x - middle[0]), round(relief.y - middle[1])],
        diameterMm: round(2 * relief.radiusMm),
      },
    ];
  });
}
