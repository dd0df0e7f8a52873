import { crc32 } from "node:zlib";

const LONGEST_RUN = 0xff;
const CRC_BYTES = 4;
const NEWLINE = 0x0a;

/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): the same content without a zero byte, at most one byte
 * per 254 longer, plus one.
 */
export function cobsEncode(bytes: Uint8Array): Buffer {
  const encoded = Buffer.allocUnsafe(bytes.length + Math.floor(bytes.length / 254) + 1);
  let codeAt = 0;
  let to = 1;
  for (let from = 0; from < bytes.length; from += 1) {
    const byte = bytes[from] ?? 0;
    if (byte !== 0) encoded[to++] = byte;
    const run = to - codeAt;
    const full = run === LONGEST_RUN && from + 1 < bytes.length;
    if (byte !== 0 && !full) continue;
    encoded[codeAt] = run;
    codeAt = to;
    to += 1;
  }
  encoded[codeAt] = to - codeAt;
  return encoded.subarray(0, to);
}

/** The content of a stuffed block; undefined when it holds a zero or ends before its last run does. */
export function cobsDecode(block: Uint8Array): Buffer | undefined {
  if (block.length === 0) return undefined;
  const decoded = Buffer.allocUnsafe(block.length);
  let to = 0;
  for (let from = 0; from < block.length; ) {
    const code = block[from] ?? 0;
    const end = from + code;
    if (code === 0 || end > block.length) return undefined;
    for (from += 1; from < end; from += 1) {
      const byte = block[from] ?? 0;
      if (byte === 0) return undefined;
      decoded[to++] = byte;
    }
    if (code !== LONGEST_RUN && from < block.length) decoded[to++] = 0;
  }
  return decoded.subarray(0, to);
}

/**
 * A payload as it goes over a serial line: zero, stuffed payload and CRC-32 (IEEE 802.3, little-endian), zero, newline.
 * The newline ends no frame: it moves a reader that waits for the end of a line, as Node-RED's serial node does.
 */
export function frameCobs(payload: Uint8Array): Buffer {
  const checked = Buffer.allocUnsafe(payload.length + CRC_BYTES);
  checked.set(payload);
  checked.writeUInt32LE(crc32(payload), payload.length);
  return Buffer.concat([Buffer.of(0), cobsEncode(checked), Buffer.of(0, NEWLINE)]);
}

/** The payload of what stood between two zeros; undefined when it is empty or its check does not fit. */
export function unframeCobs(block: Uint8Array): Buffer | undefined {
  const checked = cobsDecode(block);
  if (!checked || checked.length <= CRC_BYTES) return undefined;
  const payload = checked.subarray(0, checked.length - CRC_BYTES);
  return crc32(payload) === checked.readUInt32LE(payload.length) ? payload : undefined;
}
