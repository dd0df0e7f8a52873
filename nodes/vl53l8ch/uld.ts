import { CodedError } from "../host/errors.ts";
import { type CnhOptions, decodeCnh } from "./cnh.ts";
import type { CnhFrame } from "./cnh-frame.ts";
import {
  CNH_INDEX,
  COMMON_INDEX,
  ELEMENT_BYTES,
  ELEMENT_OF,
  METADATA_INDEX,
  MOTION_BYTES,
  MOTION_INDICES,
  MOTION_VALUES,
  OUTPUT_AT,
  payloadBytes,
  START_HEADER,
  TARGET_OUTPUTS,
  ULD_FAMILIES,
  type UldFamily,
  type UldOutput,
  ZONE_OUTPUTS,
} from "./uld-blocks.ts";
import type { MotionIndicator, RawOutputs, UldFrame, UldProblem } from "./uld-frame.ts";
import { physicalOf } from "./uld-scale.ts";

export interface UldOptions {
  /** Status codes that mean a valid range. Default 5 (valid) and 9 (valid, large pulse). */
  validStatuses?: readonly number[];
  cnh?: CnhOptions;
}

export const DEFAULT_VALID_STATUSES: readonly number[] = [5, 9];
export const MAX_TARGETS = 4;
/** No frame is longer: 3364 bytes of outputs, 6160 of CNH. What follows is not looked at. */
export const MAX_FRAME_BYTES = 16 * 1024;
const HEADER_BYTES = 16;
const START_AT = 12;
const END = 0xf;
/** Firmware of ULD 2.1.0 puts two zero words after the footer id. */
const TRAILER_BYTES = 8;

/** Where an output's elements stand. */
interface Span {
  at: number;
  count: number;
}

/** What a walk over the blocks found, before anything is read. */
interface Blocks {
  zoneSpans: Map<UldOutput, Span>;
  targetSpans: Map<UldFamily, Map<UldOutput, Span>>;
  metadataAt?: number;
  commonAt?: number;
  motionAt?: number;
  cnh?: Uint8Array;
  /** Position after the end sentinel. */
  endAt?: number;
  unknown: number[];
}

/**
 * Decodes one result frame of the VL53L5CX / L7CX / L8CX / VL53LMZ (L7CH, L8CH) as its registers held it, in either byte order.
 * Blocks are told by their index, in any order; unknown ones are skipped; no length is trusted. A frame whose footer id is not its
 * header id, that is cut, or whose blocks do not hold what they state is returned with `corrupted` and what could be read.
 * @throws CodedError `uld-too-short`, `uld-no-start` (neither byte order has the START word at offset 12), `uld-no-zones`
 */
export function decodeUld(bytes: Uint8Array, options: UldOptions = {}): UldFrame {
  if (bytes.length < HEADER_BYTES)
    throw new CodedError("uld-too-short", `a result frame has more than ${HEADER_BYTES} bytes, not ${bytes.length}`);
  const byteOrder = byteOrderOf(bytes);
  if (!byteOrder) throw new CodedError("uld-no-start", "no START word at offset 12 in either byte order");
  const problems: UldProblem[] = [];
  const window = bytes.subarray(0, MAX_FRAME_BYTES);
  const host = byteOrder === "host" ? window : toHostOrder(window);
  const view = new DataView(host.buffer, host.byteOffset, host.byteLength);

  const blocks = walk(view, host, problems);
  const zones = zonesOf(view, blocks, problems);
  const family = familyOf(blocks, problems);
  const targetsPerZone = family === "many" ? targetsOf(blocks, zones) : 1;
  const raw = rawOf(view, blocks, family, zones, targetsPerZone, problems);

  const frameId = view.getUint16(8, true);
  const { endAt } = blocks;
  const footerId = endAt !== undefined && endAt + 4 <= host.length ? view.getUint16(endAt, true) : undefined;
  // Only the 1.1 driver sends no footer; its index set is its own with one target, and the others' with more.
  const isOldDriver = family === "old" || (family !== "one" && endAt !== undefined && footerId === undefined);
  if (endAt === undefined) problems.push("no-end");
  else if (footerId === undefined && !isOldDriver) problems.push("no-footer");
  else if (footerId !== undefined && footerId !== frameId && family !== "old") problems.push("id-mismatch");

  const cnh = cnhOf(blocks.cnh, options.cnh, problems);
  const corrupted = problems.some((problem) => !problem.startsWith("cnh-"));
  const physical = physicalOf(raw, { isOldDriver, targetsPerZone });
  const validStatuses = options.validStatuses ?? DEFAULT_VALID_STATUSES;
  const statusByte = view.getUint8(0);
  return {
    byteOrder,
    zones,
    side: zones === 16 ? 4 : 8,
    targetsPerZone,
    ...(family && { family }),
    isOldDriver,
    frameId,
    ...(footerId !== undefined && { footerId }),
    streamCount: view.getUint8(3),
    ...((statusByte & 0x80) !== 0 && { deviceError: view.getUint8(1) }),
    ...(blocks.metadataAt !== undefined && {
      siliconTempC: view.getInt8(blocks.metadataAt + 8),
      deviceTimestamp: view.getUint32(blocks.metadataAt, true),
    }),
    ...(blocks.commonAt !== undefined && { wrapDmaxMm: view.getUint16(blocks.commonAt, true) }),
    raw,
    physical,
    valid: (physical.targetStatus ?? []).map((status) => !corrupted && validStatuses.includes(status)),
    ...(cnh && { cnh }),
    corrupted,
    problems,
    unknownBlocks: blocks.unknown,
    byteLength: lengthOf(host, endAt, footerId !== undefined),
  };
}

