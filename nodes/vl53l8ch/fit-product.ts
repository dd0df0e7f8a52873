import type { TofFrame } from "../sample/sample.ts";
import type { AnalysisContext, ProductLook } from "../sample/spec.ts";
import { percentile } from "../sample/statistics.ts";
import { type Fit, fitField, type Measure } from "./fit.ts";
import type { ShapeParameters } from "./shape-parameters.ts";
import { type Pass, trackOf } from "./track.ts";
import { type View, viewOf } from "./view.ts";
import { type ZoneMap, zoneMapOf } from "./zones.ts";

/** More frames than this tell nothing new; they are thinned out evenly. */
const MOST_LOOKS = 60;

/** A frame of the passage with what it is made from. */
export interface FramePass extends Pass {
  frame: TofFrame;
}

/** All frames of a product registered by its own movement, and the surface fitted to them. */
export interface ProductFit {
  view: View;
  /** Frames with something in them. */
  passes: FramePass[];
  /** The frame that shows most of it. */
  fullest: FramePass;
  /** Undefined where there is too little to fit to. */
  fit: Fit | undefined;
}

/** @param looks frames in which there is something, any order; at least one */
export function fitProduct(
  looks: readonly ProductLook[],
  context: AnalysisContext,
  parameters: ShapeParameters,
): ProductFit {
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
  if (fullest.map.occupiedZones < parameters.minZones) return { view, passes, fullest, fit: undefined };
  const measures = passes.flatMap((pass) => measuresOf(pass, view));
  const fit = fitField(view, measures, { ...trackOf(passes), reflectanceRatio: reflectanceRatio(passes, view) });
  return { view, passes, fullest, fit };
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

function measuresOf({ frame, map, t }: FramePass, view: View): Measure[] {
  const measures: Measure[] = [];
  map.depthMm.forEach((depthMm, zone) => {
    if (Number.isNaN(depthMm)) return;
    const belt = view.beltReflectancePercent?.[zone];
    const brightness = (frame.reflectancePercent[zone] ?? 0) / (belt && belt > 0 ? belt : Number.NaN);
    measures.push({ zone, t, depthMm, ...(brightness > 0 && { brightness }) });
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
