import { CodedError } from "../../host/errors.ts";
import type { PhysicalOutputs } from "../uld-frame.ts";
import { linesOf, MAX_FRAMES, sideOf, type TofForm, type TofReading } from "./form.ts";

/** Keys under which devices put an output, in the order in which they are looked for. */
const KEYS: Readonly<Record<Exclude<keyof PhysicalOutputs, "motion">, readonly string[]>> = {
  distanceMm: ["distance_mm", "distance_matrix", "matrix_8x8", "distances", "distance", "tof", "data", "zones"],
  targetStatus: ["target_status", "status_matrix", "status"],
  targetCount: ["nb_target_detected", "targets"],
  signalKcpsPerSpad: ["signal_per_spad", "signal"],
  ambientKcpsPerSpad: ["ambient_per_spad", "ambient"],
  rangeSigmaMm: ["range_sigma_mm", "sigma_mm", "sigma"],
  reflectancePercent: ["reflectance_matrix", "reflectance"],
  spadsEnabled: ["nb_spads_enabled"],
};
const OUTPUTS = Object.keys(KEYS).filter((key): key is keyof typeof KEYS => key in KEYS);
const MAX_DEPTH = 4;

/**
 * JSON: a flat array of 16 or 64 distances, 4x4 or 8x8 nested arrays, or an object that holds them under a usual name with status,
 * signal … beside; an array of these, or one to the line.
 */
export const jsonArrays: TofForm = {
  name: "json",
  read(text) {
    if (!/^\s*[[{]/.test(text)) return undefined;
    const values = parsed(text);
    if (!values) throw new CodedError("tof-not-json", "it begins like JSON and is none");
    const frames = values.flatMap((value) => framesOf(value, 0));
    if (frames.length === 0) throw new CodedError("tof-no-frame", "no 4x4 or 8x8 distances under a known name");
    return frames.slice(0, MAX_FRAMES);
  },
};

function parsed(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)];
  } catch {
    // Perhaps one to the line.
  }
  try {
    return linesOf(text)
      .filter((line) => line.trim() !== "")
      .map((line): unknown => JSON.parse(line));
  } catch {
    return undefined;
  }
}

function framesOf(value: unknown, depth: number): TofReading[] {
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return [];
  const grid = gridOf(value);
  if (grid) return [readingOf({ distanceMm: grid })];
  if (Array.isArray(value)) return value.slice(0, MAX_FRAMES).flatMap((item) => framesOf(item, depth + 1));
  const physical: PhysicalOutputs = {};
  for (const output of OUTPUTS) {
    const key = KEYS[output].find((name) => gridOf(Reflect.get(value, name)) !== undefined);
    const found = key === undefined ? undefined : gridOf(Reflect.get(value, key));
    if (found) physical[output] = found;
  }
  const { distanceMm } = physical;
  if (!distanceMm) return Object.values(value).flatMap((item) => framesOf(item, depth + 1));
  if (Object.values(physical).some((values) => Array.isArray(values) && values.length !== distanceMm.length))
    throw new CodedError("tof-bad-shape", "the arrays differ in the number of zones");
  return [readingOf(physical)];
}

function readingOf(physical: PhysicalOutputs): TofReading {
  const side = sideOf(physical.distanceMm?.length ?? 0);
  return { ...(side && { side }), targetsPerZone: 1, physical, corrupted: false };
}

/** 16 or 64 numbers, flat or in rows; undefined for anything else. */
function gridOf(value: unknown): number[] | undefined {
  if (!Array.isArray(value) || value.length > 64) return undefined;
  const rows: unknown[] = value;
  const isNested = rows.every((row) => Array.isArray(row) && row.length === rows.length);
  const flat = isNested ? rows.flat() : rows;
  const numbers = flat.filter((item): item is number => typeof item === "number" && Math.abs(item) <= 1e9);
  return numbers.length === flat.length && sideOf(flat.length) ? numbers : undefined;
}
