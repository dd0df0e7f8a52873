import { percentile } from "../sample/statistics.ts";
import { type Fit, type Motion, volumeSigma } from "./fit.ts";
import { fitLobes, lobeVolumeSigma } from "./lobe-fit.ts";
import type { Raster } from "./raster.ts";
import { findRelief, type Relief } from "./relief.ts";
import { RAYS } from "./render.ts";
import type { ShapeParameters } from "./shape-parameters.ts";
import type { View } from "./view.ts";

/** What lies lower than this is the root of noise, not product, mm. */
export const SHEET_MM = 5;

/** How much too large a free-form surface's volume comes out, and its relative standard deviation. */
const FREE_FORM = { biasShare: 0.034, sigmaShare: 0.015 };
/** The 50th percentile of a squared normal deviate. */
const MEDIAN_SQUARE = 0.455;

/** A product's surface, whatever it was fitted with. */
export interface Surface {
  raster: Raster;
  motion: Motion;
  /** By the measures' noise alone. */
  volumeSigmaMm3: number;
  /** What no frame can tell of the volume: relative bias and standard deviation. */
  biasShare: number;
  sigmaShare: number;
  /** Spread of what wholly covered zones read around the smooth surface, mm. */
  roughnessMm: number;
  relief: Relief[];
}

/** The product's surface as lobes with dents and bumps; as a free form, in which none are told, where no lobes can be laid. */
export function surfaceOf(view: View, fit: Fit, parameters: ShapeParameters): Surface {
  const lobes = fitLobes(view, fit);
  if (!lobes) {
    return {
      raster: fit.field.raster,
      motion: fit.motion,
      volumeSigmaMm3: volumeSigma(fit),
      ...FREE_FORM,
      roughnessMm: spreadOf(fit.residualMm),
      relief: [],
    };
  }
  const { found, surface } = findRelief(view, fit, lobes, parameters.reliefSigmas);
  return {
    raster: surface.field.raster,
    motion: surface.motion,
    volumeSigmaMm3: lobeVolumeSigma(surface),
    biasShare: parameters.modelBiasShare,
    sigmaShare: parameters.modelSigmaShare,
    roughnessMm: spreadOf(surface.seen.flatMap(({ depth, x }) => (x.length === RAYS ? [depth.residual] : []))),
    relief: found,
  };
}

function spreadOf(residuals: ArrayLike<number>): number {
  const squares = Array.from(residuals, (residual) => residual ** 2);
  return Math.sqrt((percentile(squares, 50) ?? 0) / MEDIAN_SQUARE);
}
