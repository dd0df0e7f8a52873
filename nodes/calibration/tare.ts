import type { TofCalibration } from "../sample/calibration.ts";
import type { TofFrame } from "../sample/sample.ts";
import { mean, median } from "../sample/statistics.ts";
import type { Finding } from "./finding.ts";
import { type BeltPlane, fitPlane, planeDistances } from "./plane.ts";

/** The bounds within which an empty belt under a sensor is believed. Lengths in mm. */
export interface TareLimits {
  /** Share of the frames in which a zone must have a valid range. */
  minValidShare: number;
  /** Furthest a zone's distance may lie from the belt's plane. Zones of a sound sensor differ by some mm among themselves. */
  flatnessMm: number;
  /** Largest standard deviation of a zone: at least this, or the share of its distance. */
  sigmaMm: number;
  sigmaShare: number;
  minHeightMm: number;
  maxHeightMm: number;
  maxTiltDeg: number;
  /** Side of the view on the belt below which a liver does not fit. */
  minViewMm: number;
  /** Change of height since the record in force that is worth a look. */
  heightChangeMm: number;
}

export const TARE_LIMITS: Readonly<TareLimits> = {
  minValidShare: 0.8,
  flatnessMm: 10,
  sigmaMm: 5,
  sigmaShare: 0.02,
  minHeightMm: 50,
  maxHeightMm: 1000,
  maxTiltDeg: 10,
  minViewMm: 200,
  heightChangeMm: 10,
};

export interface TareResult {
  /** Absent while no zone grid could be made of the frames. */
  tof?: TofCalibration;
  /** Root mean square, and largest, distance of a zone from the fitted plane, mm. */
  residualRmsMm?: number;
  residualMaxMm?: number;
  /** Median over the zones of their standard deviation, mm. */
  sigmaMm?: number;
  /** Side of the view on the belt, mm. */
  viewSideMm?: number;
  findings: Finding[];
}

const MAD_TO_SIGMA = 1.4826;
/** Readings within this of a zone's median always count: sensors round to a millimetre. */
const LEAST_SPREAD_MM = 1;
/** Smallest standard deviation stated, mm: equal readings are rounded ones (uniform over 1 mm), not perfect ones. */
const ROUNDING_SIGMA_MM = 1 / Math.sqrt(12);

/**
 * Makes a tare of frames of an empty belt: per zone the mean and standard deviation of the valid distances within three
 * robust standard deviations (1.4826 · MAD) of their median, a plane through the zones (height, tilt), and the checks.
 * @param frames of one device, in any order; frames of another resolution than the first are set aside
 * @param fieldOfViewDeg full field of view of one side of the grid
 * @param previous the tare in force, to tell a change of height
 */
export function tareOf(
  frames: readonly TofFrame[],
  fieldOfViewDeg: number,
  previous?: TofCalibration,
  limits: Readonly<TareLimits> = TARE_LIMITS,
): TareResult {
  const side = frames[0]?.side;
  if (side === undefined) return { findings: [{ code: "no-frames", severity: "error", values: {} }] };
  const usable = frames.filter((frame) => frame.side === side);
  const findings: Finding[] = [];
  if (usable.length < frames.length) {
    findings.push({ code: "mixed-resolution", severity: "error", values: { frames: frames.length - usable.length } });
  }
  const zones = zonesOf(usable, side);
  const invalid = zones.filter(({ validShare }) => validShare < limits.minValidShare).length;
  if (invalid > 0) findings.push({ code: "zones-invalid", severity: "error", values: { zones: invalid } });
  if (zones.some(({ validShare }) => validShare === 0)) return { findings };

  const beltDistanceMm = zones.map(({ distanceMm }) => distanceMm);
  const plane = robustPlane(beltDistanceMm, side, fieldOfViewDeg, limits.flatnessMm);
  const residuals = residualsOf(plane, beltDistanceMm, side, fieldOfViewDeg);
  const residualRmsMm = Math.sqrt(mean(residuals.map((mm) => mm * mm)));
  const residualMaxMm = Math.max(...residuals.map(Math.abs));
  // Something on the belt is nearer than the belt; a bent belt or a step is off on both sides.
  const nearer = residuals.filter((mm) => mm < -limits.flatnessMm).length;
  const farther = residuals.filter((mm) => mm > limits.flatnessMm).length;
  if (nearer > 0) {
    findings.push({ code: "belt-not-empty", severity: "error", values: { zones: nearer, mm: residualMaxMm } });
  } else if (farther > 0) {
    findings.push({ code: "belt-not-flat", severity: "error", values: { zones: farther, mm: residualMaxMm } });
  }

  const unsteady = zones.filter(
    ({ sigmaMm, distanceMm }) => sigmaMm > Math.max(limits.sigmaMm, limits.sigmaShare * distanceMm),
  );
  if (unsteady.length > 0) {
    const worstMm = Math.max(...unsteady.map(({ sigmaMm }) => sigmaMm));
    findings.push({ code: "belt-unsteady", severity: "error", values: { zones: unsteady.length, mm: worstMm } });
  }
  const tiltXDeg = degrees(Math.atan(plane.slopeX));
  const tiltYDeg = degrees(Math.atan(plane.slopeY));
  const viewSideMm = 2 * plane.heightMm * Math.tan((fieldOfViewDeg / 2) * (Math.PI / 180));
  findings.push(...mountFindings(plane, tiltXDeg, tiltYDeg, viewSideMm, previous, limits));

  const reflectance = zones.map(({ reflectancePercent }) => reflectancePercent);
  return {
    tof: {
      side,
      beltDistanceMm,
      beltSigmaMm: zones.map(({ sigmaMm }) => sigmaMm),
      beltReflectancePercent: reflectance,
      sensorHeightMm: plane.heightMm,
      tiltXDeg,
      tiltYDeg,
      fieldOfViewDeg,
      frames: usable.length,
    },
    residualRmsMm,
    residualMaxMm,
    sigmaMm: median(zones.map(({ sigmaMm }) => sigmaMm)) ?? 0,
    viewSideMm,
    findings,
  };
}

