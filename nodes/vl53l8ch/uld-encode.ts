import { CodedError } from "../host/errors.ts";
import { toHostOrder } from "./uld.ts";
import {
  blockHeader,
  CNH_INDEX,
  COMMON_INDEX,
  ELEMENT_BYTES,
  ELEMENT_OF,
  END_HEADERS,
  METADATA_INDEX,
  MOTION_BYTES,
  MOTION_INDICES,
  MOTION_VALUES,
  START_HEADER,
  TARGET_INDEX,
  TARGET_OUTPUTS,
  type UldFamily,
  type UldOutput,
  ZONE_INDEX,
  ZONE_OUTPUTS,
} from "./uld-blocks.ts";
import type { MotionIndicator, PhysicalOutputs, RawOutputs } from "./uld-frame.ts";
import { DISTANCE_DIVISOR, MOTION_DIVISOR, RATE_DIVISOR, REFLECTANCE_DIVISOR, SIGMA_DIVISOR } from "./uld-scale.ts";

/** What a frame says, for `encodeUld`. Outputs that are absent are switched off. */
export interface UldContent {
  zones: 16 | 64;
  /** Default 1. */
  targetsPerZone?: number;
  raw: RawOutputs;
  streamCount?: number;
  frameId?: number;
  /** Absent: no metadata block. */
  siliconTempC?: number;
  deviceTimestamp?: number;
  wrapDmaxMm?: number;
  /** A CNH buffer in host order (`encodeCnh`). */
  cnh?: Uint8Array;
}

export interface UldEncodeOptions {
  /** Default "bus": big-endian words, as read from the sensor. */
  byteOrder?: "bus" | "host";
  /** Default `one` for one target, `many` for more; `old` is VL53L5CX ULD 1.1.x. */
  family?: UldFamily;
  /** Where the footer id stands from the end; `none` as in ULD 1.1.x (default for `old`). Default 4. */
  footer?: 4 | 12 | "none";
  /** Elements of per-target blocks of a 4x4 frame with one target: VL53LMZ sends 64. Default: as many as zones. */
  padTo64?: boolean;
  motionIndex?: 0xd858 | 0xcc50;
  /** Blocks no driver documents, put before the others. */
  extraBlocks?: readonly { index: number; bytes: Uint8Array }[];
}

const HEADER_BYTES = 16;
/** Bytes 0…2 of the status word of a frame that is ready, host order. */
const READY = 0x00059d11;

/**
 * Writes a result frame as the sensor's registers hold it: the inverse of `decodeUld`, for tests and for the simulator.
 * @throws CodedError `uld-bad-length` when an output has not as many elements as zones (× targets)
 */
export function encodeUld(content: UldContent, options: UldEncodeOptions = {}): Uint8Array {
  const { zones, raw, targetsPerZone = 1, frameId = 0, streamCount = 0 } = content;
  const family = options.family ?? (targetsPerZone > 1 ? "many" : "one");
  const footer = options.footer ?? (family === "old" ? "none" : 4);
  const blocks: Uint8Array[] = (options.extraBlocks ?? []).map(({ index, bytes }) => block(index, 0, bytes));
  if (content.siliconTempC !== undefined) blocks.push(metadata(content, streamCount));
  const common = new DataView(new ArrayBuffer(4));
  common.setUint16(0, content.wrapDmaxMm ?? 4046, true);
  common.setUint8(2, zones);
  common.setUint8(3, 2);
  blocks.push(block(COMMON_INDEX, 0, new Uint8Array(common.buffer)));

  const add = (index: number, output: UldOutput, count: number, padded: number) => {
    const values = raw[output];
    if (!values) return;
    if (values.length !== count)
      throw new CodedError("uld-bad-length", `${output} has ${values.length} elements, not ${count}`);
    blocks.push(block(index, ELEMENT_BYTES[ELEMENT_OF[output]], elements(output, values, padded)));
  };
  for (const output of ZONE_OUTPUTS) add(ZONE_INDEX[output], output, zones, zones);
  for (const output of TARGET_OUTPUTS) {
    const count = output === "targetCount" ? zones : zones * targetsPerZone;
    const padded = options.padTo64 && targetsPerZone === 1 ? Math.max(64, count) : count;
    add(TARGET_INDEX[output][family], output, count, padded);
  }
  if (raw.motion) {
    const index = options.motionIndex ?? MOTION_INDICES[family === "one" ? 0 : 1] ?? 0;
    blocks.push(block(index, 0, motion(raw.motion)));
  }
  if (content.cnh) blocks.push(block(CNH_INDEX, 4, content.cnh));

  const size = blocks.reduce((sum, { length }) => sum + length, 0);
  const footerBytes = footer === "none" ? 0 : footer;
  const bytes = new Uint8Array(HEADER_BYTES + size + 8 + footerBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ((streamCount << 24) | READY) >>> 0, true);
  view.setUint32(8, frameId & 0xffff, true);
  view.setUint32(12, START_HEADER, true);
  let at = HEADER_BYTES;
  for (const part of blocks) {
    bytes.set(part, at);
    at += part.length;
  }
  for (const header of END_HEADERS) {
    view.setUint32(at, header, true);
    at += 4;
  }
  if (footerBytes > 0) view.setUint32(at, frameId & 0xffff, true);
  return options.byteOrder === "host" ? bytes : toHostOrder(bytes);
}

