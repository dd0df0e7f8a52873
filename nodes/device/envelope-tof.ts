import { CodedError } from "../host/errors.ts";
import type { RawBytes, TofFeatures, TofFrame, TofOutput } from "../sample/sample.ts";
import { tofFrameOfRaw } from "../vl53l8ch/read-tof.ts";
import type { DecodedMessage } from "./dialect.ts";
import { bytesOf } from "./envelope-bytes.ts";
import { type Fields, inRange, type Range } from "./fields.ts";
import type { JsonObject } from "./json.ts";

/** The largest result frame: 3364 bytes of outputs with four targets, and histograms of at most 6160 + 268. */
const MAX_RAW_BYTES = 16_384;
const DISTANCE_MM: Range = [-1000, 10_000];
const REFLECTANCE_PERCENT: Range = [0, 255];
const RATE_KCPS: Range = [0, 1e7];
const SIGMA_MM: Range = [0, 10_000];
const STATUS: Range = [0, 255];
const TEMPERATURE_C: Range = [-128, 127];
const VALID_STATUSES = [5, 9];
const NO_TARGET = 255;
const MAX_BIN = 1024;
const MAX_AGGREGATE = 63;

/** The decoded part, and what is needed to decode its bytes again. */
export interface EnvelopePart<T> {
  part: T;
  settings?: JsonObject;
}

type TofPart = NonNullable<DecodedMessage["vl53l8ch"]>;
const FEATURES: TofFeatures = { dialect: "foieflow" };

/**
 * The ToF half of an envelope: the result frame's bytes, or lists of 16 or 64 zones.
 * @throws CodedError `bad-bytes`, `bad-format`, `bad-matrix`, `out-of-range`, `bad-field`, `uld-…`
 */
export function decodeEnvelopeTof(fields: Fields | undefined): EnvelopePart<TofPart> | undefined {
  if (!fields) return undefined;
  return fields.get("raw") === undefined ? { part: { frame: frameOfZones(fields), features: FEATURES } } : raw(fields);
}

function raw(fields: Fields): EnvelopePart<TofPart> {
  const format = fields.text("format") ?? "uld";
  if (format !== "uld") throw new CodedError("bad-format", `${fields.path("format")} is ${format}, read is uld`);
  const kept: RawBytes = { format, bytes: bytesOf(fields.get("raw"), MAX_RAW_BYTES, fields.path("raw")) };
  const orientation = orientationOf(fields.child("orientation"));
  const cnh = cnhOf(fields.child("cnh"));
  const options = { ...(orientation && { orientation }), ...(cnh && { cnh }) };
  const settings: JsonObject = { ...(orientation && { orientation }), ...(cnh && { cnh }) };
  const part: TofPart = { raw: kept, frame: tofFrameOfRaw(kept.bytes, options), features: FEATURES };
  return Object.keys(settings).length > 0 ? { part, settings } : { part };
}

type Orientation = { flipX: boolean; flipY: boolean; quarterTurns: 0 | 1 | 2 | 3 };

function orientationOf(fields: Fields | undefined): Orientation | undefined {
  if (!fields) return undefined;
  const quarterTurns = fields.number("quarterTurns", [0, 3]) ?? 0;
  if (quarterTurns !== 0 && quarterTurns !== 1 && quarterTurns !== 2 && quarterTurns !== 3) {
    throw new CodedError("bad-field", `${fields.path("quarterTurns")} is not 0, 1, 2 or 3`);
  }
  return { flipX: flag(fields, "flipX"), flipY: flag(fields, "flipY"), quarterTurns };
}

function flag(fields: Fields, key: string): boolean {
  const value = fields.get(key);
  if (value === undefined || typeof value === "boolean") return value ?? false;
  throw new CodedError("bad-field", `${fields.path(key)} is not true or false`);
}

function cnhOf(fields: Fields | undefined): { startBin: number; subSample: number; zoneMap?: number[] } | undefined {
  if (!fields) return undefined;
  const zoneMap = fields.get("zoneMap") === undefined ? undefined : numbersOf(fields, "zoneMap", [-1, MAX_AGGREGATE]);
  return {
    startBin: fields.number("startBin", [0, MAX_BIN]) ?? 0,
    subSample: fields.number("subSample", [1, MAX_BIN]) ?? 1,
    ...(zoneMap && { zoneMap }),
  };
}

/** A frame the device has decoded itself. What it leaves out is named in `missing`, as for switched-off outputs. */
function frameOfZones(fields: Fields): TofFrame {
  const distanceMm = numbersOf(fields, "distanceMm", DISTANCE_MM);
  const zones = distanceMm.length;
  const missing: TofOutput[] = [];
  const list = (key: string, range: Range) => {
    const values = fields.get(key) === undefined ? undefined : numbersOf(fields, key, range);
    if (values && values.length !== zones) {
      throw new CodedError("bad-matrix", `${fields.path(key)} has ${values.length} zones, distanceMm has ${zones}`);
    }
    return values;
  };
  const orMissing = (output: TofOutput, range: Range, fill = 0) => {
    const values = list(output, range);
    if (!values) missing.push(output);
    return values ?? new Array<number>(zones).fill(fill);
  };
  const sigmaMm = list("rangeSigmaMm", SIGMA_MM);
  const siliconTempC = fields.number("siliconTempC", TEMPERATURE_C);
  return {
    side: zones === 64 ? 8 : 4,
    distanceMm,
    reflectancePercent: orMissing("reflectancePercent", REFLECTANCE_PERCENT),
    signal: orMissing("signal", RATE_KCPS),
    ambient: orMissing("ambient", RATE_KCPS),
    signalUnit: "kcps/SPAD",
    status: orMissing("status", STATUS, NO_TARGET),
    validStatuses: [...VALID_STATUSES],
    ...(sigmaMm && { sigmaMm }),
    ...(siliconTempC !== undefined && { siliconTempC }),
    ...(missing.length > 0 && { missing }),
  };
}

/** 16 or 64 numbers, row-major, flat or as 4 or 8 rows. */
function numbersOf(fields: Fields, key: string, range: Range): number[] {
  const path = fields.path(key);
  const value = fields.get(key);
  const rows = Array.isArray(value) ? value : [];
  const isNested = rows.some(Array.isArray);
  const side = rows.length;
  const isSquare = (side === 4 || side === 8) && rows.every((row) => Array.isArray(row) && row.length === side);
  if (isNested ? !isSquare : side !== 16 && side !== 64) {
    throw new CodedError("bad-matrix", `${path} is not 16 or 64 zones, flat or as 4 or 8 rows`);
  }
  return rows.flat().map((item, index) => {
    if (typeof item !== "number") throw new CodedError("bad-matrix", `${path}[${index}] is not a number`);
    return inRange(item, range, `${path}[${index}]`);
  });
}
