import { type StoredBytes, storedBytes } from "../sample/raw-bytes.ts";
import type {
  HistogramFigures,
  Sample,
  ShapeAnalysis,
  SpectralAnalysis,
  TofFeatures,
  TofFrame,
} from "../sample/sample.ts";
import { thicknessMmOf } from "../sample/thickness.ts";
import { CHANNELS } from "../sample/units.ts";
import { jsonText, plainText } from "./json-text.ts";
import {
  type Cells,
  type Column,
  type ColumnType,
  cellsOf,
  insertSql,
  parametersOf,
  type Table,
  type TypedParameter,
} from "./table.ts";

/** A sample on its way into the tables, with the inbox entry that brought it. */
export interface Arrival {
  entryId: string;
  sample: Sample;
}

/** By table, as in `SAMPLE_ROWS`; undefined where the sample has no row. */
export type SampleRows = readonly (Cells | undefined)[];

type Source<P> = Arrival & { part: P };
type Columns<S> = Column<S>[];

const column = <S>(name: string, type: ColumnType, of: Column<S>["of"]): Column<S> => ({ name, type, of });
const text = <S>(name: string, of: (source: S) => string | undefined): Column<S> =>
  column(name, "text", (source) => {
    const value = of(source);
    return value === undefined ? null : plainText(value);
  });
/** What is not a number, as figures without the calibration they need, is null: a NaN would spoil every mean over it. */
const number = <S>(name: string, of: (source: S) => number | null | undefined): Column<S> =>
  column(name, "float8", (source) => {
    const value = of(source);
    return typeof value === "number" && Number.isNaN(value) ? null : value;
  });
const json = <S>(name: string, of: (source: S) => unknown): Column<S> =>
  column(name, "jsonb", (source) => jsonText(of(source)));

/** Columns every sample table begins with. */
const identity = <S extends Arrival>(): Columns<S> => [
  column("time", "timestamptz", ({ sample }) => sample.measuredAt),
  text("device_id", ({ sample }) => sample.deviceId),
  text("sample_id", ({ sample }) => sample.sampleId),
  text("sample_uid", ({ sample }) => sample.sampleUid),
  text("site_id", ({ sample }) => sample.siteId),
  text("line_id", ({ sample }) => sample.lineId),
  text("entry_id", ({ entryId }) => entryId),
  column("received_at", "timestamptz", ({ sample }) => sample.receivedAt),
  text("product_id", ({ sample }) => sample.productId),
  column("is_historical", "boolean", ({ sample }) => sample.isHistorical),
];

/** How a sample came; in the raw tables and with the result. */
const origin = <S extends Arrival>(): Columns<S> => [
  text("boot_id", ({ sample }) => sample.bootId),
  column("seq", "bigint", ({ sample }) => sample.seq),
  text("transport", ({ sample }) => sample.transport),
  text("time_source", ({ sample }) => sample.timeSource),
  text("firmware", ({ sample }) => sample.firmware),
];

/** Row-major zones as rows of a matrix. */
export function matrix<T>(zones: readonly T[], side: number): T[][] {
  const rows: T[][] = [];
  for (let row = 0; row < side; row += 1) rows.push(zones.slice(row * side, (row + 1) * side));
  return rows;
}

/** Whatever else the message carried is kept once: with the result, or with the raw rows of a sample that has none. */
const metadataWithoutGrade = ({ sample }: Arrival) => (sample.grade ? undefined : sample.metadata);

/** What the raw tables keep of a sensor's part, its bytes as they are stored. */
interface Kept {
  kept: StoredBytes | undefined;
}
type Vl = NonNullable<Sample["vl53l8ch"]> & Kept;
type As = NonNullable<Sample["as7341"]> & Kept;

/** The message as it came. */
const rawColumns = <P extends { raw?: { format: string } } & Kept>(): Columns<Source<P>> => [
  text("raw_format", ({ part }) => part.kept && part.raw?.format),
  column("raw_bytes", "bytea", ({ part }) => part.kept?.bytes),
  text("raw_encoding", ({ part }) => part.kept?.encoding ?? undefined),
  column("raw_length", "integer", ({ part }) => part.kept?.length),
];

const zones = (name: string, of: (frame: TofFrame) => readonly unknown[]) =>
  json<Source<Vl>>(name, ({ part: { frame } }) => matrix(of(frame), frame.side));

