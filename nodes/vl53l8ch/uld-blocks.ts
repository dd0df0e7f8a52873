/**
 * The blocks of a ULD result frame: their indices and element sizes, from the public parsers of ST's drivers
 * (VL53L5CX 1.1 … 2.0, VL53L8CX 1.3 … 2.1, VL53LMZ 2.0). The index sets of the three families do not collide.
 */

/** `one`: one target per zone, current drivers; `many`: 2…4 targets; `old`: one target, VL53L5CX ULD 1.1.x. */
export type UldFamily = "one" | "many" | "old";
export const ULD_FAMILIES: readonly UldFamily[] = ["one", "many", "old"];

/** Arrays of a frame, in the order the sensor sends them. */
export const ZONE_OUTPUTS = ["ambientPerSpad", "spadsEnabled"] as const;
export const TARGET_OUTPUTS = [
  "targetCount",
  "signalPerSpad",
  "rangeSigma",
  "distance",
  "reflectance",
  "targetStatus",
] as const;
export type ZoneOutput = (typeof ZONE_OUTPUTS)[number];
export type TargetOutput = (typeof TARGET_OUTPUTS)[number];
export type UldOutput = ZoneOutput | TargetOutput;

export type Element = "u8" | "u16" | "i16" | "u32";
export const ELEMENT_BYTES: Readonly<Record<Element, number>> = { u8: 1, u16: 2, i16: 2, u32: 4 };

export const ELEMENT_OF: Readonly<Record<UldOutput, Element>> = {
  ambientPerSpad: "u32",
  spadsEnabled: "u32",
  targetCount: "u8",
  signalPerSpad: "u32",
  rangeSigma: "u16",
  distance: "i16",
  reflectance: "u8",
  targetStatus: "u8",
};

export const START_HEADER = 0x0000000d;
export const END_HEADERS = [0x0000000e, 0x0000000f] as const;
export const METADATA_INDEX = 0x54b4;
export const COMMON_INDEX = 0x54c0;
export const CNH_INDEX = 0xc048;
/** The first is VL53LMZ's always and the others' with one target; the second the old driver's and the others' with more. */
export const MOTION_INDICES: readonly number[] = [0xd858, 0xcc50];
export const MOTION_BYTES = 140;
export const MOTION_VALUES = 32;

export const ZONE_INDEX: Readonly<Record<ZoneOutput, number>> = { ambientPerSpad: 0x54d0, spadsEnabled: 0x55d0 };
export const TARGET_INDEX: Readonly<Record<TargetOutput, Readonly<Record<UldFamily, number>>>> = {
  targetCount: { one: 0xdb84, many: 0x57d0, old: 0xcf7c },
  signalPerSpad: { one: 0xdbc4, many: 0x5890, old: 0xcfbc },
  rangeSigma: { one: 0xdec4, many: 0x6490, old: 0xd2bc },
  distance: { one: 0xdf44, many: 0x6690, old: 0xd33c },
  reflectance: { one: 0xe044, many: 0x6a90, old: 0xd43c },
  targetStatus: { one: 0xe084, many: 0x6b90, old: 0xd47c },
};

/** What an index holds; `family` only for what exists per family. */
export const OUTPUT_AT: ReadonlyMap<number, { output: UldOutput; family?: UldFamily }> = outputsByIndex();

function outputsByIndex(): Map<number, { output: UldOutput; family?: UldFamily }> {
  const outputs = new Map<number, { output: UldOutput; family?: UldFamily }>();
  for (const output of ZONE_OUTPUTS) outputs.set(ZONE_INDEX[output], { output });
  for (const output of TARGET_OUTPUTS)
    for (const family of ULD_FAMILIES) outputs.set(TARGET_INDEX[output][family], { output, family });
  return outputs;
}

/** Payload bytes after a block header: bits 0-3 type, bits 4-15 size; types 13…15 are sentinels without payload. */
export function payloadBytes(header: number): number {
  const type = header & 0xf;
  const size = (header >>> 4) & 0xfff;
  if (type > 12) return 0;
  return type < 2 ? size : type * size;
}

/** Header of a block of `count` elements of `elementBytes`; with one byte per element the type is 1, with a plain length 0. */
export function blockHeader(index: number, elementBytes: number, count: number): number {
  return ((index << 16) | (count << 4) | elementBytes) >>> 0;
}