/** Byte order of a result frame by its START word, or undefined when it is none. */
export function byteOrderOf(bytes: Uint8Array, at = 0): UldFrame["byteOrder"] | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const start = at + START_AT;
  if (bytes[start + 1] !== 0 || bytes[start + 2] !== 0) return undefined;
  if (bytes[start] === 0) return bytes[start + 3] === START_HEADER ? "bus" : undefined;
  return bytes[start] === START_HEADER && bytes[start + 3] === 0 ? "host" : undefined;
}

/** Reverses the bytes of every 32-bit word; what is left of a part word is dropped. */
export function toHostOrder(bytes: Uint8Array): Uint8Array {
  return Buffer.from(bytes.subarray(0, bytes.length & ~3)).swap32();
}

function walk(view: DataView, host: Uint8Array, problems: UldProblem[]): Blocks {
  const found: Blocks = { zoneSpans: new Map(), targetSpans: new Map(), unknown: [] };
  let at = HEADER_BYTES;
  while (at + 4 <= host.length) {
    const header = view.getUint32(at, true);
    at += 4;
    if ((header & 0xf) > 12) {
      if (header !== END) continue;
      found.endAt = at;
      return found;
    }
    const length = payloadBytes(header);
    if (at + length > host.length) {
      problems.push("block-overrun");
      return found;
    }
    note(found, host, header >>> 16, at, length);
    at += length;
  }
  return found;
}

function note(found: Blocks, host: Uint8Array, index: number, at: number, length: number): void {
  const known = OUTPUT_AT.get(index);
  if (known) {
    const span = { at, count: Math.floor(length / ELEMENT_BYTES[ELEMENT_OF[known.output]]) };
    if (!known.family) found.zoneSpans.set(known.output, span);
    else {
      const spans = found.targetSpans.get(known.family) ?? new Map<UldOutput, Span>();
      found.targetSpans.set(known.family, spans.set(known.output, span));
    }
  } else if (index === METADATA_INDEX && length >= 9) found.metadataAt = at;
  else if (index === COMMON_INDEX && length >= 4) found.commonAt = at;
  else if (MOTION_INDICES.includes(index) && length >= MOTION_BYTES) found.motionAt = at;
  else if (index === CNH_INDEX) found.cnh = host.subarray(at, at + length);
  else found.unknown.push(index);
}

function zonesOf(view: DataView, blocks: Blocks, problems: UldProblem[]): 16 | 64 {
  if (blocks.commonAt !== undefined) {
    const stated = view.getUint8(blocks.commonAt + 2);
    if (stated === 16 || stated === 64) return stated;
    problems.push("bad-zones");
  }
  for (const output of ZONE_OUTPUTS) {
    const count = blocks.zoneSpans.get(output)?.count;
    if (count === 16 || count === 64) return count;
  }
  for (const spans of blocks.targetSpans.values()) {
    const count = spans.get("targetCount")?.count;
    if (count === 16 || count === 64) return count;
  }
  for (const family of ["one", "old"] as const)
    for (const { count } of blocks.targetSpans.get(family)?.values() ?? [])
      if (count === 16 || count === 64) return count;
  throw new CodedError("uld-no-zones", "no block tells the number of zones (16 or 64)");
}

