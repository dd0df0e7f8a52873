import { CodedError } from "../host/errors.ts";
import type { HistogramFigures, TofFeatures } from "../sample/sample.ts";
import type { DecodedMessage } from "./dialect.ts";
import type { Fields, Range } from "./fields.ts";
import { histogram8, matrix8 } from "./matrix.ts";

/** Limits of SQAL's documents; ambient light has only a lower one there. */
const DISTANCE_MM: Range = [0, 4000];
const REFLECTANCE_PERCENT: Range = [0, 255];
const AMPLITUDE: Range = [0, 4095];
const AMBIENT: Range = [0, 1e6];
const STATUS: Range = [0, 255];
const FIGURE: Range = [-1e9, 1e9];
const BIN_WIDTH_MM: Range = [0.1, 1000];
const ZONE_SIDE_MM: Range = [1, 200];
const DEFAULT_BIN_WIDTH_MM = 37.5;
const ZONES = 64;

/** ST's "valid" (5) and "valid, large pulse" (9); SQAL's new simulator writes 0 for a good zone. */
const LEGACY_VALID = [5, 9];
const NEW_VALID = [0];

const BINS_ANALYSIS: Readonly<Record<keyof HistogramFigures, string>> = {
  peakCount: "multi_peak_count",
  roughness: "surface_roughness",
  signalQuality: "signal_quality",
  texture: "texture_score",
  density: "density_score",
  peakBin: "peak_bin_map",
};

const MATRICES = ["distance_matrix", "reflectance_matrix", "amplitude_matrix", "ambient_matrix", "status_matrix"];

/**
 * The ToF half of a SQAL sample.
 * @param analysed the block `vl53l8ch`: matrices among the device's claims
 * @param raw the legacy simulator's `vl53l8ch_raw`, whose matrices go before the analysed block's
 * @throws CodedError `bad-matrix`, `bad-histogram`, `out-of-range`, `bad-field`
 */
export function decodeSqalTof(
  analysed: Fields | undefined,
  raw: Fields | undefined,
  profile: string | undefined,
): DecodedMessage["vl53l8ch"] {
  if (!analysed && !raw) return undefined;
  const matrix = (key: string, range: Range) =>
    (raw && matrix8(raw, key, range)) ?? (analysed && matrix8(analysed, key, range));
  const required = (key: string, range: Range) => {
    const values = matrix(key, range);
    if (!values) throw new CodedError("bad-matrix", `${(analysed ?? raw)?.path(key)} is missing`);
    return values;
  };
  const rawMeta = raw?.child("meta");
  const binWidthMm = rawMeta?.number("bin_size_mm", BIN_WIDTH_MM) ?? DEFAULT_BIN_WIDTH_MM;
  const histogram = raw && histogram8(raw, "bins_matrix", binWidthMm);
  const histogramFigures = histogram ? undefined : analysed && figuresOf(analysed);
  const zoneSideMm = rawMeta?.plausible("zone_size_x_mm", ZONE_SIDE_MM) ?? zoneSideOf(analysed);
  const features: TofFeatures = {
    dialect: raw ? "sqal-legacy" : "sqal",
    ...(histogramFigures && { histogramFigures }),
    ...(zoneSideMm !== undefined && { zoneSideMm }),
    ...(profile !== undefined && { profile }),
  };
  const claim = analysed?.without(new Set(histogramFigures ? [...MATRICES, "bins_analysis"] : MATRICES));
  return {
    frame: {
      side: 8,
      distanceMm: required("distance_matrix", DISTANCE_MM),
      reflectancePercent: required("reflectance_matrix", REFLECTANCE_PERCENT),
      signal: required("amplitude_matrix", AMPLITUDE),
      ambient: required("ambient_matrix", AMBIENT),
      signalUnit: "sqal-au",
      status: required("status_matrix", STATUS),
      validStatuses: raw ? LEGACY_VALID : NEW_VALID,
      ...(histogram && { histogram }),
    },
    features,
    ...(claim && { claim }),
  };
}

/** The six maps of `bins_analysis`, all or none: what the device computed from histograms it does not send. */
function figuresOf(analysed: Fields): HistogramFigures | undefined {
  const maps = analysed.child("bins_analysis");
  if (!maps || Object.keys(maps.object).length === 0) return undefined;
  const map = (figure: keyof HistogramFigures) => {
    const key = BINS_ANALYSIS[figure];
    const values = matrix8(maps, key, FIGURE);
    if (!values) throw new CodedError("bad-matrix", `${maps.path(key)} is missing`);
    return values;
  };
  return {
    peakCount: map("peakCount"),
    roughness: map("roughness"),
    signalQuality: map("signalQuality"),
    texture: map("texture"),
    density: map("density"),
    peakBin: map("peakBin"),
  };
}

// The new simulator tells the side of a zone only through this area (64 zones).
function zoneSideOf(analysed: Fields | undefined): number | undefined {
  const [min, max] = ZONE_SIDE_MM;
  const areaMm2 = analysed?.plausible("base_area_mm2", [ZONES * min * min, ZONES * max * max]);
  return areaMm2 === undefined ? undefined : Math.sqrt(areaMm2 / ZONES);
}
