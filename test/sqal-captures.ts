import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Sample } from "../nodes/sample/sample.ts";

type Captured = Record<string, unknown>;

/** One message as SQAL's simulator sent it. */
export interface Capture {
  generation: "new" | "legacy";
  bytes: Buffer;
  message: Captured;
}

const FOLDER = new URL("./fixtures/sqal/", import.meta.url);

/** Every captured message, hellos and heartbeats too, in the order sent. */
export function captures(): Capture[] {
  const lines = (text: string) => text.split("\n").filter((line) => line !== "");
  const capture = (generation: Capture["generation"]) => (line: string) => {
    const message: unknown = JSON.parse(line);
    if (typeof message !== "object" || message === null) throw new Error("a captured line is not an object");
    return { generation, bytes: Buffer.from(line), message: { ...message } };
  };
  const recent = readFileSync(new URL("sqal_messages.ndjson", FOLDER), "utf8");
  const legacy = gunzipSync(readFileSync(new URL("sqal_messages_legacy.ndjson.gz", FOLDER))).toString("utf8");
  return [...lines(recent).map(capture("new")), ...lines(legacy).map(capture("legacy"))];
}

/** The captured samples alone. */
export function capturedSamples(): Capture[] {
  return captures().filter(({ message }) => message.type === "sensor_data");
}

/** The value at a dotted path of a captured message; undefined where there is none. */
export function at(message: unknown, path: string): unknown {
  let value = message;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(key);
  }
  return value;
}

export interface CapturedField {
  /** Where SQAL put the value. */
  captured: string;
  /** Where we have it, for people who read a failure. */
  ours: string;
  read: (sample: Sample) => unknown;
  /** Relative tolerance; 1e-9 unless told. */
  tolerance?: number;
  /** Only these messages carry SQAL's true value. */
  only?: Capture["generation"];
}

const shape = (key: keyof NonNullable<NonNullable<Sample["vl53l8ch"]>["analysis"]>) => (sample: Sample) =>
  sample.vl53l8ch?.analysis?.[key];
const stat = (name: string, key: Parameters<typeof shape>[0], more: Partial<CapturedField> = {}): CapturedField => ({
  captured: `vl53l8ch.stats.${name}`,
  ours: `vl53l8ch.analysis.${key}`,
  read: shape(key),
  ...more,
});
const topLevel = (name: string, key: Parameters<typeof shape>[0]): CapturedField => ({
  captured: `vl53l8ch.${name}`,
  ours: `vl53l8ch.analysis.${key}`,
  read: shape(key),
});
const ratio = (name: string): CapturedField => ({
  captured: `as7341.spectral_ratios.${name}`,
  ours: `as7341.analysis.ratios.${name}`,
  read: (sample) => sample.as7341?.analysis?.ratios[name],
});
const index = (
  name: string,
  key: "freshnessIndex" | "fatQualityIndex" | "oxidationIndex" | "colorUniformity",
  more: Partial<CapturedField> = {},
): CapturedField[] =>
  ["as7341.quality_metrics", "as7341"].map((block) => ({
    captured: `${block}.${name}`,
    ours: `as7341.analysis.${key}`,
    read: (sample: Sample) => sample.as7341?.analysis?.[key],
    ...more,
  }));
const js = (captured: string, figure: string): CapturedField => ({
  captured: `as7341.quality_js.${captured}`,
  ours: `as7341.analysis.figures.${figure}`,
  read: (sample) => sample.as7341?.analysis?.figures[figure],
});
const metric = (name: string): CapturedField => ({
  captured: `fusion.foie_gras_metrics.${name}`,
  ours: `grade.metrics.${name}`,
  read: (sample) => sample.grade?.metrics[name],
});
const bins = (name: string, figure: keyof HistogramFiguresOf): CapturedField => ({
  captured: `vl53l8ch.bins_analysis.${name}`,
  ours: `vl53l8ch.analysis.histogram.figures.${figure}`,
  read: (sample) => sample.vl53l8ch?.analysis?.histogram?.figures[figure],
});
type HistogramFiguresOf = NonNullable<
  NonNullable<NonNullable<NonNullable<Sample["vl53l8ch"]>["analysis"]>["histogram"]>["figures"]
>;
const tofScore = (sample: Sample) => sample.grade?.tof?.score;
const spectralScore = (sample: Sample) => sample.grade?.spectral?.score;
const spectralGrade = (sample: Sample) => sample.grade?.spectral?.grade;
const tofDefects = (sample: Sample) =>
  sample.grade?.defects
    .filter((defect) => defect.sensor === "vl53l8ch")
    .map(({ zone, type, severity, deviationMm }) => ({
      pos: [zone?.row, zone?.column],
      type,
      severity,
      deviation_mm: deviationMm,
    }));
const spectralLabels = (sample: Sample) =>
  sample.grade?.defects.filter((defect) => defect.sensor === "as7341").map((defect) => defect.label);
