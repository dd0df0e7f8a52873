import { cnhContentOf, encodeCnh } from "../../nodes/vl53l8ch/cnh-encode.ts";
import type { CnhConfig } from "../../nodes/vl53l8ch/cnh-frame.ts";
import { BELT_SIDE, type ZoneLight } from "./belt-optics.ts";
import type { Random } from "./random.ts";

const DEVICE_BIN_MM = 37.5348;
/** The pulse is about ten device bins wide from foot to foot; its tail is longer than its front. */
const FRONT_SIGMA_BINS = 1.5;
const TAIL_SIGMA_BINS = 2.1;
/** Real parts put the pulse this much further than the range (their per-zone offset compensation is about −50 mm). */
const OFFSET_MM = 50;
const BINS = 20;
/** Zones that share an aggregate, each way: 16 aggregates of 20 bins fit the sensor's memory. */
const MERGE = 2;
const SIDE = BELT_SIDE / MERGE;
const AGGREGATES = SIDE * SIDE;
const RAYS = 16;
/** Counts of an aggregate for a return of 1. */
const COUNTS = 3000;

/** How the histograms are set up: the buffer does not say. */
export const CNH_CONFIG: CnhConfig & { zoneMap: number[] } = {
  startBin: 0,
  subSample: 1,
  zoneMap: Array.from(
    { length: BELT_SIDE * BELT_SIDE },
    (_, zone) => Math.floor(zone / BELT_SIDE / MERGE) * SIDE + Math.floor((zone % BELT_SIDE) / MERGE),
  ),
};

/** Distribution function of the pulse, `bins` from its centre. */
function pulse(bins: number): number {
  const sigma = bins < 0 ? FRONT_SIGMA_BINS : TAIL_SIGMA_BINS;
  const front = FRONT_SIGMA_BINS / (FRONT_SIGMA_BINS + TAIL_SIGMA_BINS);
  // A logistic curve is within a percent of the normal distribution's and much cheaper.
  const rise = 2 / (1 + Math.exp((-1.702 * bins) / sigma)) - 1;
  return bins < 0 ? front * (1 + rise) : front + (1 - front) * rise;
}

/** Expected counts (and with a generator noisy ones) per aggregate and bin, ambient already taken off. */
export function histograms(light: ZoneLight, ambient: number, rng?: Random): number[][] {
  const values = Array.from({ length: AGGREGATES }, () => new Array<number>(BINS).fill(0));
  for (const [zone, aggregate] of CNH_CONFIG.zoneMap.entries()) {
    const bins = values[aggregate];
    if (!bins) continue;
    // The pulse is wide against the spread of ranges in a zone: four groups of rays tell as much as sixteen rays.
    for (let group = 0; group < 4; group++) {
      let back = 0;
      let radial = 0;
      for (let ray = zone * RAYS + 4 * group; ray < zone * RAYS + 4 * group + 4; ray++) {
        back += light.rayReturn[ray] ?? 0;
        radial += (light.rayReturn[ray] ?? 0) * (light.rayRadialMm[ray] ?? 0);
      }
      const centre = (radial / back + OFFSET_MM) / DEVICE_BIN_MM;
      const height = (COUNTS * back) / (RAYS * MERGE * MERGE);
      let below = pulse(-centre);
      for (let bin = 0; bin < BINS; bin++) {
        const upTo = pulse(bin + 1 - centre);
        bins[bin] = (bins[bin] ?? 0) + height * (upTo - below);
        below = upTo;
      }
    }
  }
  if (!rng) return values;
  return values.map((bins) => bins.map((count) => count + rng.normal(0, Math.sqrt(count + 4 * ambient))));
}

/** The CNH buffer of a frame, host order. */
export function cnhBuffer(light: ZoneLight, ambient: number, rng?: Random): Uint8Array {
  return encodeCnh(cnhContentOf(histograms(light, ambient, rng), new Array<number>(AGGREGATES).fill(ambient)));
}