function familyOf(blocks: Blocks, problems: UldProblem[]): UldFamily | undefined {
  const present = ULD_FAMILIES.filter((family) => blocks.targetSpans.has(family));
  if (present.length > 1) problems.push("mixed-families");
  const size = (family: UldFamily) => blocks.targetSpans.get(family)?.size ?? 0;
  return present.sort((a, b) => size(b) - size(a))[0];
}

/** The frame does not state the number of targets: it follows from the length of the blocks. */
function targetsOf(blocks: Blocks, zones: number): number {
  const spans = blocks.targetSpans.get("many");
  for (const output of ["distance", "targetStatus", "signalPerSpad", "rangeSigma", "reflectance"] as const) {
    const targets = (spans?.get(output)?.count ?? 0) / zones;
    if (Number.isInteger(targets) && targets >= 1 && targets <= MAX_TARGETS) return targets;
  }
  return 1;
}

function rawOf(
  view: DataView,
  blocks: Blocks,
  family: UldFamily | undefined,
  zones: number,
  targets: number,
  problems: UldProblem[],
): RawOutputs {
  const raw: RawOutputs = {};
  const take = (output: UldOutput, span: Span | undefined, count: number, exact: boolean) => {
    if (!span) return;
    if (span.count < count || (exact && span.count !== count)) {
      if (!problems.includes("short-block")) problems.push("short-block");
      return;
    }
    raw[output] = elementsAt(view, output, span.at, count);
  };
  for (const output of ZONE_OUTPUTS) take(output, blocks.zoneSpans.get(output), zones, false);
  const spans = family && blocks.targetSpans.get(family);
  for (const output of TARGET_OUTPUTS) {
    // VL53LMZ's blocks stay 64 long in 4x4 with one target; with more the lengths tell how many.
    if (output === "targetCount") take(output, spans?.get(output), zones, false);
    else take(output, spans?.get(output), zones * targets, family === "many");
  }
  if (blocks.motionAt !== undefined) raw.motion = motionAt(view, blocks.motionAt);
  return raw;
}

function elementsAt(view: DataView, output: UldOutput, at: number, count: number): number[] {
  const values = new Array<number>(count);
  switch (ELEMENT_OF[output]) {
    case "u8":
      for (let i = 0; i < count; i += 1) values[i] = view.getUint8(at + i);
      break;
    case "u16":
      for (let i = 0; i < count; i += 1) values[i] = view.getUint16(at + 2 * i, true);
      break;
    case "i16":
      for (let i = 0; i < count; i += 1) values[i] = view.getInt16(at + 2 * i, true);
      break;
    case "u32":
      for (let i = 0; i < count; i += 1) values[i] = view.getUint32(at + 4 * i, true);
      break;
  }
  return values;
}

function motionAt(view: DataView, at: number): MotionIndicator {
  return {
    globalIndicator1: view.getUint32(at, true),
    globalIndicator2: view.getUint32(at + 4, true),
    status: view.getUint8(at + 8),
    detectedAggregates: view.getUint8(at + 9),
    aggregates: view.getUint8(at + 10),
    motion: Array.from({ length: MOTION_VALUES }, (_, i) => view.getUint32(at + 12 + 4 * i, true)),
  };
}

// Histograms that cannot be read do not make the distances wrong.
function cnhOf(
  bytes: Uint8Array | undefined,
  options: CnhOptions | undefined,
  problems: UldProblem[],
): CnhFrame | undefined {
  if (!bytes) return undefined;
  try {
    return decodeCnh(bytes, options);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    problems.push(`cnh-${error.code.replace(/^cnh-/, "")}`);
    return undefined;
  }
}

function lengthOf(host: Uint8Array, endAt: number | undefined, hasFooter: boolean): number {
  if (endAt === undefined) return host.length;
  const end = endAt + (hasFooter ? 4 : 0);
  const trailer = host.subarray(end, end + TRAILER_BYTES);
  return trailer.length === TRAILER_BYTES && trailer.every((byte) => byte === 0) ? end + TRAILER_BYTES : end;
}