/** SQAL lists both sensors' defects together and wraps the spectral ones. */
const combinedDefects = (sample: Sample) => [
  ...(tofDefects(sample) ?? []),
  ...(spectralLabels(sample) ?? []).map((label) => ({ type: `Spectral: ${label}`, source: "AS7341", severity: 0.5 })),
];
/** SQAL's long label of a ToF grade ("Grade C - …", "REJET - …") starts with our short one. */
const tofLabel = (sample: Sample) => sample.grade?.tof?.grade;

/**
 * Every captured value that SQAL computed deterministically and that we compute too. Left out, with the reason:
 * `fusion.final_score`, `.tof_score`, `.vl53l8ch_score`, `.final_grade` and `global_quality_score_100` (70 % of the ToF
 * score is random), `estimated_weight_g` (random), the constants `surface_uniformity`, `reflectance_analysis`,
 * `amplitude_consistency`, `score_breakdown`, Clear and NIR (overwritten before sending), new-generation
 * `color_uniformity` (overwritten), `vl53l8ch.grade` (derived anew from the score, on another scale), `overall_grade`
 * (an older scale that nothing uses), `defects_detected` (always empty), `quality_js.classification` (words for its score), `occupied_pixels_raw` (no stored
 * figure; a test beside this file compares it).
 */
export const CAPTURED_FIELDS: readonly CapturedField[] = [
  stat("volume_mm3", "volumeSimpleMm3"),
  stat("volume_trapezoidal_mm3", "volumeTrapezoidalMm3"),
  stat("volume_simpson_mm3", "volumeSimpsonMm3"),
  stat("volume_spline_mm3", "volumeSplineMm3", { tolerance: 1e-6 }),
  stat("average_height_mm", "averageHeightMm"),
  stat("max_height_mm", "maxHeightMm"),
  stat("min_height_mm", "minHeightMm"),
  stat("height_range_mm", "heightRangeMm"),
  stat("height_variation_mm", "heightVariationMm"),
  stat("height_p90_mm", "heightP90Mm", { only: "new" }),
  stat("height_p95_mm", "heightP95Mm", { only: "new" }),
  stat("height_cap_mm", "heightCapMm", { only: "new" }),
  stat("occ_threshold_mm", "occupancyThresholdMm", { only: "new" }),
  stat("refl_thr", "reflectanceThreshold", { only: "new" }),
  stat("amp_thr", "signalThreshold", { only: "new" }),
  stat("used_fallback", "usedFallback", { only: "new" }),
  stat("height_candidate_pixels", "candidateZones", { only: "new" }),
  stat("occupied_pixels", "occupiedZones"),
  stat("base_area_mm2", "baseAreaMm2"),
  stat("surface_uniformity", "surfaceUniformity"),
  topLevel("volume_mm3", "volumeMm3"),
  topLevel("base_area_mm2", "baseAreaMm2"),
  topLevel("average_height_mm", "averageHeightMm"),
  topLevel("max_height_mm", "maxHeightMm"),
  topLevel("min_height_mm", "minHeightMm"),
  topLevel("height_range_mm", "heightRangeMm"),
  bins("multi_peak_count", "peakCount"),
  bins("surface_roughness", "roughness"),
  bins("signal_quality", "signalQuality"),
  bins("texture_score", "texture"),
  bins("density_score", "density"),
  bins("peak_bin_map", "peakBin"),
  { captured: "vl53l8ch.defects", ours: "grade.defects (vl53l8ch)", read: tofDefects },
  { captured: "vl53l8ch.quality_score", ours: "grade.tof.score", read: tofScore },
  { captured: "vl53l8ch.score_breakdown.volume_score", ours: "grade.tof.score", read: tofScore },
  { captured: "fusion.vl53l8ch_grade", ours: "grade.tof.grade", read: tofLabel },
  { captured: "fusion.metrics.tof_grade", ours: "grade.tof.grade", read: tofLabel },
  { captured: "fusion.metrics.volume_mm3", ours: "vl53l8ch.analysis.volumeMm3", read: shape("volumeMm3") },

  ...[
    "violet_orange_ratio",
    "nir_violet_ratio",
    "discoloration_index",
    "lipid_oxidation_index",
    "freshness_meat_index",
    "oil_oxidation_index",
    "red_violet_ratio",
    "green_red_ratio",
    "yellow_blue_ratio",
    "normalized_clear",
  ].map(ratio),
  ...index("freshness_index", "freshnessIndex"),
  ...index("fat_quality_index", "fatQualityIndex"),
  ...index("oxidation_index", "oxidationIndex"),
  ...index("color_uniformity", "colorUniformity", { only: "legacy" }),
  { captured: "as7341.quality_metrics.quality_score", ours: "grade.spectral.score", read: spectralScore },
  { captured: "as7341.quality_score", ours: "grade.spectral.score", read: spectralScore },
  { captured: "fusion.spectral_score", ours: "grade.spectral.score", read: spectralScore },
  { captured: "fusion.as7341_score", ours: "grade.spectral.score", read: spectralScore },
  { captured: "as7341.grade", ours: "grade.spectral.grade", read: spectralGrade },
  { captured: "fusion.as7341_grade", ours: "grade.spectral.grade", read: spectralGrade },
  { captured: "fusion.metrics.spectral_grade", ours: "grade.spectral.grade", read: spectralGrade },
  {
    captured: "fusion.metrics.freshness_index",
    ours: "as7341.analysis.freshnessIndex",
    read: (sample) => sample.as7341?.analysis?.freshnessIndex,
  },
  {
    captured: "fusion.metrics.fat_quality_index",
    ours: "as7341.analysis.fatQualityIndex",
    read: (sample) => sample.as7341?.analysis?.fatQualityIndex,
  },
  { captured: "as7341.defects", ours: "grade.defects (as7341).label", read: spectralLabels },
  js("score", "js_score"),
  ...["red_green", "red_blue", "yellow_blue", "ir_red"].flatMap((name) => [
    js(`ratios.${name}`, `js_ratio_${name}`),
    js(`deviations.${name}`, `js_deviation_${name}`),
  ]),
  js("deviations.average", "js_deviation_average"),

  { captured: "fusion.fusion_mode", ours: "grade.fusionMode", read: (sample) => sample.grade?.fusionMode },
  { captured: "fusion.combined_defects", ours: "grade.defects", read: combinedDefects },
  { captured: "fusion.defects", ours: "grade.defects", read: combinedDefects },
  { captured: "fusion.num_defects", ours: "grade.defects.length", read: (sample) => sample.grade?.defects.length },
  ...[
    "lobe_thickness_mm",
    "thickness_std_mm",
    "thickness_category",
    "is_irregular_lobe",
    "estimated_volume_cm3",
    "fill_level_mm",
    "fill_level_percent",
    "fill_conformity",
    "fill_deviation_mm",
    "dimensional_conformity_score",
    "dimensional_conformity_percent",
    "has_underfill",
    "process_cp",
    "process_cpk",
    "process_capability",
    "process_mean",
    "process_std",
    "is_centered",
    "l_star",
    "a_star",
    "b_star",
    "delta_e",
    "reference_id",
    "color_score_premium",
    "color_conformity_percent",
    "has_hematoma",
    "hematoma_severity",
    "has_bile_traces",
    "bile_severity",
    "has_oxidation",
    "oxidation_severity",
    "defect_rate_percent",
    "has_critical_color_deviation",
    "has_oxidation_trend",
    "is_compliant",
    "is_downgraded",
    "is_rejected",
  ].map(metric),
];

