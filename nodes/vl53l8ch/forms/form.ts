import type { CnhFrame } from "../cnh-frame.ts";
import type { PhysicalOutputs } from "../uld-frame.ts";

/** What a form tells of one frame; a `UldFrame` is one too. */
export interface TofReading {
  /** Absent where a form tells only of histograms. */
  side?: 4 | 8;
  targetsPerZone: number;
  physical: PhysicalOutputs;
  corrupted: boolean;
  cnh?: Pick<CnhFrame, "aggregates" | "bins" | "values" | "ambient" | "config"> & Partial<CnhFrame>;
  siliconTempC?: number;
  streamCount?: number;
  deviceTimestamp?: number;
}

/** One way of writing frames as text. */
export interface TofForm {
  name: string;
  /**
   * @returns undefined (or no frame) when the text is not in this form
   * @throws CodedError `tof-…` when it is and is broken
   */
  read(text: string): TofReading[] | undefined;
}

export const MAX_FRAMES = 20_000;
const NUMBER = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,2})?$/;
const LIMIT = 1e9;

/** Zones per side of a grid of so many zones, or undefined. */
export function sideOf(zones: number): 4 | 8 | undefined {
  return zones === 16 ? 4 : zones === 64 ? 8 : undefined;
}

/** A plain decimal number of sensible size, or undefined. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 32) return undefined;
  const cell = text.trim();
  const value = NUMBER.test(cell) ? Number(cell) : Number.NaN;
  return Math.abs(value) <= LIMIT ? value : undefined;
}

/** All as numbers, or undefined. */
export function numbersOf(cells: readonly string[]): number[] | undefined {
  const values = cells.map(numberOf);
  return values.every((value) => value !== undefined) ? values : undefined;
}

export function linesOf(text: string): string[] {
  return text.split(/\r?\n/);
}

/** A frame of one target per zone, or undefined when there are not 16 or 64. */
export function zoneReading(physical: PhysicalOutputs): (TofReading & { side: 4 | 8 }) | undefined {
  const side = sideOf(Object.values(physical).find(Array.isArray)?.length ?? 0);
  return side && { side, targetsPerZone: 1, physical, corrupted: false };
}

/** Histograms by aggregate number, from 0 without gaps and of equal length, or undefined. */
export function histogramsOf(
  lines: ReadonlyMap<number, { ambient: number; bins: readonly number[] }>,
): NonNullable<TofReading["cnh"]> | undefined {
  const bins = lines.get(0)?.bins.length ?? 0;
  const values: number[][] = [];
  const ambient: number[] = [];
  for (let aggregate = 0; aggregate < lines.size; aggregate += 1) {
    const line = lines.get(aggregate);
    if (!line || line.bins.length !== bins || bins === 0) return undefined;
    values.push([...line.bins]);
    ambient.push(line.ambient);
  }
  return values.length > 0 ? { aggregates: values.length, bins, values, ambient } : undefined;
}
