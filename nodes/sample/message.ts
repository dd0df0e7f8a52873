import { codeOf, messageOf } from "../host/errors.ts";
import type { InboxEntry, QuarantineRecord } from "./inbox.ts";
import type { Sample } from "./sample.ts";
import { TRANSPORTS, type Transport } from "./units.ts";

/** Whether a message's payload is an inbox entry. */
export function isInboxEntry(payload: unknown): payload is InboxEntry {
  return (
    typeof payload === "object" &&
    payload !== null &&
    hasText(payload, "entryId", "receivedAt", "siteId", "defaultLineId") &&
    "bytes" in payload &&
    payload.bytes instanceof Uint8Array &&
    "transport" in payload &&
    isTransport(payload.transport)
  );
}

/** Whether a message's payload is a decoded sample. */
export function isSample(payload: unknown): payload is Sample {
  return (
    typeof payload === "object" &&
    payload !== null &&
    !isQuarantineRecord(payload) &&
    hasText(payload, "sampleUid", "sampleId", "deviceId", "siteId", "lineId", "measuredAt", "receivedAt")
  );
}

/** Whether a message's payload is on its way to quarantine: nodes on the way pass it on untouched. */
export function isQuarantineRecord(payload: unknown): payload is QuarantineRecord {
  return typeof payload === "object" && payload !== null && "quarantine" in payload && payload.quarantine === true;
}

/** The dialect a sample was sent in, e.g. `sqal`, `sqal-legacy`; undefined where nothing says so. */
export function dialectOf(sample: Sample): string | undefined {
  return sample.vl53l8ch?.features?.dialect ?? sample.vl53l8ch?.raw?.format ?? sample.as7341?.raw?.format;
}

/** Whether a dialect is one of SQAL's: one message per product, in units that only SQAL's formulas know. */
export function isSqalDialect(dialect: string | undefined): boolean {
  return dialect?.startsWith("sqal") === true;
}

/** The record of a sample that a node on the way could not handle, so that it is kept with the reason. */
export function quarantineOfSample(sample: Sample, error: unknown, fallbackReason: string): QuarantineRecord {
  return {
    quarantine: true,
    reason: codeOf(error, fallbackReason),
    detail: messageOf(error).slice(0, 500),
    transport: isTransport(sample.transport) ? sample.transport : "websocket",
    receivedAt: sample.receivedAt,
    siteId: sample.siteId,
    lineId: sample.lineId,
    deviceId: sample.deviceId,
    bytes: sample.message?.bytes ?? sample.vl53l8ch?.raw?.bytes ?? sample.as7341?.raw?.bytes ?? Buffer.alloc(0),
  };
}

function isTransport(value: unknown): value is Transport {
  return TRANSPORTS.some((transport) => transport === value);
}

function hasText(payload: object, ...keys: string[]): boolean {
  return keys.every((key) => key in payload && typeof Reflect.get(payload, key) === "string");
}
