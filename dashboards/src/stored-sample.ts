import { productOfRow } from "../nodes/refill.ts";
import type { ProductView } from "../nodes/view.ts";
import type { SampleAnswer } from "./lots-data.ts";

type Row = Record<string, unknown>;

/** The tables of a stored sample, in the order in which they are shown. */
export const TABLES = [
  "fusion_results",
  "vl53l8ch_analysis",
  "as7341_analysis",
  "vl53l8ch_raw",
  "as7341_raw",
  "calibration",
  "assignment",
] as const;

/** The product a stored sample describes, for the widgets of the live page; undefined where it was not graded. */
export function productOfSample(sample: SampleAnswer): ProductView | undefined {
  const { fusion_results: fusion, vl53l8ch_analysis: shape, as7341_raw: reading, as7341_analysis: colour } = sample;
  if (!fusion) return undefined;
  const received = typeof fusion.received_at === "string" ? Date.parse(fusion.received_at) : Number.POSITIVE_INFINITY;
  return productOfRow({
    ...pick(reading, ["channels", "reconstructed", "saturated", "gain", "integration_time_ms"]),
    ...pick(colour, ["color_l", "color_a", "color_b", "delta_e"]),
    ...fusion,
    ...pick(shape, ["height_matrix", "occupied_matrix", "max_height_mm", "defects"]),
    at_ms: Math.min(Date.parse(sample.time), received),
    score: fusion.final_quality_score,
  });
}

/** What a device concluded by itself, table by table. */
export function claimsOf(sample: SampleAnswer): { table: string; claim: unknown }[] {
  const tables = ["fusion_results", "vl53l8ch_raw", "as7341_raw"] as const;
  return tables.flatMap((table) => {
    const claim = sample[table]?.claim;
    return claim === undefined ? [] : [{ table, claim }];
  });
}

/** A stored value as text: numbers and words as they are, anything else as JSON. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every(Array.isArray)) return value.map((row) => JSON.stringify(row)).join("\n");
  return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
}

function pick(row: Row | null, names: readonly string[]): Row {
  return row ? Object.fromEntries(names.flatMap((name) => (name in row ? [[name, row[name]]] : []))) : {};
}
