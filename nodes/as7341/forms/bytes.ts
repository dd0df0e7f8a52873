import { CodedError } from "../../host/errors.ts";
import type { SpectralReading } from "../../sample/sample.ts";
import { type RegisterSettings, readingOfRegisters } from "../read-registers.ts";
import type { SpectralForm } from "./form.ts";

/** Lengths of one reading: a pass, or two; without and with ASTATUS. */
const LENGTHS: readonly number[] = [12, 13, 24, 26];

/** Whether bytes of this length may be registers. */
export function isRegisterLength(length: number): boolean {
  return LENGTHS.includes(length) || (length > 0 && (length % 26 === 0 || length % 24 === 0));
}

/**
 * Readings in register bytes; several, when they follow one another in blocks of 26 (or 24) bytes.
 * @throws CodedError as `readingOfRegisters`; `as7341-ambiguous` where both block lengths fit
 */
export function readingsOfBytes(bytes: Uint8Array, settings: RegisterSettings): SpectralReading[] {
  if (bytes.length <= 26) return [readingOfRegisters(bytes, settings)];
  if (bytes.length % 26 === 0 && bytes.length % 24 === 0) {
    throw new CodedError("as7341-ambiguous", `${bytes.length} bytes may be blocks of 26 or of 24`);
  }
  const size = bytes.length % 26 === 0 ? 26 : 24;
  if (bytes.length % size !== 0) {
    throw new CodedError("as7341-bad-length", `${bytes.length} bytes are no whole number of readings`);
  }
  return Array.from({ length: bytes.length / size }, (_, index) =>
    readingOfRegisters(bytes.subarray(index * size, (index + 1) * size), settings),
  );
}

const HEX_BYTE = /^(?:0x)?[0-9a-f]{2}$/i;
const HEX_RUN = /^(?:0x)?(?:[0-9a-f]{2})+$/i;

/** Bytes of a hexadecimal text with or without separators and 0x; undefined for other text. */
export function bytesOfHex(text: string): Uint8Array | undefined {
  const tokens = text.split(/[\s,:;-]+/).filter((token) => token !== "");
  const isHex = tokens.every((token) => HEX_BYTE.test(token)) || tokens.every((token) => HEX_RUN.test(token));
  if (!isHex || tokens.length === 0) return undefined;
  const bytes = Buffer.from(tokens.map((token) => token.replace(/^0x/i, "")).join(""), "hex");
  return isRegisterLength(bytes.length) ? bytes : undefined;
}

/** Bytes of a base64 or base64url text; undefined for other text. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  const compact = text.trim().replace(/[\r\n]+/g, "");
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(compact)) return undefined;
  const bytes = Buffer.from(compact, "base64");
  return isRegisterLength(bytes.length) ? bytes : undefined;
}

export const hexForm: SpectralForm = {
  name: "hex",
  read(text, settings) {
    const bytes = bytesOfHex(text);
    return bytes && readingsOfBytes(bytes, settings);
  },
};

export const base64Form: SpectralForm = {
  name: "base64",
  read(text, settings) {
    const bytes = bytesOfBase64(text);
    return bytes && readingsOfBytes(bytes, settings);
  },
};
