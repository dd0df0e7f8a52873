import { CodedError } from "../host/errors.ts";
import type { CnhConfig, CnhFrame, CnhRaw } from "./cnh-frame.ts";

export const MAX_AGGREGATES = 64;
export const MAX_BINS = 128;
export const CNH_HEADER_BYTES = 20;
const NO_VARIANCE = 0x01;
const NO_PREVIOUS = 0x10;
const RESIDUAL_SCALE = 2048;

export interface CnhOptions {
  config?: CnhConfig;
  /** Halves the values, as ST's examples before ULD 2.0.10 do, for comparison with their recordings. */
  halved?: boolean;
}

/** Bytes of one of a buffer's one or two halves. */
export function cnhBufferBytes(aggregates: number, bins: number, hasVariance: boolean): number {
  const cells = aggregates * bins;
  const block = 4 * cells + pad4(cells);
  return 8 + block + 4 * aggregates + pad4(aggregates) + (hasVariance ? block : 0);
}

/** Rounded up to a whole number of 32-bit words. */
export function pad4(bytes: number): number {
  return (bytes + 3) & ~3;
}

/**
 * Reads a CNH buffer (payload of block 0xC048, after the 32-bit reversal). It describes itself: aggregates, bins, ping-pong
 * and variance are taken from it, and every length is held against the bytes there are.
 * @throws CodedError `cnh-too-short`, `cnh-bad-shape`, `cnh-overrun`
 */
export function decodeCnh(bytes: Uint8Array, options: CnhOptions = {}): CnhFrame {
  if (bytes.length < CNH_HEADER_BYTES)
    throw new CodedError("cnh-too-short", `a CNH buffer has at least ${CNH_HEADER_BYTES} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const state = view.getUint32(0, true);
  const layout = view.getUint32(4, true);
  const residual = view.getUint32(8, true);
  const flags = view.getUint32(12, true);
  const bins = view.getUint16(18, true);
  const aggregates = view.getUint16(16, true);
  const hasVariance = ((layout >>> 24) & NO_VARIANCE) === 0;
  const buffers = (layout >>> 16) & 0xff;
  const stride = 4 * (layout & 0xffff);
  if (aggregates < 1 || aggregates > MAX_AGGREGATES || bins < 1 || bins > MAX_BINS)
    throw new CodedError("cnh-bad-shape", `${aggregates} aggregates of ${bins} bins`);
  if ((buffers !== 1 && buffers !== 2) || state >= buffers)
    throw new CodedError("cnh-bad-shape", `state ${state} of ${buffers} buffers`);
  const length = cnhBufferBytes(aggregates, bins, hasVariance);
  const start = CNH_HEADER_BYTES + state * stride;
  if (stride < length || start + length > bytes.length)
    throw new CodedError("cnh-overrun", `${length} bytes at ${start} of ${bytes.length}, ${stride} per buffer`);

  let at = start + 8;
  const words = (rows: number, columns: number) => {
    const table: number[][] = [];
    for (let row = 0; row < rows; row += 1) {
      const line = new Array<number>(columns);
      for (let column = 0; column < columns; column += 1, at += 4) line[column] = view.getInt32(at, true);
      table.push(line);
    }
    return table;
  };
  const octets = (rows: number, columns: number) => {
    const table: number[][] = [];
    for (let row = 0, from = at; row < rows; row += 1) {
      const line = new Array<number>(columns);
      for (let column = 0; column < columns; column += 1, from += 1) line[column] = view.getInt8(from);
      table.push(line);
    }
    at += pad4(rows * columns);
    return table;
  };
  const raw: CnhRaw = {
    values: words(aggregates, bins),
    scalers: octets(aggregates, bins),
    ambient: words(1, aggregates)[0] ?? [],
    ambientScalers: octets(1, aggregates)[0] ?? [],
    ...(hasVariance && { variances: words(aggregates, bins), varianceScalers: octets(aggregates, bins) }),
    residual,
  };
  const scale = options.halved ? 0.5 : 1;
  return {
    aggregates,
    bins,
    buffer: state === 1 ? 1 : 0,
    buffers: buffers === 2 ? 2 : 1,
    accumulations: view.getUint32(start + 4, true),
    hasPrevious: (flags & NO_PREVIOUS) === 0,
    raw,
    values: raw.values.map((line, a) => scaled(line, raw.scalers[a] ?? [], scale)),
    ambient: scaled(raw.ambient, raw.ambientScalers, scale),
    ...(raw.variances && {
      variances: raw.variances.map((line, a) => scaled(line, raw.varianceScalers?.[a] ?? [], scale * scale)),
    }),
    residual: residual / RESIDUAL_SCALE,
    ...(options.config && { config: options.config }),
  };
}

// A power of two divides exactly, so that the quotient is the sensor's value to the last bit.
const POWERS = Array.from({ length: 256 }, (_, scaler) => 2 ** -(scaler - 128));

function scaled(mantissas: readonly number[], scalers: readonly number[], scale: number): number[] {
  const values = new Array<number>(mantissas.length);
  for (let i = 0; i < mantissas.length; i += 1)
    values[i] = (mantissas[i] ?? 0) * (POWERS[(scalers[i] ?? 0) + 128] ?? 0) * scale;
  return values;
}
