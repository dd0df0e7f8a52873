import type { TofFrame } from "../../nodes/sample/sample.ts";
import { type BeltOptics, ZONES, type ZoneLight } from "./belt-optics.ts";
import type { Random } from "./random.ts";

/** Return signal of a surface of reflectance 1, square on, at 300 mm, kcps/SPAD. */
const SIGNAL_AT_300_MM = 120;
/** Standard deviation of a range at reflectance 0.5 and 300 mm without ambient light, mm. */
const SIGMA_AT_60_KCPS = 1.1;
/** A weaker surface reads longer: mm per e-fold of reflectance (real parts: 1 to 3 mm from dark to bright). */
const REFLECTANCE_BIAS_MM = 1;
/** Real parts read some millimetres long near by; the tare takes it out. */
const CLOSE_RANGE_BIAS_MM = 3;
/** Surfaces further apart than this within a zone are flagged as merged (status 9). */
const MERGED_SPREAD_MM = 9;

/** A result of the sensor; values are as the registers hold them. */
export type BeltFrame = TofFrame & Required<Pick<TofFrame, "sigmaMm" | "targetCount" | "spads" | "siliconTempC">>;

/** Per-zone and common tolerances of one device. */
export interface SensorTolerances {
  responsivity: Float64Array;
  offsetMm: Float64Array;
  reflectanceBiasMm: number;
}

export function drawTolerances(rng: Random): SensorTolerances {
  const common = CLOSE_RANGE_BIAS_MM + rng.normal(0, 0.5);
  return {
    responsivity: Float64Array.from({ length: ZONES }, () => rng.clipped(1, 0.04, 0.85, 1.15)),
    offsetMm: Float64Array.from({ length: ZONES }, () => common + rng.normal(0, 0.8)),
    reflectanceBiasMm: REFLECTANCE_BIAS_MM * rng.clipped(1, 0.15, 0.6, 1.4),
  };
}

/** As a register with `steps` to the unit holds it. */
const rounded = (value: number, steps: number, low: number, high: number): number =>
  Math.round(Math.min(high, Math.max(low, value)) * steps) / steps;

export interface Conditions {
  /** kcps/SPAD. */
  ambient: number;
  temperatureC: number;
  /** Drift of all ranges since the sensor was switched on, mm. */
  driftMm: number;
}

/**
 * What the chip makes of the light.
 * @param noise 0 for the ideal sensor (quantisation and fixed biases stay)
 */
export function rangeFrame(
  light: ZoneLight,
  optics: BeltOptics,
  sensor: SensorTolerances,
  conditions: Conditions,
  rng: Random,
  noise = 1,
): BeltFrame {
  const frame: BeltFrame = {
    side: 8,
    distanceMm: [],
    reflectancePercent: [],
    signal: [],
    ambient: [],
    signalUnit: "kcps/SPAD",
    status: [],
    validStatuses: [5, 9],
    sigmaMm: [],
    targetCount: [],
    spads: [],
    siliconTempC: Math.round(conditions.temperatureC),
  };
  for (let zone = 0; zone < ZONES; zone++) {
    const responsivity = sensor.responsivity[zone] ?? 1;
    const stretch = optics.zoneStretch[zone] ?? 1;
    const radial = light.radialMm[zone] ?? 0;
    const expected = SIGNAL_AT_300_MM * (light.signal[zone] ?? 0) * responsivity;
    const ambient = Math.max(0, conditions.ambient * responsivity * (1 + noise * rng.normal(0, 0.04)));
    const signal = Math.max(0, expected * (1 + noise * rng.normal(0, 0.01)));
    // Shot noise of signal and of the ambient light under the pulse, and a floor.
    const sigma =
      SIGMA_AT_60_KCPS * Math.sqrt((60 / Math.max(0.5, expected)) * (1 + ambient / Math.max(0.5, expected)));
    const bias =
      (sensor.offsetMm[zone] ?? 0) -
      sensor.reflectanceBiasMm * Math.log((light.reflectance[zone] ?? 0.5) / 0.5) +
      conditions.driftMm;
    const depth = radial / stretch + bias + noise * sigma * rng.normal(0, 1);
    const estimate = ((signal / SIGNAL_AT_300_MM) * (radial * radial)) / 90_000;
    const chance = noise > 0 ? rng.next() : 1;
    const missed = chance < 0.0003 || signal < 1;
    frame.distanceMm.push(rounded(depth, 4, 0, 4000));
    frame.sigmaMm.push(rounded(sigma * (1 + noise * rng.normal(0, 0.06)), 128, 0, 511));
    frame.signal.push(rounded(signal, 2048, 0, 8000));
    frame.ambient.push(rounded(ambient, 2048, 0, 8000));
    frame.reflectancePercent.push(rounded(100 * estimate, 2, 0, 127.5));
    frame.spads.push(Math.round(20 * 256 * responsivity));
    frame.targetCount.push(missed ? 0 : 1);
    frame.status.push(
      missed
        ? 255
        : chance < 0.0015
          ? 10
          : chance < 0.002
            ? 6
            : sigma > 15
              ? 3
              : (light.spreadMm[zone] ?? 0) > MERGED_SPREAD_MM
                ? 9
                : 5,
    );
  }
  return frame;
}
