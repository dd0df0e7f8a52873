import type { Fit, Measure } from "./fit.ts";
import { type Cap, LobeField } from "./lobe-field.ts";
import { BRIGHTNESS, type LobeFit, type Plan, relax, type State } from "./lobe-relax.ts";
import { CAP } from "./lobe-slopes.ts";
import { startLobes } from "./lobe-start.ts";
import { forward } from "./solve.ts";
import type { View } from "./view.ts";

/** To tell which start leads nearest: a few rounds of lobes alone, against every third measure. */
const EVERY = 3;
const FIRST: Plan = { annealedMm: [2.2, 1.5, 1], mostRounds: 6, leastGain: 3, startDamping: 0.1, hasFactor: false };
/** The nearest of them, on all measures with the factor: a few rounds to tell which is best, then that one to the end. */
const SECOND: Plan = { annealedMm: [], mostRounds: 4, leastGain: 2, startDamping: 0.02, hasFactor: true };
const WHOLE: Plan = { ...SECOND, mostRounds: 10, leastGain: 2 };
const WITH_CAP: Plan = { ...SECOND, mostRounds: 12, leastGain: 1, startDamping: 0.03 };
/** Most starts tried, and most of them that are gone on with, if their cost is within this share of the least. */
const STARTS = 3;
const NEAREST = 2;
const NEAR_SHARE = 0.12;

/**
 * Fits lobes (`LobeField`) and the motion to all measures of a product through the sensor's rays, starting from its free-form
 * fit: Levenberg and Marquardt with robust weights. Held against them are depths and brightnesses: by Lambert's law a
 * zone's brightness tells the slopes in it, to a hundredth. There are several minima (two lobes can be laid around a dent
 * as well as under it): taken is the start that leads nearest.
 * @returns undefined where no lobes can be placed
 */
export function fitLobes(view: View, fit: Fit): LobeFit | undefined {
  const measures = touchingOf(fit);
  const some = measures.filter((_, index) => index % EVERY === 0);
  const go = (of: readonly Measure[], state: State, plan: Plan) =>
    relax(view, of, new LobeField(fit.field, state.lobes), state, plan);
  const { reflectanceRatio: ratio } = fit.renderer;
  const first = startLobes(fit.field)
    .slice(0, STARTS)
    .flatMap(
      (lobes) =>
        go(
          some,
          { ...new LobeField(fit.field, lobes).save(), motion: fit.motion, ratio, brightnessSigma: BRIGHTNESS.sigma },
          FIRST,
        ) ?? [],
    )
    .toSorted((a, b) => a.cost - b.cost);
  const second = first
    .slice(0, NEAREST)
    .filter(({ cost }) => cost <= (1 + NEAR_SHARE) * (first[0]?.cost ?? 0))
    .flatMap(({ state }) => go(measures, state, SECOND) ?? [])
    .toSorted((a, b) => a.cost - b.cost);
  return second[0] && go(measures, second[0].state, WHOLE)?.finish();
}

/** The measures that see the product or what lies beside it: the others say nothing of its form. */
function touchingOf({ renderer, measures, motion, residualMm }: Fit): Measure[] {
  return measures.filter(({ zone, t }, index) => {
    renderer.zone(zone, motion.x * t, motion.y * t);
    return (
      renderer.hits.count > 0 ||
      Math.abs(residualMm[index] ?? 0) > BESIDE_MM ||
      renderer.reaches(zone, motion.x * t, motion.y * t, BESIDE_MM)
    );
  });
}
/** So near to the product's outline, or with so much left of it, a measure counts. */
const BESIDE_MM = 6;

/** The fit anew with a cap on the surface, whose parameters are fitted as well. */
export function fitCap(view: View, fit: Fit, from: LobeFit, cap: Cap): LobeFit | undefined {
  const field = new LobeField(fit.field, from.field.lobes);
  const start = { ...from.state, cap };
  return relax(view, from.measures, field, start, WITH_CAP)?.finish();
}

/** Standard deviation of the volume from the measures' noise alone, mm³. */
export function lobeVolumeSigma({ field, information, parameters }: LobeFit): number {
  const { raster } = field;
  const gradient = new Float64Array(parameters);
  const unused = new Float64Array(parameters);
  const areaMm2 = (VOLUME_STRIDE * raster.cellMm) ** 2;
  for (let j = 0; j < raster.height - 1; j += VOLUME_STRIDE)
    for (let i = 0; i < raster.width - 1; i += VOLUME_STRIDE)
      if ((raster.values[j * raster.width + i] ?? 0) > 0)
        field.addSlopes(
          raster.x0 + i * raster.cellMm,
          raster.y0 + j * raster.cellMm,
          areaMm2,
          0,
          0,
          CAP,
          true,
          gradient,
          unused,
        );
  return Math.sqrt(forward(information, parameters, gradient).reduce((sum, x) => sum + x * x, 0));
}
const VOLUME_STRIDE = 2;
