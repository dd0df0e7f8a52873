import type { Defect, ShapeAnalysis } from "../sample/sample.ts";
import type { AnalysisContext, ProductLook } from "../sample/spec.ts";
import { percentile } from "../sample/statistics.ts";
import { analyseShape, frameFigures, heightShare, scaleShare } from "./analyse-shape.ts";
import { type Fit, fitField, type Measure, volumeSigma } from "./fit.ts";
import { SHEET_MM } from "./height-field.ts";
import { extentsOf, outlineAt, type Point } from "./outline.ts";
import { findRelief } from "./relief.ts";
import { SHAPE_PARAMETERS, type ShapeParameters } from "./shape-parameters.ts";
import { type Pass, trackOf } from "./track.ts";
import { type View, viewOf } from "./view.ts";
import { type ZoneMap, zoneMapOf } from "./zones.ts";

/** More frames than this tell nothing new; they are thinned out evenly. */
const MOST_LOOKS = 60;
/** Length and width are taken at this share of the thickness: lower down the noise of the belt blurs the outline. */
const FOOT_SHARE = 0.25;

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
  const ordered = thinned(looks.toSorted((a, b) => a.atMs - b.atMs));
  const first = ordered[0];
  const last = ordered.at(-1);
  if (!first || !last) throw new RangeError("a product has at least one frame");
  const side = first.frame.side;
  const frames = ordered.map(({ frame }) => frame).filter((frame) => frame.side === side);
  const view = viewOf(frames, context.calibration, parameters);
  const middleMs = (first.atMs + last.atMs) / 2;
  const passes = ordered
    .filter(({ frame }) => frame.side === side)
    .map(({ frame, atMs }) => ({ frame, map: zoneMapOf(frame, view, parameters), t: (atMs - middleMs) / 1000 }))
    .filter(({ map }) => map.occupiedZones > 0);
  const fullest = passes.reduce(
    (best, pass) => (total(pass.map) > total(best.map) ? pass : best),
    passes[0] ?? noPass(first, view, parameters),
  );
  const single = analyseShape(fullest.frame, context, parameters);
  if (fullest.map.occupiedZones < parameters.minZones)
    return { ...single, presence: "NO_PRODUCT", framesUsed: passes.length };

  const track = trackOf(passes);
  const measures = passes.flatMap(({ map, t }) => measuresOf(map, t));
  const fit = fitField(view, measures, { ...track, reflectanceRatio: reflectanceRatio(passes, view) });
  if (!fit) return { ...single, presence: "PARTIAL", framesUsed: passes.length, coverage: 0 };
  const coverage = coverageOf(fit, view, passes);
  const figures = productFigures(fit, view, parameters);
  const frame = frameFigures(fullest.frame, fullest.map, view);
  return {
    ...frame,
    ...figures,
    presence: coverage >= parameters.leastCoverage ? "PRODUCT" : "PARTIAL",
    coverage,
    framesUsed: passes.length,
    speedMmS: Math.hypot(fit.motion.x, fit.motion.y),
  };
}

function noPass({ frame }: ProductLook, view: View, parameters: ShapeParameters) {
  return { frame, map: zoneMapOf(frame, view, parameters), t: 0 };
}

const total = (map: ZoneMap) => map.volumeMm3.reduce((sum, volume) => sum + volume, 0);

function thinned<T>(looks: readonly T[]): T[] {
  if (looks.length <= MOST_LOOKS) return [...looks];
  return Array.from({ length: MOST_LOOKS }, (_, i) => looks[Math.floor((i * looks.length) / MOST_LOOKS)]).flatMap(
    (look) => look ?? [],
  );
}

function measuresOf(map: ZoneMap, t: number): Measure[] {
  const measures: Measure[] = [];
  map.depthMm.forEach((depthMm, zone) => {
    if (!Number.isNaN(depthMm)) measures.push({ zone, t, depthMm });
  });
  return measures;
}

