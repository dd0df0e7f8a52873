import type { Calibration } from "./calibration.ts";
import type { ChannelName, GradeLetter } from "./units.ts";

/**
 * The VL53L8CH's result. Every array is row-major, `side * side` long; index = row * side + column.
 * Fractions are kept; which zones are trustworthy follows from `status` and `validStatuses`.
 */
export interface TofFrame {
  /** Zones per side: 4 or 8. */
  side: 4 | 8;
  distanceMm: number[];
  reflectancePercent: number[];
  /** Return signal per zone, in `signalUnit`. */
  signal: number[];
  ambient: number[];
  /** Unit of `signal` and `ambient`: the sensor's own, or SQAL's arbitrary one (0…4095). */
  signalUnit: "kcps/SPAD" | "sqal-au";
  status: number[];
  /** Status codes that mean a valid range in this frame's dialect (ST: 5 and 9; SQAL's new simulator: 0). */
  validStatuses: number[];
  /** CNH histogram: one array of `bins` counts per zone, first bin at the sensor. */
  histogram?: { bins: number; binWidthMm: number; counts: number[][] };
}

/** Per-zone histogram figures (row-major): computed from `TofFrame.histogram`, or taken from the device as features. */
export interface HistogramFigures {
  peakCount: number[];
  roughness: number[];
  signalQuality: number[];
  texture: number[];
  density: number[];
  peakBin: number[];
}

/** What a device computed and we cannot recompute: marked as the device's wherever it is used. */
export interface TofFeatures {
  histogramFigures?: HistogramFigures;
  /** Side of one zone on the grid the device was configured with, mm. */
  zoneSideMm?: number;
  /** Name of the configuration profile the device says it runs. */
  profile?: string;
  /** Dialect (and generation) the frame came in, e.g. `sqal`, `sqal-legacy`, where a method treats them differently. */
  dialect?: string;
}

/** The AS7341's result: raw counts by channel. */
export interface SpectralReading {
  counts: Record<ChannelName, number>;
  /** Sensor gain factor (0.5 … 512), when known. */
  gain?: number;
  /** Integration time of one SMUX pass, ms, when known. */
  integrationMs?: number;
  temperatureC?: number;
  /** Channels whose wire value was unusable and that were rebuilt from the device's ratios. */
  reconstructed: ChannelName[];
  /** Channels at or above full scale. */
  saturated: ChannelName[];
}

export interface RawBytes {
  /** What the bytes are, e.g. `sqal-json`, `uld`, `as7341-registers`. */
  format: string;
  bytes: Buffer;
}

/** A place where the product departs from its specification. */
export interface Defect {
  sensor: "vl53l8ch" | "as7341";
  /** Stable code, e.g. `foreign_body`, `surface_deformation`, `nir_violet_high`, `saturation_F5`. */
  type: string;
  /** 0 (slight) … 1 (severe). */
  severity: number;
  zone?: { row: number; column: number };
  deviationMm?: number;
  /** The figure that crossed its limit. */
  value?: number;
  /** The text of the system the formula comes from, where there is one. */
  label?: string;
}

/** Shape figures of one frame. Field names are the stored column names in camel case. */
export interface ShapeAnalysis {
  /** Which method and version computed it, e.g. `sqal/1`. */
  method: string;
  sensorHeightMm: number;
  zoneSideMm: number;
  /** Height above the tray per zone, mm, row-major. */
  heightMm: number[];
  /** Zones taken as product. */
  occupied: boolean[];
  occupiedZones: number;
  candidateZones: number;
  usedFallback: boolean;
  occupancyThresholdMm: number;
  reflectanceThreshold: number;
  signalThreshold: number;
  heightCapMm: number | null;
  heightP90Mm: number | null;
  heightP95Mm: number | null;
  /** The volume in force (the method says which rule). */
  volumeMm3: number;
  volumeSimpleMm3: number;
  volumeTrapezoidalMm3: number;
  volumeSimpsonMm3: number;
  volumeSplineMm3: number;
  /** Mass from volume and density, g. */
  massG: number;
  baseAreaMm2: number;
  averageHeightMm: number;
  minHeightMm: number;
  maxHeightMm: number;
  heightRangeMm: number;
  heightVariationMm: number;
  surfaceUniformity: number;
  reflectance: { mean: number; std: number; lowShare: number; highShare: number; anomalousWindows: number };
  signal: { mean: number; std: number; outlierShare: number; consistent: boolean };
  histogram: {
    source: "histogram" | "device";
    figures: HistogramFigures;
    means: Record<keyof HistogramFigures, number>;
  } | null;
  defects: Defect[];
}

