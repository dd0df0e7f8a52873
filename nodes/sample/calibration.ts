import type { ChannelName } from "./units.ts";

/** Side of the product whose grade needs calibration: geometry (ToF) or colour (spectral). */
export type CalibrationPart = "tof" | "spectral";

/**
 * How a part of a device's calibration stood when a sample was measured; `unknown`: the records could not be read in
 * time. Valid while `valid` or `expiring`.
 */
export type CalibrationState = "valid" | "expiring" | "expired" | "missing" | "unknown";

/** What the ToF sensor sees with an empty belt, and how it is mounted. */
export interface TofCalibration {
  /** Zones per side of the arrays below. */
  side: 4 | 8;
  /** Empty-belt distance per zone (perpendicular to the sensor plane), row-major, mm: the tare. */
  beltDistanceMm: number[];
  /** Standard deviation of those distances over the frames of the tare, mm. */
  beltSigmaMm: number[];
  /** Belt's reflectance as the sensor reports it, per zone, percent. */
  beltReflectancePercent?: number[];
  /** Height of the sensor above the belt under its axis, mm, and the belt's tilt against the sensor plane, degrees. */
  sensorHeightMm: number;
  tiltXDeg: number;
  tiltYDeg: number;
  /** Full field of view of one side of the grid, degrees (45 for VL53L5/L8, 90 diagonal for L7). */
  fieldOfViewDeg: number;
  frames: number;
}

/** Basic counts (raw / (gain · ms)) of the AS7341 in the dark and on a white standard, at the product's place. */
export interface SpectralCalibration {
  darkBasicCounts: Record<ChannelName, number>;
  whiteBasicCounts: Record<ChannelName, number>;
  /** Reflectance of the white standard, 0…1, by channel. */
  whiteReflectance: Record<ChannelName, number>;
  /** Multiplies basic counts, by gain factor ("0.5" … "512"); absent: 1. */
  gainCorrection?: Record<string, number>;
  /** XYZ (Y = 1 for the perfect diffuser) from the reflectances F1…F8 by a 3×8 matrix, fitted from a chart by ridge least squares. */
  colorMatrix?: { rows: [number[], number[], number[]]; ridge: number; chart: string; meanDeltaE: number };
}

/** One dated, versioned record for one device; later versions replace earlier ones from `validFrom` on. */
export interface Calibration {
  calibrationId: string;
  deviceId: string;
  /** 1, 2, … per device. */
  version: number;
  /** ISO 8601 UTC. The record is in force for samples measured in [validFrom, validUntil). */
  validFrom: string;
  validUntil: string;
  madeBy: string;
  /** Why it was made, in the maker's words. */
  reason: string;
  tof?: TofCalibration;
  spectral?: SpectralCalibration;
}
