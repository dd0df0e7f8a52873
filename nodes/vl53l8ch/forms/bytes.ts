import { CodedError } from "../../host/errors.ts";
import { type CnhOptions, decodeCnh } from "../cnh.ts";
import { byteOrderOf, decodeUld, toHostOrder, type UldOptions } from "../uld.ts";
import type { UldFrame } from "../uld-frame.ts";
import { MAX_FRAMES, type TofReading } from "./form.ts";

const HEADER_BYTES = 20;

/**
 * The result frames that follow one another in `bytes`; what lies between them is passed over.
 * @throws CodedError as `decodeUld` for the first one
 */
export function uldFramesOf(bytes: Uint8Array, options: UldOptions): UldFrame[] {
  const first = decodeUld(bytes, options);
  const frames = [first];
  let at = stepOver(first);
  while (at + HEADER_BYTES <= bytes.length && frames.length < MAX_FRAMES) {
    const frame = beginsAt(bytes, at) ? decodedAt(bytes, at, options) : undefined;
    if (frame) frames.push(frame);
    at += frame ? stepOver(frame) : 1;
  }
  return frames;
}

// Where a frame without an end stops is unknown: the next may begin anywhere behind its header.
function stepOver(frame: UldFrame): number {
  return frame.problems.includes("no-end") ? HEADER_BYTES : frame.byteLength;
}

function beginsAt(bytes: Uint8Array, at: number): boolean {
  return (
    byteOrderOf(bytes, at) !== undefined &&
    bytes[at + 4] === 0 &&
    bytes[at + 5] === 0 &&
    bytes[at + 6] === 0 &&
    bytes[at + 7] === 0
  );
}

function decodedAt(bytes: Uint8Array, at: number, options: UldOptions): UldFrame | undefined {
  try {
    return decodeUld(bytes.subarray(at), options);
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/** A CNH buffer on its own, in either byte order; undefined when the bytes are not exactly one. */
export function bareCnhOf(bytes: Uint8Array, options: CnhOptions | undefined): TofReading | undefined {
  for (const host of [bytes, toHostOrder(bytes)]) {
    if (host.length < HEADER_BYTES || host.length % 4 !== 0) continue;
    const view = new DataView(host.buffer, host.byteOffset, host.byteLength);
    const layout = view.getUint32(4, true);
    if (HEADER_BYTES + ((layout >>> 16) & 0xff) * 4 * (layout & 0xffff) !== host.length) continue;
    try {
      return { targetsPerZone: 1, physical: {}, corrupted: false, cnh: decodeCnh(host, options) };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
    }
  }
  return undefined;
}

/** Bytes written as hexadecimal digits (with or without 0x, commas, spaces) or base64; undefined for anything else. */
export function bytesOfText(text: string): { form: "hex" | "base64"; bytes: Uint8Array } | undefined {
  const digits = text.replace(/0x|[\s,:;]/gi, "");
  if (digits.length >= 2 && digits.length % 2 === 0 && /^[0-9a-f]+$/i.test(digits))
    return { form: "hex", bytes: Buffer.from(digits, "hex") };
  const base64 = text.replace(/\s/g, "");
  if (base64.length >= 4 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64))
    return { form: "base64", bytes: Buffer.from(base64, "base64") };
  return undefined;
}
