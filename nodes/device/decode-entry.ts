import { createHash } from "node:crypto";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { isId, sampleUid, toId } from "../sample/ids.ts";
import type { InboxEntry, QuarantineRecord } from "../sample/inbox.ts";
import type { Sample } from "../sample/sample.ts";
import { shiftOf } from "../sample/shift.ts";
import type { SiteSettings } from "../sample/site.ts";
import { isCborMap, parseCbor } from "./cbor.ts";
import type { DecodedMessage, Dialect, Encoding } from "./dialect.ts";
import { envelopeDialect } from "./envelope.ts";
import { isObject, type JsonLimits, type JsonObject, parseJson } from "./json.ts";
import type { ServerTimes } from "./server-times.ts";
import { sqalDialect } from "./sqal.ts";
import { parseTimestamp, type Timestamp } from "./timestamp.ts";

/** The forms in which devices may send samples; the first that recognises a message decodes it. */
export const DIALECTS: readonly Dialect[] = [sqalDialect, envelopeDialect];

/** The largest message SQAL's devices send has 138 KB and nests 5 deep. */
export const MESSAGE_LIMITS: JsonLimits = { maxBytes: 1 << 20, maxDepth: 16 };

/**
 * Decodes one inbox entry into a sample, without analysis. Everything that changes with the clock comes from the entry's
 * stamps, so that a replay gives the same sample.
 * @param serverTimes remembers the time given to samples of devices without a clock, so that one sent again gets the same
 * @throws CodedError `not-json`, `too-large`, `too-deep`, `not-finite`, `forbidden-key`, `bad-text`, `unknown-type`,
 *   `bad-id`, `bad-field`, `bad-matrix`, `bad-histogram`, `bad-channels`, `out-of-range`, `no-sensor`, `bad-timestamp`,
 *   `future-time`, `identity-mismatch`, those of `parseCbor` and of the envelope and its sensors (`not-cbor`,
 *   `duplicate-key`, `too-many-values`, `bad-version`, `bad-bytes`, `bad-format`, `uld-…`, `as7341-…`), or what the door already found wrong (`bad-topic`); nothing else
 */
export function decodeEntry(entry: InboxEntry, site: SiteSettings, serverTimes?: ServerTimes): Sample {
  if (entry.problem !== undefined) throw new CodedError(entry.problem, `refused at the ${entry.transport} door`);
  const encoding: Encoding = isCborMap(entry.bytes) ? "cbor" : "json";
  const message = messageOfEntry(entry);
  const dialect = DIALECTS.find(({ encodings, recognises }) => encodings.includes(encoding) && recognises(message));
  if (!dialect) throw new CodedError("unknown-type", `no dialect reads type ${typeText(message)}`);
  const decoded = dialect.decode(message);
  if (entry.provenDeviceId !== undefined && entry.provenDeviceId !== decoded.deviceId) {
    throw new CodedError("identity-mismatch", `device_id is ${decoded.deviceId}, proven is ${entry.provenDeviceId}`);
  }
  const identity = identityOf(entry, decoded);
  const known =
    decoded.measuredAt || identity.key === undefined ? undefined : serverTimes?.of(identity.key, entry.receivedAt);
  const measuredAt = decoded.measuredAt ?? known ?? arrivalOf(entry);
  const isLate = isLateBy(entry, measuredAt, site);
  const sample = sampleOf(entry, site, decoded, { ...identity, measuredAt, encoding });
  if (dialect.productPerSample) sample.productId = sample.sampleUid;
  // What was emitted before comes out of its order: it must not move what shows the present.
  return { ...sample, isHistorical: isLate || entry.attempts > 0 };
}

/**
 * Whether a sample came long after it was measured. Where the server's clock was set while it ran, the sample is in time
 * if it is by either setting: which of them is right nobody can tell.
 * @throws CodedError `future-time`
 */
function isLateBy(entry: InboxEntry, measuredAt: Timestamp, site: SiteSettings): boolean {
  const { receivedAt, otherwiseAt = receivedAt } = entry;
  const agesS = [receivedAt, otherwiseAt].map((at) => (Date.parse(at) - measuredAt.epochMs) / 1000);
  const isFuture = (ageS: number) => -ageS > site.futureToleranceS;
  if (agesS.every(isFuture)) {
    const aheadS = -Math.max(...agesS);
    throw new CodedError("future-time", `timestamp ${measuredAt.iso} is ${Math.round(aheadS)} s in the future`);
  }
  return agesS.every((ageS) => ageS > site.historicalAfterS || isFuture(ageS));
}