const VL53L8CH_RAW: Table<Source<Vl>> = {
  name: "vl53l8ch_raw",
  columns: [
    ...identity<Source<Vl>>(),
    ...origin<Source<Vl>>(),
    number("temperature", ({ sample }) => sample.temperatureC),
    number("humidity", ({ sample }) => sample.humidityPercent),
    zones("distance_matrix", (frame) => frame.distanceMm),
    zones("reflectance_matrix", (frame) => frame.reflectancePercent),
    zones("amplitude_matrix", (frame) => frame.signal),
    zones("ambient_matrix", (frame) => frame.ambient),
    zones("status_matrix", (frame) => frame.status),
    // 64 x 128 counts as JSON are ten times the message; where the message is kept they are read from it.
    json("bins_matrix", ({ part: { raw, frame } }) =>
      raw || !frame.histogram ? undefined : matrix(frame.histogram.counts, frame.side),
    ),
    json("sigma_matrix", ({ part: { frame } }) => frame.sigmaMm && matrix(frame.sigmaMm, frame.side)),
    column("corrupted", "boolean", ({ part }) => part.frame.corrupted),
    number("silicon_temp", ({ part }) => part.frame.siliconTempC),
    column("stream_count", "integer", ({ part }) => part.frame.streamCount),
    text("presence", ({ sample }) => sample.presence),
    text("signal_unit", ({ part }) => part.frame.signalUnit),
    json("valid_statuses", ({ part }) => part.frame.validStatuses),
    column("bins", "integer", ({ part }) => part.frame.histogram?.bins),
    number("bin_width_mm", ({ part }) => part.frame.histogram?.binWidthMm),
    // Its maps of histogram figures cost the database a fifth of what a sample does; where the message is kept they are in it.
    json("features", ({ part: { kept, features } }) => (kept && features ? withoutMaps(features) : features)),
    json("claim", ({ part }) => part.claim),
    json("metadata", metadataWithoutGrade),
    ...rawColumns<Vl>(),
  ],
};

const AS7341_RAW: Table<Source<As>> = {
  name: "as7341_raw",
  columns: [
    ...identity<Source<As>>(),
    ...origin<Source<As>>(),
    number("temperature", ({ part, sample }) => part.reading.temperatureC ?? sample.temperatureC),
    number("integration_time_ms", ({ part }) => part.reading.integrationMs),
    number("gain", ({ part }) => part.reading.gain),
    json("channels", ({ part }) => part.reading.counts),
    ...CHANNELS.map((channel) =>
      number<Source<As>>(channel.toLowerCase(), ({ part: { reading } }) =>
        reading.absent?.includes(channel) ? undefined : reading.counts[channel],
      ),
    ),
    column("atime", "integer", ({ part }) => part.reading.aTime),
    column("astep", "integer", ({ part }) => part.reading.aStep),
    number("full_scale", ({ part }) => part.reading.fullScale),
    json("basic_counts", ({ part }) => part.reading.basicCounts),
    json("missing", ({ part }) => part.reading.missing),
    json("absent", ({ part }) => part.reading.absent),
    json("passes", ({ part }) => part.reading.passes),
    number("pass_ratio_clear", ({ part }) => part.reading.passRatio?.Clear),
    column("moved", "boolean", ({ part }) => part.reading.moved),
    column("flicker_hz", "integer", ({ part: { reading } }) => reading.flicker && (reading.flicker.hz ?? 0)),
    column("num_saturated", "integer", ({ part }) => part.reading.saturated.length),
    text("presence", ({ sample }) => sample.presence),
    json("reconstructed", ({ part }) => part.reading.reconstructed),
    json("saturated", ({ part }) => part.reading.saturated),
    json("claim", ({ part }) => part.claim),
    json("metadata", (source) => (source.sample.vl53l8ch ? undefined : metadataWithoutGrade(source))),
    ...rawColumns<As>(),
  ],
};

function withoutMaps({ histogramFigures: _maps, ...rest }: TofFeatures): Omit<TofFeatures, "histogramFigures"> {
  return rest;
}

function vlOf({ vl53l8ch: part }: Sample): Vl | undefined {
  return part && { ...part, kept: part.raw && storedBytes(part.raw.bytes) };
}

