import { CodedError } from "../host/errors.ts";
import type { SpectralPass } from "../sample/sample.ts";
import type { ChannelName } from "../sample/units.ts";
import { GAINS, gainOfCode, MAX_COUNT } from "./basic-counts.ts";

/** What CH0…CH5 are connected to in the two SMUX passes every common library uses. */
export const PASS_CHANNELS: Readonly<Record<1 | 2, readonly ChannelName[]>> = {
  1: ["F1", "F2", "F3", "F4", "Clear", "NIR"],
  2: ["F5", "F6", "F7", "F8", "Clear", "NIR"],
};

/** Six u16, little-endian, from 0x95; with ASTATUS (0x94) before them when `DATA_BYTES + 1` long. */
const DATA_BYTES = 12;
const WITH_STATUS = DATA_BYTES + 1;

const ASAT_STATUS = 0x80;
const GAIN_STATUS = 0x0f;
/** Bits ASAT_ANALOG and ASAT_DIGITAL of STATUS2 (0xA3). */
const ASAT_STATUS2 = 0x18;

/** One pass as bytes: 13 (ASTATUS first) or 12. */
export interface PassBlock {
  pass: 1 | 2;
  bytes: Uint8Array;
  /** Register STATUS2 of this pass, where the device sent it. */
  status2?: number | undefined;
}

/**
 * Decodes the registers of one SMUX pass. The gain latched in ASTATUS belongs to these very counts.
 * @throws CodedError `as7341-bad-length` unless 12 or 13 bytes; `as7341-bad-gain` when ASTATUS names no gain
 */
export function decodePass({ pass, bytes, status2 }: PassBlock): SpectralPass {
  if (bytes.length !== DATA_BYTES && bytes.length !== WITH_STATUS) {
    throw new CodedError("as7341-bad-length", `a pass has 12 or 13 bytes, not ${bytes.length}`);
  }
  const start = bytes.length - DATA_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = Array.from({ length: 6 }, (_, index) => view.getUint16(start + 2 * index, true));
  const flag2 = status2 === undefined ? undefined : (status2 & ASAT_STATUS2) !== 0;
  const decoded: SpectralPass = { pass, channels: [...PASS_CHANNELS[pass]], counts };
  if (start === 0) return flag2 === undefined ? decoded : { ...decoded, saturationFlag: flag2 };
  const status = view.getUint8(0);
  const saturationFlag = (status & ASAT_STATUS) !== 0 || flag2 === true;
  return { ...decoded, gain: gainOfCode(status & GAIN_STATUS), saturationFlag };
}

/**
 * Cuts concatenated registers into the passes of one reading: 12 or 13 bytes are one pass, 24 or 26 two.
 * @throws CodedError `as7341-bad-length` for other lengths
 */
export function splitPasses(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length === DATA_BYTES || bytes.length === WITH_STATUS) return [bytes];
  if (bytes.length === 2 * DATA_BYTES || bytes.length === 2 * WITH_STATUS) {
    const half = bytes.length / 2;
    return [bytes.subarray(0, half), bytes.subarray(half)];
  }
  throw new CodedError("as7341-bad-length", `registers have 12, 13, 24 or 26 bytes, not ${bytes.length}`);
}

/** One pass to be written as registers. */
export interface PassToEncode {
  /** CH0…CH5, whole numbers 0…65535. */
  counts: readonly number[];
  /** Gain factor and saturation flag for ASTATUS; without a gain the block has 12 bytes. */
  gain?: number;
  saturationFlag?: boolean;
}

/**
 * The registers a device reads after one pass: the inverse of `decodePass`.
 * @throws CodedError `as7341-bad-gain`, `as7341-bad-count`
 */
export function encodeRegisters({ counts, gain, saturationFlag = false }: PassToEncode): Uint8Array {
  const start = gain === undefined ? 0 : 1;
  const bytes = new Uint8Array(start + DATA_BYTES);
  const view = new DataView(bytes.buffer);
  if (gain !== undefined) {
    const code = GAINS.indexOf(gain);
    if (code < 0) throw new CodedError("as7341-bad-gain", `${gain} is not a gain factor`);
    view.setUint8(0, code | (saturationFlag ? ASAT_STATUS : 0));
  }
  if (counts.length !== 6) throw new CodedError("as7341-bad-count", `a pass has 6 counts, not ${counts.length}`);
  for (const [index, count] of counts.entries()) {
    if (!Number.isInteger(count) || count < 0 || count > MAX_COUNT) {
      throw new CodedError("as7341-bad-count", `${count} is not a count 0…65535`);
    }
    view.setUint16(start + 2 * index, count, true);
  }
  return bytes;
}