interface Zone {
  validShare: number;
  distanceMm: number;
  sigmaMm: number;
  reflectancePercent: number;
}

function zonesOf(frames: readonly TofFrame[], side: number): Zone[] {
  return Array.from({ length: side * side }, (_, index) => {
    const distances: number[] = [];
    const reflectances: number[] = [];
    for (const { distanceMm, status, validStatuses, reflectancePercent } of frames) {
      const mm = distanceMm[index];
      if (mm === undefined || !(mm > 0) || !validStatuses.includes(status[index] ?? Number.NaN)) continue;
      distances.push(mm);
      reflectances.push(reflectancePercent[index] ?? 0);
    }
    return {
      validShare: frames.length === 0 ? 0 : distances.length / frames.length,
      ...robustMean(distances),
      reflectancePercent: median(reflectances) ?? 0,
    };
  });
}

function robustMean(values: readonly number[]): { distanceMm: number; sigmaMm: number } {
  const middle = median(values) ?? 0;
  const spread = MAD_TO_SIGMA * (median(values.map((value) => Math.abs(value - middle))) ?? 0);
  const reach = Math.max(3 * spread, LEAST_SPREAD_MM);
  const kept = values.filter((value) => Math.abs(value - middle) <= reach);
  const distanceMm = mean(kept);
  const variance = kept.reduce((sum, value) => sum + (value - distanceMm) ** 2, 0) / Math.max(1, kept.length - 1);
  return { distanceMm, sigmaMm: Math.max(Math.sqrt(variance), ROUNDING_SIGMA_MM) };
}

/** A plane that a thing on the belt does not lift: zones off the plane of the rest are left out. */
function robustPlane(distanceMm: readonly number[], side: number, fieldOfViewDeg: number, offMm: number): BeltPlane {
  let plane = fitPlane(distanceMm, side, fieldOfViewDeg);
  for (let round = 0; round < 3; round += 1) {
    const residuals = residualsOf(plane, distanceMm, side, fieldOfViewDeg);
    const middle = median(residuals) ?? 0;
    const spread = MAD_TO_SIGMA * (median(residuals.map((mm) => Math.abs(mm - middle))) ?? 0);
    const reach = Math.max(2.5 * spread, offMm / 2);
    const kept = residuals.map((mm) => Math.abs(mm - middle) <= reach);
    // With fewer than half the zones the rest is no longer "the belt".
    if (kept.filter(Boolean).length < distanceMm.length / 2) break;
    plane = fitPlane(distanceMm, side, fieldOfViewDeg, (index) => kept[index] === true);
  }
  return plane;
}

function residualsOf(plane: BeltPlane, distanceMm: readonly number[], side: number, fieldOfViewDeg: number): number[] {
  const flat = planeDistances(plane, side, fieldOfViewDeg);
  return distanceMm.map((mm, index) => mm - (flat[index] ?? mm));
}

function mountFindings(
  plane: BeltPlane,
  tiltXDeg: number,
  tiltYDeg: number,
  viewSideMm: number,
  previous: TofCalibration | undefined,
  limits: Readonly<TareLimits>,
): Finding[] {
  const findings: Finding[] = [];
  const heightMm = plane.heightMm;
  if (!(heightMm >= limits.minHeightMm && heightMm <= limits.maxHeightMm)) {
    const { minHeightMm, maxHeightMm } = limits;
    findings.push({ code: "height-implausible", severity: "error", values: { heightMm, minHeightMm, maxHeightMm } });
  }
  const tiltDeg = Math.max(Math.abs(tiltXDeg), Math.abs(tiltYDeg));
  if (tiltDeg > limits.maxTiltDeg) {
    const values = { tiltDeg, maxTiltDeg: limits.maxTiltDeg };
    findings.push({ code: "tilt-implausible", severity: "error", values });
  }
  if (viewSideMm < limits.minViewMm) {
    findings.push({ code: "view-too-small", severity: "warning", values: { viewSideMm, neededMm: limits.minViewMm } });
  }
  const changeMm = previous ? heightMm - previous.sensorHeightMm : 0;
  if (Math.abs(changeMm) > limits.heightChangeMm) {
    findings.push({ code: "height-changed", severity: "warning", values: { changeMm } });
  }
  return findings;
}

const degrees = (radians: number) => radians * (180 / Math.PI);
