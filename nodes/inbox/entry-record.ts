import { crc32 } from "node:zlib";
import type { Envelope } from "../sample/inbox.ts";
import { TRANSPORTS } from "../sample/units.ts";

/** An entry as it lies in the store: everything but the bytes as JSON, and two checksums over all of it. */
export interface EntryRecord {
  id: number;
  /** The envelope without its bytes. */
  meta: string;
  /** CRC-32 of id and meta, so that an entry can be listed without its bytes being read. */
  metaCrc: number;
  /** CRC-32 of id, meta and bytes. */
  crc: number;
  bytes: Uint8Array;
}

/** What tells of an entry without its bytes. */
export type EntryMeta = Omit<Envelope, "bytes">;

/** Everything of an envelope but its bytes. */
export function metaOf(envelope: EntryMeta): EntryMeta {
  const { transport, receivedAt, otherwiseAt, siteId, lineId, defaultLineId, provenDeviceId, problem } = envelope;
  return {
    transport,
    receivedAt,
    ...(otherwiseAt !== undefined && { otherwiseAt }),
    siteId,
    ...(lineId !== undefined && { lineId }),
    defaultLineId,
    ...(provenDeviceId !== undefined && { provenDeviceId }),
    ...(problem !== undefined && { problem }),
  };
}

/** The record of an entry, with its checksums. */
export function recordOf(id: number, meta: string, bytes: Uint8Array): EntryRecord {
  const metaCrc = crc32(`${id} ${meta}`);
  return { id, meta, metaCrc, crc: crc32(bytes, metaCrc), bytes };
}

/** The meta of a row, or undefined when it is not what was written. Values are as SQLite gives them, damaged ones too. */
export function readMeta(id: unknown, meta: unknown, metaCrc: unknown): EntryMeta | undefined {
  if (typeof id !== "number" || typeof meta !== "string" || metaCrc !== crc32(`${id} ${meta}`)) return undefined;
  return parseMeta(meta);
}

/** The envelope of a row, or undefined when any of it is not what was written. */
export function readEnvelope(row: Record<string, unknown>): Envelope | undefined {
  const { id, meta, meta_crc, crc, bytes } = row;
  const known = readMeta(id, meta, meta_crc);
  if (!known || typeof meta_crc !== "number" || !(bytes instanceof Uint8Array)) return undefined;
  if (crc !== crc32(bytes, meta_crc)) return undefined;
  return { ...known, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function parseMeta(text: string): EntryMeta | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null) return undefined;
  const field = (name: string): string | undefined => {
    const value: unknown = Reflect.get(found, name);
    return typeof value === "string" ? value : undefined;
  };
  const transport = TRANSPORTS.find((one) => one === field("transport"));
  const [receivedAt, siteId, defaultLineId] = [field("receivedAt"), field("siteId"), field("defaultLineId")];
  if (!transport || receivedAt === undefined || siteId === undefined || defaultLineId === undefined) return undefined;
  const [lineId, provenDeviceId, problem] = [field("lineId"), field("provenDeviceId"), field("problem")];
  const otherwiseAt = field("otherwiseAt");
  return {
    transport,
    receivedAt,
    ...(otherwiseAt !== undefined && { otherwiseAt }),
    siteId,
    ...(lineId !== undefined && { lineId }),
    defaultLineId,
    ...(provenDeviceId !== undefined && { provenDeviceId }),
    ...(problem !== undefined && { problem }),
  };
}