/** The reading keeps its raw bytes unless the frame's row holds the same. */
function asOf({ vl53l8ch, as7341: part }: Sample): As | undefined {
  const isFrames = part?.raw && vl53l8ch?.raw?.bytes.equals(part.raw.bytes);
  return part && { ...part, kept: isFrames ? undefined : part.raw && storedBytes(part.raw.bytes) };
}

type Shape = Source<ShapeAnalysis>;
const FIGURES = [
  "peakCount",
  "roughness",
  "signalQuality",
  "texture",
  "density",
  "peakBin",
] as const satisfies readonly (keyof HistogramFigures)[];
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const shapeNumber = (name: string, of: (shape: ShapeAnalysis) => number | null | undefined) =>
  number<Shape>(name, ({ part }) => of(part));

const VL53L8CH_ANALYSIS: Table<Shape> = {
  name: "vl53l8ch_analysis",
  columns: [
    ...identity<Shape>(),
    text("analysis_version", ({ part }) => part.method),
    text("grade", ({ sample }) => sample.grade?.tof?.grade),
    number("quality_score", ({ sample }) => sample.grade?.tof?.score),
    shapeNumber("volume_mm3", (a) => a.volumeMm3),
    shapeNumber("volume_simple_mm3", (a) => a.volumeSimpleMm3),
    shapeNumber("volume_trapezoidal_mm3", (a) => a.volumeTrapezoidalMm3),
    shapeNumber("volume_simpson_mm3", (a) => a.volumeSimpsonMm3),
    shapeNumber("volume_spline_mm3", (a) => a.volumeSplineMm3),
    shapeNumber("mass_g", (a) => a.massG),
    shapeNumber("base_area_mm2", (a) => a.baseAreaMm2),
    shapeNumber("avg_height_mm", (a) => a.averageHeightMm),
    shapeNumber("min_height_mm", (a) => a.minHeightMm),
    shapeNumber("max_height_mm", (a) => a.maxHeightMm),
    shapeNumber("height_range_mm", (a) => a.heightRangeMm),
    shapeNumber("height_variation_mm", (a) => a.heightVariationMm),
    shapeNumber("height_p90_mm", (a) => a.heightP90Mm),
    shapeNumber("height_p95_mm", (a) => a.heightP95Mm),
    shapeNumber("height_cap_mm", (a) => a.heightCapMm),
    shapeNumber("surface_uniformity", (a) => a.surfaceUniformity),
    shapeNumber("sensor_height_mm", (a) => a.sensorHeightMm),
    shapeNumber("zone_side_mm", (a) => a.zoneSideMm),
    column("occupied_zones", "integer", ({ part }) => part.occupiedZones),
    column("candidate_zones", "integer", ({ part }) => part.candidateZones),
    column("used_fallback", "boolean", ({ part }) => part.usedFallback),
    shapeNumber("occupancy_threshold_mm", (a) => a.occupancyThresholdMm),
    shapeNumber("reflectance_threshold", (a) => a.reflectanceThreshold),
    shapeNumber("signal_threshold", (a) => a.signalThreshold),
    shapeNumber("reflectance_mean", (a) => a.reflectance.mean),
    shapeNumber("reflectance_std", (a) => a.reflectance.std),
    shapeNumber("reflectance_low_share", (a) => a.reflectance.lowShare),
    shapeNumber("reflectance_high_share", (a) => a.reflectance.highShare),
    column("reflectance_anomalous_windows", "integer", ({ part }) => part.reflectance.anomalousWindows),
    shapeNumber("signal_mean", (a) => a.signal.mean),
    shapeNumber("signal_std", (a) => a.signal.std),
    shapeNumber("signal_outlier_share", (a) => a.signal.outlierShare),
    column("signal_consistent", "boolean", ({ part }) => part.signal.consistent),
    text("histogram_source", ({ part }) => part.histogram?.source),
    ...FIGURES.map((figure) => shapeNumber(`histogram_${snake(figure)}`, (a) => a.histogram?.means[figure] ?? null)),
    text("role", ({ sample }) => sample.role),
    text("presence", ({ part }) => part.presence),
    shapeNumber("mass_half_width_g", (a) => a.massHalfWidthG),
    shapeNumber("volume_half_width_mm3", (a) => a.volumeHalfWidthMm3),
    shapeNumber("length_mm", (a) => a.lengthMm),
    shapeNumber("width_mm", (a) => a.widthMm),
    shapeNumber("thickness_mm", (a) => a.thicknessMm),
    json("outline_mm", ({ part }) => part.outlineMm),
    shapeNumber("roughness_mm", (a) => a.roughnessMm),
    shapeNumber("coverage", (a) => a.coverage),
    column("calibrated", "boolean", ({ part }) => part.calibrated),
    json("uncalibrated_reasons", ({ part }) => part.uncalibratedReasons),
    text("calibration_id", ({ sample }) => sample.calibration?.calibrationId),
    column("frames_used", "integer", ({ part }) => part.framesUsed),
    shapeNumber("speed_mm_s", (a) => a.speedMmS),
    json("height_matrix", ({ part }) => matrix(part.heightMm, Math.sqrt(part.heightMm.length))),
    json("occupied_matrix", ({ part }) => matrix(part.occupied, Math.sqrt(part.occupied.length))),
    // Those a device sent are in its message or its features.
    json("histogram_figures", ({ part }) =>
      part.histogram?.source === "histogram" ? part.histogram.figures : undefined,
    ),
    json("score_breakdown", ({ sample }) => sample.grade?.tof?.parts),
    json("defects", ({ part }) => part.defects),
    column("num_defects", "integer", ({ part }) => part.defects.length),
  ],
};