/** The registers' integers for physical values: rounded, and held within what a register can say. */
export function rawOfPhysical(physical: PhysicalOutputs): RawOutputs {
  const u32 = (values: readonly number[], factor: number) => quantised(values, factor, 0, 0xffffffff);
  return {
    ...(physical.ambientKcpsPerSpad && { ambientPerSpad: u32(physical.ambientKcpsPerSpad, RATE_DIVISOR) }),
    ...(physical.spadsEnabled && { spadsEnabled: u32(physical.spadsEnabled, 1) }),
    ...(physical.targetCount && { targetCount: quantised(physical.targetCount, 1, 0, 255) }),
    ...(physical.signalKcpsPerSpad && { signalPerSpad: u32(physical.signalKcpsPerSpad, RATE_DIVISOR) }),
    ...(physical.rangeSigmaMm && { rangeSigma: quantised(physical.rangeSigmaMm, SIGMA_DIVISOR, 0, 0xffff) }),
    ...(physical.distanceMm && { distance: quantised(physical.distanceMm, DISTANCE_DIVISOR, -0x8000, 0x7fff) }),
    ...(physical.reflectancePercent && {
      reflectance: quantised(physical.reflectancePercent, REFLECTANCE_DIVISOR, 0, 255),
    }),
    ...(physical.targetStatus && { targetStatus: quantised(physical.targetStatus, 1, 0, 255) }),
    ...(physical.motion && {
      motion: { ...physical.motion, motion: u32(physical.motion.motion, MOTION_DIVISOR) },
    }),
  };
}

function quantised(values: readonly number[], factor: number, min: number, max: number): number[] {
  return values.map((value) => Math.max(min, Math.min(max, Math.round(value * factor) || 0)));
}

function block(index: number, elementBytes: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length);
  const count = elementBytes > 1 ? payload.length / elementBytes : payload.length;
  new DataView(bytes.buffer).setUint32(0, blockHeader(index, elementBytes, count), true);
  bytes.set(payload, 4);
  return bytes;
}

function metadata(content: UldContent, streamCount: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint32(0, content.deviceTimestamp ?? 0, true);
  view.setUint8(7, streamCount);
  view.setInt8(8, content.siliconTempC ?? 0);
  return block(METADATA_INDEX, 0, new Uint8Array(view.buffer));
}

function elements(output: UldOutput, values: readonly number[], padded: number): Uint8Array {
  const element = ELEMENT_OF[output];
  const width = ELEMENT_BYTES[element];
  const view = new DataView(new ArrayBuffer(width * padded));
  values.forEach((value, i) => {
    if (element === "u8") view.setUint8(i, value);
    else if (element === "u32") view.setUint32(4 * i, value, true);
    else if (element === "i16") view.setInt16(2 * i, value, true);
    else view.setUint16(2 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

function motion(indicator: MotionIndicator): Uint8Array {
  const view = new DataView(new ArrayBuffer(MOTION_BYTES));
  view.setUint32(0, indicator.globalIndicator1, true);
  view.setUint32(4, indicator.globalIndicator2, true);
  view.setUint8(8, indicator.status);
  view.setUint8(9, indicator.detectedAggregates);
  view.setUint8(10, indicator.aggregates);
  for (let i = 0; i < MOTION_VALUES; i += 1) view.setUint32(12 + 4 * i, indicator.motion[i] ?? 0, true);
  return new Uint8Array(view.buffer);
}