/** Reflectance of the product over the belt's: of level, wholly covered zones, which are the brightest. */
function reflectanceRatio(passes: readonly (Pass & { frame: ProductLook["frame"] })[], view: View): number {
  const belt = view.beltReflectancePercent;
  const ratios = passes.flatMap(({ frame, map }) =>
    frame.reflectancePercent.flatMap((percent, zone) => {
      const under = belt?.[zone] ?? beltIn(frame, map);
      return map.occupied[zone] && (map.heightMm[zone] ?? 0) > 25 && under > 0 ? [percent / under] : [];
    }),
  );
  return Math.min(10, Math.max(0.1, percentile(ratios, 90) ?? 1));
}

/** Belt's reflectance as the frame itself shows it, percent; 0 where it shows none. */
function beltIn(frame: ProductLook["frame"], map: ZoneMap): number {
  const free = frame.reflectancePercent.filter((_, zone) => !map.occupied[zone] && (map.heightMm[zone] ?? 99) < 4);
  return percentile(free, 50) ?? 0;
}

/**
 * Share of the fitted product's volume that lay in view in some frame. A product that a border of the view cuts goes on
 * outside in the fit, as it does on the belt.
 */
function coverageOf(fit: Fit, view: View, passes: readonly Pass[]): number {
  const { field, motion } = fit;
  const { belt } = view;
  const half = (view.span * view.side) / 2;
  let seen = 0;
  let all = 0;
  for (let j = 0; j < field.height; j += 2)
    for (let i = 0; i < field.width; i += 2) {
      const height = field.raster[j * field.width + i] ?? 0;
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

function productFigures(fit: Fit, view: View, parameters: ShapeParameters) {
  const { field } = fit;
  const volumeMm3 = field.volumeMm3() / (1 + parameters.modelBiasShare);
  const inside = Array.from(field.raster).filter((height) => height >= SHEET_MM);
  const areaMm2 = inside.length * field.cellMm ** 2;
  const thicknessMm = percentile(inside, 99.5) ?? 0;
  const averageMm = volumeMm3 / Math.max(1, areaMm2);
  const relative =
    1.96 *
    Math.hypot(
      parameters.modelSigmaShare,
      heightShare(view, parameters, areaMm2, volumeMm3),
      scaleShare(view, parameters),
      volumeSigma(fit) / volumeMm3,
    );
  const density = parameters.densityGPerCm3 / 1000;
  const outline = outlineAt(field, Math.max(SHEET_MM, thicknessMm / 2));
  const foot = outlineAt(field, Math.max(SHEET_MM, FOOT_SHARE * thicknessMm));
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
    roughnessMm: roughnessOf(fit),
    defects: defectsOf(fit, parameters, middle),
  };
}

const round = (mm: number) => Math.round(mm * 10) / 10;

function middleOf(points: readonly Point[]): Point {
  const n = Math.max(1, points.length);
  return [points.reduce((sum, [x]) => sum + x, 0) / n, points.reduce((sum, [, y]) => sum + y, 0) / n];
}

/** Spread of what wholly covered zones read around the smooth surface, beyond the sensor's noise along a frame's row. */
function roughnessOf(fit: Fit): number {
  const squares: number[] = [];
  fit.measures.forEach((measure, index) => {
    fit.renderer.zone(measure.zone, fit.motion.x * measure.t, fit.motion.y * measure.t);
    if (fit.renderer.hits.count === 16) squares.push((fit.residualMm[index] ?? 0) ** 2);
  });
  return Math.sqrt((percentile(squares, 50) ?? 0) / 0.455);
}

function defectsOf(fit: Fit, parameters: ShapeParameters, middle: Point): Defect[] {
  return findRelief(fit).flatMap((relief): Defect[] => {
    const size = Math.abs(relief.depthMm);
    const isDent = relief.depthMm > 0;
    const least = isDent ? parameters.dentDepthMm : parameters.bumpHeightMm;
    if (relief.clearMm < least) return [];
    return [
      {
        sensor: "vl53l8ch",
        type: isDent ? "dent" : "bump",
        severity: Math.min(1, size / 20),
        deviationMm: round(-relief.depthMm),
        positionMm: [round(relief.x - middle[0]), round(relief.y - middle[1])],
        diameterMm: relief.diameterMm,
      },
    ];
  });
}
