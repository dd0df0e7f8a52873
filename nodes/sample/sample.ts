import type { Calibration, CalibrationPart, CalibrationState } from "./calibration.ts";
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
  /** Range sigma per zone, mm. */
  sigmaMm?: number[];
  /** Targets found per zone. */
  targetCount?: number[];
  /** SPADs enabled per zone, as the firmware gives it. */
  spads?: number[];
  /**
   * Every target of every zone where the sensor was asked for more than one; index = zone * perZone + target. The arrays
   * above hold the first valid target of a zone, else its first.
   */
  targets?: {
    perZone: number;
    distanceMm?: number[];
    reflectancePercent?: number[];
    signal?: number[];
    sigmaMm?: number[];
    status: number[];
  };
  /** Compact normalised histograms, where the sensor sends them. */
  cnh?: TofHistograms;
  siliconTempC?: number;
  /** The sensor's own frame counter, 0…254. */
  streamCount?: number;
  /** Overwritten while it was read, or cut: no zone is valid (`validStatuses` is empty). Absent where it cannot be told. */
  corrupted?: boolean;
  /** Outputs the frame does not hold; their arrays here are filled with 0, `status` with 255 (no target). */
  missing?: TofOutput[];
}

export type TofOutput = "distanceMm" | "reflectancePercent" | "signal" | "ambient" | "status";

/** The VL53L8CH's compact normalised histograms (CNH), one per aggregate of zones. */
export interface TofHistograms {
  aggregates: number;
  bins: number;
  /** By aggregate and bin; ambient is subtracted, so that a bin may be negative. */
  values: number[][];
  /** By aggregate. */
  ambient: number[];
  residual?: number;
  /** From the device's configuration: first device bin, device bins per bin, zone → aggregate (-1: in none). */
  startBin?: number;
  subSample?: number;
  zoneMap?: number[];
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
  /** Channels at or above full scale, or of a pass whose saturation flag was set. */
  saturated: ChannelName[];
  /** Why, where the decoder looked at more than 65535: which channels, by which sign, of which SMUX pass (1 or 2). */
  saturation?: { reason: "flag" | "full-scale" | "device"; pass?: 1 | 2; channels: ChannelName[] }[];
  /** Channels the source does not have; their entry in `counts` is 0 and means nothing. */
  absent?: ChannelName[];
  /** Registers ATIME (0…255) and ASTEP (0…65534). */
  aTime?: number;
  aStep?: number;
  /** Largest count this timing allows: min(65535, (ATIME + 1)(ASTEP + 1)). */
  fullScale?: number;
  /** counts / (gain · ms); none for absent and saturated channels, none at all while something is `missing`. */
  basicCounts?: Partial<Record<ChannelName, number>>;
  /** What is lacking for basic counts. */
  missing?: ("gain" | "integration-time")[];
  /** The SMUX passes as read, in order. */
  passes?: SpectralPass[];
  /** Second pass over first, per gain, of the two channels that both passes read. */
  passRatio?: { Clear?: number; NIR?: number };
  /** Light or product moved between the passes, beyond noise. */
  moved?: boolean;
  /** Set when F5…F8's basic counts were scaled to the first pass by `passRatio.Clear`. */
  scaledToFirstPass?: boolean;
  flicker?: Flicker;
}

/** One SMUX pass of the AS7341: six converters, CH0…CH5. */
export interface SpectralPass {
  pass: 1 | 2;
  /** Which channel each converter was connected to. */
  channels: ChannelName[];
  counts: number[];
  /** Gain factor latched with this pass. */
  gain?: number;
  /** A saturation flag was set: every count of the pass is worthless, whatever it looks like. */
  saturationFlag?: boolean;
}

/** The AS7341's flicker detector (register FD_STATUS). */
export interface Flicker {
  status: number;
  isValid: boolean;
  isSaturated: boolean;
  /** 100 or 120 Hz; null when the detector found neither. */
  hz: 100 | 120 | null;
  /** The integration time is no multiple of the flicker's period, so counts ripple with the room's light. */
  ripples?: boolean;
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
  /** Place on the product, mm from its middle along the sensor's columns (x) and rows (y), and width. */
  positionMm?: readonly [number, number];
  diameterMm?: number;
  /** The figure that crossed its limit. */
  value?: number;
  /** The text of the system the formula comes from, where there is one. */
  label?: string;
}

