import { CodedError } from "../host/errors.ts";
import { CNH_HEADER_BYTES, cnhBufferBytes, MAX_AGGREGATES, MAX_BINS, pad4 } from "./cnh.ts";
import type { CnhRaw } from "./cnh-frame.ts";

export interface CnhEncodeOptions {
  /** 1 (default) or 2 (ping-pong); with 2 the other buffer is left zero. */
  buffers?: 1 | 2;
  /** Which buffer is current. */
  current?: 0 | 1;
  accumulations?: number;
  hasPrevious?: boolean;
}

/** What `encodeCnh` writes: `residual` as the raw word. */
export type CnhContent = Omit<CnhRaw, "residual"> & { residual?: number };

const NO_VARIANCE_FLAG = 0x01000000;
const NO_PREVIOUS = 0x10;
const MANTISSA_BITS = 31;
const MAX_SCALER = 30;

/**
 * Writes a CNH buffer (payload of block 0xC048 in host order): the inverse of `decodeCnh`.
 * @throws CodedError `cnh-bad-shape` when there are no or too many aggregates or bins, or aggregates differ in bins
 */
export function encodeCnh(content: CnhContent, options: CnhEncodeOptions = {}): Uint8Array {
  const aggregates = content.values.length;
  const bins = content.values[0]?.length ?? 0;
  const tables = [content.values, content.scalers, content.variances, content.varianceScalers];
  const isRagged = tables.some(
    (table) => table && (table.length !== aggregates || table.some((l) => l.length !== bins)),
  );
  if (aggregates < 1 || aggregates > MAX_AGGREGATES || bins < 1 || bins > MAX_BINS || isRagged)
    throw new CodedError("cnh-bad-shape", `${aggregates} aggregates of ${bins} bins`);
  const hasVariance = content.variances !== undefined;
  const { buffers = 1, current = 0 } = options;
  const length = cnhBufferBytes(aggregates, bins, hasVariance);
  const bytes = new Uint8Array(CNH_HEADER_BYTES + buffers * length);
  const view = new DataView(bytes.buffer);
  const state = buffers === 2 ? current : 0;
  view.setUint32(0, state, true);
  view.setUint32(4, ((hasVariance ? 0 : NO_VARIANCE_FLAG) | (buffers << 16) | (length / 4)) >>> 0, true);
  view.setUint32(8, content.residual ?? 0, true);
  view.setUint32(12, options.hasPrevious ? 0 : NO_PREVIOUS, true);
  view.setUint32(16, ((bins << 16) | aggregates) >>> 0, true);

  let at = CNH_HEADER_BYTES + state * length;
  view.setUint32(at, state, true);
  view.setUint32(at + 4, options.accumulations ?? 1, true);
  at += 8;
  const words = (values: readonly number[]) => {
    for (const value of values) {
      view.setInt32(at, value, true);
      at += 4;
    }
  };
  const octets = (values: readonly number[]) => {
    values.forEach((value, i) => {
      view.setInt8(at + i, value);
    });
    at += pad4(values.length);
  };
  words(content.values.flat());
  octets(content.scalers.flat());
  words(content.ambient);
  octets(content.ambientScalers);
  if (content.variances) {
    words(content.variances.flat());
    octets((content.varianceScalers ?? content.scalers).flat());
  }
  return bytes;
}

/**
 * Mantissas and scalers for histograms given as numbers, with as many bits as fit.
 * @param values by aggregate and bin
 * @param ambient by aggregate
 */
export function cnhContentOf(values: readonly (readonly number[])[], ambient: readonly number[]): CnhContent {
  const cells = values.map((line) => line.map(mantissaOf));
  const levels = ambient.map(mantissaOf);
  return {
    values: cells.map((line) => line.map(([mantissa]) => mantissa)),
    scalers: cells.map((line) => line.map(([, scaler]) => scaler)),
    ambient: levels.map(([mantissa]) => mantissa),
    ambientScalers: levels.map(([, scaler]) => scaler),
  };
}

function mantissaOf(value: number): [mantissa: number, scaler: number] {
  const bits = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
  const scaler = Math.min(MAX_SCALER, Math.max(0, MANTISSA_BITS - bits - 1));
  const limit = 2 ** MANTISSA_BITS;
  return [Math.max(-limit, Math.min(limit - 1, Math.round(value * 2 ** scaler))), scaler];
}