type Spectral = Source<SpectralAnalysis>;
const AS7341_ANALYSIS: Table<Spectral> = {
  name: "as7341_analysis",
  columns: [
    ...identity<Spectral>(),
    text("analysis_version", ({ part }) => part.method),
    text("grade", ({ sample }) => sample.grade?.spectral?.grade),
    number("quality_score", ({ sample }) => sample.grade?.spectral?.score),
    number("freshness_index", ({ part }) => part.freshnessIndex),
    number("fat_quality_index", ({ part }) => part.fatQualityIndex),
    number("oxidation_index", ({ part }) => part.oxidationIndex),
    number("color_uniformity", ({ part }) => part.colorUniformity),
    number("color_l", ({ part }) => part.color.l),
    number("color_a", ({ part }) => part.color.a),
    number("color_b", ({ part }) => part.color.b),
    number("delta_e", ({ part }) => part.color.deltaE),
    text("color_reference", ({ part }) => part.color.referenceId),
    column("color_calibrated", "boolean", ({ part }) => part.color.calibrated),
    json("spectral_ratios", ({ part }) => part.ratios),
    json("spectral_bands", ({ part }) => part.bands),
    json("figures", ({ part }) => part.figures),
    json("score_breakdown", ({ sample }) => sample.grade?.spectral?.parts),
    json("anomalies", ({ part }) => part.defects),
    column("num_anomalies", "integer", ({ part }) => part.defects.length),
    column("calibrated", "boolean", ({ part }) => part.calibrated),
    json("uncalibrated_reasons", ({ part }) => part.uncalibratedReasons),
    text("calibration_id", ({ sample }) => sample.calibration?.calibrationId),
    json("reflectance", ({ part }) => part.reflectance),
    json("reflectance_sigma", ({ part }) => part.reflectanceSigma),
    number("color_x", ({ part }) => part.xyz?.[0]),
    number("color_y", ({ part }) => part.xyz?.[1]),
    number("color_z", ({ part }) => part.xyz?.[2]),
    number("blood_index", ({ part }) => part.indices?.blood),
    number("blood_sigma", ({ part }) => part.indexSigmas?.blood),
    number("bile_index", ({ part }) => part.indices?.bile),
    number("bile_sigma", ({ part }) => part.indexSigmas?.bile),
    number("yellowness_index", ({ part }) => part.indices?.yellowness),
    number("browning_index", ({ part }) => part.indices?.browning),
    number("fit_chi_square", ({ part }) => part.fitChiSquare),
  ],
};