/** The record with which an entry that could not be decoded travels to quarantine. */
export function quarantineOf(entry: InboxEntry, error: unknown): QuarantineRecord {
  const deviceId = entry.provenDeviceId ?? claimedDeviceId(entry);
  return {
    quarantine: true,
    reason: codeOf(error, "decode-failed"),
    detail: messageOf(error).slice(0, 500),
    transport: entry.transport,
    receivedAt: entry.receivedAt,
    siteId: entry.siteId,
    ...(entry.lineId !== undefined && { lineId: entry.lineId }),
    ...(entry.provenDeviceId !== undefined && { provenDeviceId: entry.provenDeviceId }),
    ...(deviceId !== undefined && { deviceId }),
    bytes: entry.bytes,
  };
}

function messageOfEntry({ bytes }: InboxEntry): JsonObject {
  const message = isCborMap(bytes) ? parseCbor(bytes, MESSAGE_LIMITS) : parseJson(bytes, MESSAGE_LIMITS);
  if (isObject(message)) return message;
  throw new CodedError("unknown-type", "message is not a JSON object");
}

interface Identity {
  sampleId: string;
  /** What is the same when the device sends the sample again, and of no other; undefined where nothing tells. */
  key?: string;
}

/** Names a sample that the device did not name: by its numbers, else by what it is. */
function identityOf(entry: InboxEntry, { deviceId, sampleId, bootId, seq }: DecodedMessage): Identity {
  if (bootId !== undefined && seq !== undefined) {
    return { sampleId: sampleId ?? `${bootId}-${seq}`, key: sampleUid({ deviceId, bootId, seq }) };
  }
  if (sampleId !== undefined) return { sampleId, key: sampleUid({ deviceId, measuredAt: "", sampleId }) };
  return { sampleId: createHash("sha256").update(entry.bytes).digest("hex").slice(0, 32) };
}

/** The door's stamp as a time; it is always one. */
function arrivalOf({ receivedAt }: InboxEntry): Timestamp {
  const time = parseTimestamp(receivedAt);
  if (time) return time;
  throw new CodedError("bad-timestamp", `${receivedAt} is not a time of arrival`);
}

interface Stamp extends Identity {
  measuredAt: Timestamp;
  encoding: Encoding;
}

function sampleOf(entry: InboxEntry, site: SiteSettings, decoded: DecodedMessage, stamp: Stamp): Sample {
  const { rawFormat, location, vl53l8ch, as7341, ...rest } = decoded;
  const { deviceId, bootId, seq } = decoded;
  const { sampleId, encoding } = stamp;
  const measuredAt = stamp.measuredAt.iso;
  const isNumbered = bootId !== undefined && seq !== undefined;
  const raw = { format: rawFormat === "foieflow" ? `foieflow-${encoding}` : rawFormat, bytes: entry.bytes };
  const locationLine = location === undefined ? undefined : toId(location);
  return {
    ...rest,
    sampleUid: sampleUid(isNumbered ? { deviceId, bootId, seq } : { deviceId, measuredAt, sampleId }),
    sampleId,
    siteId: entry.siteId,
    lineId: entry.lineId ?? locationLine ?? entry.defaultLineId,
    measuredAt,
    timeSource: decoded.measuredAt ? "device" : "server",
    receivedAt: entry.receivedAt,
    transport: entry.transport,
    isHistorical: false,
    ...shiftOf(measuredAt, site),
    // Where a part keeps its sensor's bytes alone, the rest of the message is not in it.
    ...((vl53l8ch?.raw ?? as7341?.raw) && { message: raw }),
    ...(vl53l8ch && { vl53l8ch: { raw, ...vl53l8ch } }),
    ...(as7341 && { as7341: { raw, ...as7341 } }),
  };
}

function claimedDeviceId(entry: InboxEntry): string | undefined {
  try {
    const { device_id, device } = messageOfEntry(entry);
    const deviceId = device_id ?? device;
    return isId(deviceId) ? deviceId : undefined;
  } catch {
    return undefined;
  }
}

function typeText(message: JsonObject): string {
  return typeof message.type === "string" ? JSON.stringify(message.type.slice(0, 40)) : "(none)";
}
