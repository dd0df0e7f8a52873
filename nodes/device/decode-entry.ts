import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { isId, sampleUid, toId } from "../sample/ids.ts";
import type { InboxEntry, QuarantineRecord } from "../sample/inbox.ts";
import type { Sample } from "../sample/sample.ts";
import { shiftOf } from "../sample/shift.ts";
import type { SiteSettings } from "../sample/site.ts";
import type { DecodedMessage, Dialect } from "./dialect.ts";
import { isObject, type JsonLimits, type JsonObject, parseJson } from "./json.ts";
import { sqalDialect } from "./sqal.ts";

/** The forms in which devices may send samples; the first that recognises a message decodes it. */
export const DIALECTS: readonly Dialect[] = [sqalDialect];

/** The largest message SQAL's devices send has 138 KB and nests 5 deep. */
export const MESSAGE_LIMITS: JsonLimits = { maxBytes: 1 << 20, maxDepth: 16 };

/**
 * Decodes one inbox entry into a sample, without analysis. Everything that changes with the clock comes from the entry's
 * stamps, so that a replay gives the same sample.
 * @throws CodedError `not-json`, `too-large`, `too-deep`, `not-finite`, `forbidden-key`, `bad-text`, `unknown-type`,
 *   `bad-id`, `bad-field`, `bad-matrix`, `bad-histogram`, `bad-channels`, `out-of-range`, `no-sensor`, `bad-timestamp`,
 *   `future-time`, `identity-mismatch`, or what the door already found wrong (`bad-topic`); nothing else
 */
export function decodeEntry(entry: InboxEntry, site: SiteSettings): Sample {
  if (entry.problem !== undefined) throw new CodedError(entry.problem, `refused at the ${entry.transport} door`);
  const message = messageOfEntry(entry);
  const dialect = DIALECTS.find((candidate) => candidate.recognises(message));
  if (!dialect) throw new CodedError("unknown-type", `no dialect reads type ${typeText(message)}`);
  const decoded = dialect.decode(message);
  if (entry.provenDeviceId !== undefined && entry.provenDeviceId !== decoded.deviceId) {
    throw new CodedError("identity-mismatch", `device_id is ${decoded.deviceId}, proven is ${entry.provenDeviceId}`);
  }
  const ageS = (Date.parse(entry.receivedAt) - decoded.measuredAt.epochMs) / 1000;
  if (-ageS > site.futureToleranceS) {
    throw new CodedError("future-time", `timestamp ${decoded.measuredAt.iso} is ${Math.round(-ageS)} s in the future`);
  }
  return sampleOf(entry, site, decoded, ageS > site.historicalAfterS);
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
    ...(deviceId !== undefined && { deviceId }),
    bytes: entry.bytes,
  };
}

function messageOfEntry(entry: InboxEntry): JsonObject {
  const message = parseJson(entry.bytes, MESSAGE_LIMITS);
  if (isObject(message)) return message;
  throw new CodedError("unknown-type", "message is not a JSON object");
}

function sampleOf(entry: InboxEntry, site: SiteSettings, decoded: DecodedMessage, isHistorical: boolean): Sample {
  const { rawFormat, deviceId, sampleId, measuredAt, location, vl53l8ch, as7341, ...rest } = decoded;
  const uid = sampleUid({ deviceId, measuredAt: measuredAt.iso, sampleId });
  const raw = { format: rawFormat, bytes: entry.bytes };
  const locationLine = location === undefined ? undefined : toId(location);
  return {
    sampleUid: uid,
    sampleId,
    deviceId,
    siteId: entry.siteId,
    lineId: entry.lineId ?? locationLine ?? entry.defaultLineId,
    productId: uid,
    measuredAt: measuredAt.iso,
    timeSource: "device",
    receivedAt: entry.receivedAt,
    transport: entry.transport,
    isHistorical,
    ...shiftOf(measuredAt.iso, site),
    ...rest,
    ...(vl53l8ch && { vl53l8ch: { raw, ...vl53l8ch } }),
    ...(as7341 && { as7341: { raw, ...as7341 } }),
  };
}

function claimedDeviceId(entry: InboxEntry): string | undefined {
  try {
    const deviceId = messageOfEntry(entry).device_id;
    return isId(deviceId) ? deviceId : undefined;
  } catch {
    return undefined;
  }
}

function typeText(message: JsonObject): string {
  return typeof message.type === "string" ? JSON.stringify(message.type.slice(0, 40)) : "(none)";
}