type Graded = Source<NonNullable<Sample["grade"]>>;
const FUSION_RESULTS: Table<Graded> = {
  name: "fusion_results",
  columns: [
    ...identity<Graded>(),
    ...origin<Graded>(),
    text("final_grade", ({ part }) => part.grade),
    column("final_quality_score", "numeric", ({ part }) => part.score),
    text("score_grade", ({ part }) => part.scoreGrade),
    text("fusion_mode", ({ part }) => part.fusionMode),
    column("is_compliant", "boolean", ({ part }) => part.isCompliant),
    column("num_defects", "integer", ({ part }) => part.defects.length),
    json("defects", ({ part }) => part.defects),
    json("vetoes", ({ part }) => part.vetoes),
    json("reasons", ({ part }) => part.reasons),
    json("metrics", ({ part }) => part.metrics),
    text("vl53l8ch_grade", ({ part }) => part.tof?.grade),
    number("vl53l8ch_score", ({ part }) => part.tof?.score),
    text("as7341_grade", ({ part }) => part.spectral?.grade),
    number("as7341_score", ({ part }) => part.spectral?.score),
    number("volume_mm3", ({ sample }) => sample.vl53l8ch?.analysis?.volumeMm3),
    number("mass_g", ({ sample }) => sample.vl53l8ch?.analysis?.massG),
    number("mass_half_width_g", ({ sample }) => sample.vl53l8ch?.analysis?.massHalfWidthG),
    number("thickness_mm", ({ sample }) => thicknessMmOf(sample)),
    number("length_mm", ({ sample }) => sample.vl53l8ch?.analysis?.lengthMm),
    number("width_mm", ({ sample }) => sample.vl53l8ch?.analysis?.widthMm),
    column("frames", "integer", ({ sample }) => sample.vl53l8ch?.analysis?.framesUsed),
    column("shape_calibrated", "boolean", ({ sample }) => sample.vl53l8ch?.analysis?.calibrated),
    text("calibration_id", ({ sample }) => sample.calibration?.calibrationId),
    number("freshness_index", ({ sample }) => sample.as7341?.analysis?.freshnessIndex),
    number("fat_quality_index", ({ sample }) => sample.as7341?.analysis?.fatQualityIndex),
    number("oxidation_index", ({ sample }) => sample.as7341?.analysis?.oxidationIndex),
    number("color_uniformity", ({ sample }) => sample.as7341?.analysis?.colorUniformity),
    number("delta_e", ({ sample }) => sample.as7341?.analysis?.color.deltaE),
    text("lot_abattage", ({ sample }) => sample.lotAbattage),
    text("eleveur", ({ sample }) => sample.eleveur),
    text("provenance", ({ sample }) => sample.provenance),
    text("lot_source", ({ sample }) => sample.lotSource),
    column("assignment_id", "bigint", ({ sample }) => sample.assignmentId),
    text("shift", ({ sample }) => sample.shift),
    column("production_day", "date", ({ sample }) => sample.productionDay),
    text("spec_id", ({ part }) => part.specId),
    text("spec_version", ({ part }) => part.specVersion),
    text("spec_hash", ({ part }) => part.specHash),
    json("claim", ({ sample }) => sample.fusionClaim),
    json("metadata", ({ sample }) => sample.metadata),
  ],
};

/** A table, and the rows that samples have in it. */
export interface SampleTable {
  name: string;
  insert: string;
  /** The row of a sample; undefined where it has none here. */
  row: (arrival: Arrival) => Cells | undefined;
  /** Parameters of `insert`. */
  parameters: (rows: readonly Cells[]) => Iterable<TypedParameter>;
}

function sampleTable<P>(table: Table<Source<P>>, part: (sample: Sample) => P | undefined): SampleTable {
  return {
    name: table.name,
    insert: insertSql(table),
    row: (arrival) => {
      const its = part(arrival.sample);
      return its === undefined ? undefined : cellsOf(table, { ...arrival, part: its });
    },
    parameters: (rows) => parametersOf(table, rows),
  };
}

/** The five tables of a sample. A sample without a grade has no row in `fusion_results` and counts for nobody. */
export const SAMPLE_ROWS: readonly SampleTable[] = [
  sampleTable(VL53L8CH_RAW, vlOf),
  sampleTable(VL53L8CH_ANALYSIS, (sample) => sample.vl53l8ch?.analysis),
  sampleTable(AS7341_RAW, asOf),
  sampleTable(AS7341_ANALYSIS, (sample) => sample.as7341?.analysis),
  sampleTable(FUSION_RESULTS, (sample) => sample.grade),
];

/** What a sample has in each table of `SAMPLE_ROWS`. @throws whatever comes of a sample that is not what its type says */
export function rowsOf(arrival: Arrival): SampleRows {
  return SAMPLE_ROWS.map((table) => table.row(arrival));
}