/** Colour and spectral figures of one reading. */
export interface SpectralAnalysis {
  method: string;
  ratios: Record<string, number>;
  /** Band score 0…1 of each banded ratio. */
  bands: Record<string, number>;
  freshnessIndex: number;
  fatQualityIndex: number;
  colorUniformity: number;
  oxidationIndex: number;
  color: { l: number; a: number; b: number; deltaE: number; referenceId: string; calibrated: boolean };
  defects: Defect[];
  /** Further named figures of the method (e.g. the `sqal` method's hematoma, bile and oxidation severities). */
  figures: Record<string, number>;
}

/** One line of the explanation of a grade; `code` and `metric` are catalogue keys on the screens. */
export interface Reason {
  code: string;
  metric: string;
  value: number | null;
  /** The limit or band it was held against. */
  limit?: number | readonly [number, number];
  /** What it adds to or takes from the final score (0…1 scale); null for a veto or information. */
  effect: number | null;
  kind: "score" | "veto" | "info";
}

export interface SensorScore {
  score: number;
  grade: string;
  /** Parts of the score, each 0…1, by name. */
  parts: Record<string, number>;
}

export interface Grade {
  specId: string;
  specVersion: string;
  /** SHA-256 of the canonical spec document, hex. */
  specHash: string;
  grade: GradeLetter;
  /** Final score, 0…1. */
  score: number;
  /** The grade the score alone would give, before vetoes. */
  scoreGrade: GradeLetter;
  fusionMode: "ToF + Spectral" | "ToF only" | "Spectral only";
  tof?: SensorScore;
  spectral?: SensorScore;
  defects: Defect[];
  /** Codes of the vetoes that applied. */
  vetoes: string[];
  isCompliant: boolean;
  reasons: Reason[];
  /** Named business figures of the spec (thickness, fill, colour, process …), flat. */
  metrics: Record<string, number | string | boolean | null>;
}

/** One acquisition by one device, enriched as it travels (`msg.payload` from decode to store). */
export interface Sample {
  /** Hash of the sample's identity; unique with `measuredAt` in every table. */
  sampleUid: string;
  sampleId: string;
  deviceId: string;
  siteId: string;
  lineId: string;
  productId?: string;
  seq?: number;
  bootId?: string;
  /** ISO 8601 UTC, microseconds kept where the device gave them. */
  measuredAt: string;
  timeSource: "device" | "server";
  /** ISO 8601 UTC, stamped when the inbox took it. */
  receivedAt: string;
  transport: string;
  /** Arrived too late to describe the present: never moves a live tile. */
  isHistorical: boolean;
  /** Shift name and production day (YYYY-MM-DD) in the site's time zone. */
  shift: string;
  productionDay: string;
  lotAbattage?: string;
  eleveur?: string;
  provenance?: string;
  firmware?: string;
  temperatureC?: number;
  humidityPercent?: number;
  vl53l8ch?: { raw?: RawBytes; frame: TofFrame; features?: TofFeatures; analysis?: ShapeAnalysis; claim?: unknown };
  as7341?: { raw?: RawBytes; reading: SpectralReading; analysis?: SpectralAnalysis; claim?: unknown };
  /** What the device concluded from both sensors: stored, never used. */
  fusionClaim?: unknown;
  /** Everything else the message carried (lot metadata, truth labels of a simulator …): stored, never used. */
  metadata?: Record<string, unknown>;
  /** The device's calibration record in force at `measuredAt`; attached on the way, not stored with every row. */
  calibration?: Calibration;
  grade?: Grade;
}