/** What a frame, or all frames of a passage, show: a whole product, a part of one, or none. */
export type Presence = "PRODUCT" | "PARTIAL" | "NO_PRODUCT";

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
  candidateZones?: number;
  usedFallback?: boolean;
  occupancyThresholdMm: number;
  reflectanceThreshold?: number;
  signalThreshold?: number;
  heightCapMm: number | null;
  heightP90Mm: number | null;
  heightP95Mm: number | null;
  /** The volume in force (the method says which rule). */
  volumeMm3: number;
  volumeSimpleMm3: number;
  volumeTrapezoidalMm3?: number;
  volumeSimpsonMm3?: number;
  volumeSplineMm3?: number;
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
  /** What is in view: a whole product, a part of one, or none. Absent where the method does not judge it. */
  presence?: Presence;
  /** Half widths of the 95 % intervals around `massG` and `volumeMm3`. */
  massHalfWidthG?: number;
  volumeHalfWidthMm3?: number;
  /** Greatest extent in plan, the extent square to it, and the greatest height. */
  lengthMm?: number;
  widthMm?: number;
  thicknessMm?: number;
  /** Outline of the product at half its height, mm from its middle, closed, one vertex after the other. */
  outlineMm?: [number, number][];
  /** Standard deviation of the surface around its own smooth shape, mm. */
  roughnessMm?: number;
  /** Share of the product that was in view, 0…1. */
  coverage?: number;
  /** By a tare in force; else `uncalibratedReasons` says why not (`no-tof-calibration`, `belt-estimated` …). */
  calibrated?: boolean;
  uncalibratedReasons?: string[];
  /** Of a product seen in several frames: how many were used, and its speed across the view. */
  framesUsed?: number;
  speedMmS?: number;
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
  /**
   * Whether the figures rest on a valid calibration. Where a method says false, every figure that would need one is NaN
   * (in JSON and in the database: null). Absent for methods that know no calibration.
   */
  calibrated?: boolean;
  /** Why not: `no-calibration`, `missing-gain`, `missing-integration-time`, `saturated`, `bad-white`, `too-few-channels`. */
  uncalibratedReasons?: string[];
  /** Reflectance 0…1 per channel, and one standard deviation of it. */
  reflectance?: Partial<Record<ChannelName, number>>;
  reflectanceSigma?: Partial<Record<ChannelName, number>>;
  /** D65, 2°, Y = 1 for the perfect diffuser. */
  xyz?: [x: number, y: number, z: number];
  indices?: SpectralIndices;
  /** One standard deviation of each. */
  indexSigmas?: SpectralIndices;
  /** How ill the tissue model fits: sum of squares of the channels' residuals in their sigmas. */
  fitChiSquare?: number;
}

/** What the unmixing of a reflectance spectrum finds. */
export interface SpectralIndices {
  /** Share of the spectral spot under pooled blood, and under spilt bile, 0…1. */
  blood: number;
  bile: number;
  /** Carotenoid yellow, and browning at 450 nm: absorption over scattering. */
  yellowness: number;
  browning: number;
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
  /** The most it can add to the final score, where it only adds: what is missing to it was lost here. */
  most?: number;
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
  /** The message as it came, where the sensors' parts keep less than that; for quarantine, not stored with the rows. */
  message?: RawBytes;
  /** Arrived too late to describe the present: never moves a live tile. */
  isHistorical: boolean;
  /** Shift name and production day (YYYY-MM-DD) in the site's time zone. */
  shift: string;
  productionDay: string;
  lotAbattage?: string;
  eleveur?: string;
  provenance?: string;
  /** Who says which lot and breeder: the sample itself, or its line's record `assignmentId` in force at `measuredAt`. */
  lotSource?: "sample" | "line";
  assignmentId?: string;
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
  /** Why it is, or is not, there: how each part stood at `measuredAt`. */
  calibrationState?: Record<CalibrationPart, CalibrationState>;
  grade?: Grade;
  /**
   * `product`: carries the figures of a whole product and is graded; `frame`: one of the frames behind it, or of no whole
   * product: stored, never graded nor counted. Absent until products were told apart.
   */
  role?: "product" | "frame";
  presence?: Presence;
}