/**
 * Compares one sample of ours with the message SQAL sent.
 * @returns what differs, one line each; empty when all agree
 */
export function differences(
  capture: Capture,
  sample: Sample,
  fields: readonly CapturedField[] = CAPTURED_FIELDS,
): string[] {
  const found: string[] = [];
  for (const field of fields) {
    if (field.only && field.only !== capture.generation) continue;
    const captured = at(capture.message, field.captured);
    if (captured === undefined) {
      found.push(`${field.captured} is not in the message`);
      continue;
    }
    const why = differs(captured, field.read(sample), field.tolerance ?? 1e-9);
    if (why !== undefined) found.push(`${field.captured} ↔ ${field.ours}: ${why}`);
  }
  return found;
}

function differs(captured: unknown, ours: unknown, tolerance: number): string | undefined {
  if (typeof captured === "number" && typeof ours === "number") {
    const scale = Math.max(Math.abs(captured), Math.abs(ours));
    const isNear = Math.abs(captured - ours) <= tolerance * scale || scale < 1e-12;
    return isNear ? undefined : `${captured} ≠ ${ours}`;
  }
  if (Array.isArray(captured) && Array.isArray(ours)) {
    const flat = captured.every(Array.isArray) && !ours.every(Array.isArray) ? captured.flat() : captured;
    if (flat.length !== ours.length) return `${flat.length} items ≠ ${ours.length}`;
    return firstOf(flat.map((item, i) => prefixed(`[${i}]`, differs(item, ours[i], tolerance))));
  }
  if (typeof captured === "object" && captured !== null && typeof ours === "object" && ours !== null) {
    return firstOf(
      Object.entries(captured).map(([key, value]) => prefixed(`.${key}`, differs(value, at(ours, key), tolerance))),
    );
  }
  if (typeof captured === "string" && typeof ours === "string" && captured.includes(" - ")) {
    const short = captured.replace(/^Grade /, "").split(" - ")[0];
    return short === ours ? undefined : `${captured} ≠ ${ours}`;
  }
  return captured === ours ? undefined : `${JSON.stringify(captured)} ≠ ${JSON.stringify(ours)}`;
}

function prefixed(path: string, why: string | undefined): string | undefined {
  return why === undefined ? undefined : `${path} ${why}`;
}

function firstOf(found: (string | undefined)[]): string | undefined {
  return found.find((why) => why !== undefined);
}
