import { createHash } from "node:crypto";
import { CodedError } from "../host/errors.ts";
import { isId } from "../sample/ids.ts";
import type { DecodedMessage, Dialect } from "./dialect.ts";
import { decodeEnvelopeSpectrum } from "./envelope-spectrum.ts";
import { decodeEnvelopeTof } from "./envelope-tof.ts";
import { Fields, type Range } from "./fields.ts";
import type { Json, JsonObject } from "./json.ts";
import { parseTimestamp, type Timestamp, timestampOfEpoch } from "./timestamp.ts";

/** The version of the envelope that is read here. */
export const ENVELOPE_VERSION = 1;

const TEMPERATURE_C: Range = [-40, 125];
const HUMIDITY_PERCENT: Range = [0, 100];
const COUNTER: Range = [0, Number.MAX_SAFE_INTEGER];
/** So that `boot-seq` is an id. */
const MAX_BOOT = 40;

/** What is read here; all else at the top is kept among the metadata. */
const KNOWN = new Set([
  "v",
  "device",
  "boot",
  "seq",
  "t",
  "product",
  "sample",
  "location",
  "lot",
  "eleveur",
  "provenance",
  "firmware",
  "temperatureC",
  "humidityPercent",
  "vl53l8ch",
  "as7341",
]);

/**
 * FoieFlow's own envelope (`docs/device-protocol.md`), the same in CBOR and JSON: what the sensors' registers held, or
 * what the device made of it.
 */
export const envelopeDialect: Dialect = {
  name: "foieflow",
  encodings: ["json", "cbor"],
  productPerSample: false,
  recognises: (message) => message.v !== undefined && message.type === undefined,
  decode,
};

function decode(message: JsonObject): DecodedMessage {
  if (message.v !== ENVELOPE_VERSION) {
    throw new CodedError("bad-version", `v is ${JSON.stringify(message.v)?.slice(0, 40)}, read is ${ENVELOPE_VERSION}`);
  }
  const fields = new Fields(message);
  const deviceId = fields.id("device");
  const bootId = bootOf(fields);
  const seq = counter(fields, "seq");
  const sampleId = fields.get("sample") === undefined ? undefined : fields.id("sample");
  const measuredAt = timeOf(fields);
  const productId = productOf(fields, deviceId, bootId);
  const vl53l8ch = decodeEnvelopeTof(fields.child("vl53l8ch"));
  const as7341 = decodeEnvelopeSpectrum(fields.child("as7341"));
  if (!vl53l8ch && !as7341) throw new CodedError("no-sensor", "message has neither vl53l8ch nor as7341");
  const location = fields.text("location");
  const lotAbattage = fields.text("lot");
  const eleveur = fields.text("eleveur");
  const provenance = fields.text("provenance");
  const firmware = fields.text("firmware");
  const temperatureC = fields.number("temperatureC", TEMPERATURE_C);
  const humidityPercent = fields.number("humidityPercent", HUMIDITY_PERCENT);
  return {
    rawFormat: "foieflow",
    deviceId,
    ...(bootId !== undefined && { bootId }),
    ...(seq !== undefined && { seq }),
    ...(sampleId !== undefined && { sampleId }),
    ...(measuredAt && { measuredAt }),
    ...(productId !== undefined && { productId }),
    ...(location !== undefined && { location }),
    ...(lotAbattage !== undefined && { lotAbattage }),
    ...(eleveur !== undefined && { eleveur }),
    ...(provenance !== undefined && { provenance }),
    ...(firmware !== undefined && { firmware }),
    ...(temperatureC !== undefined && { temperatureC }),
    ...(humidityPercent !== undefined && { humidityPercent }),
    ...(vl53l8ch && { vl53l8ch: vl53l8ch.part }),
    ...(as7341 && { as7341: as7341.part }),
    metadata: {
      ...fields.without(KNOWN),
      ...(vl53l8ch?.settings && { vl53l8ch: vl53l8ch.settings }),
      ...(as7341?.settings && { as7341: as7341.settings }),
    },
  };
}

/** @throws CodedError `bad-id` */
function bootOf(fields: Fields): string | undefined {
  const value = fields.get("boot");
  if (value === undefined) return undefined;
  const text = typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? String(value) : value;
  if (isId(text) && text.length <= MAX_BOOT) return text;
  throw new CodedError("bad-id", `boot is not a whole number or an id of at most ${MAX_BOOT} characters`);
}

/** @throws CodedError `bad-field`, `out-of-range` */
function counter(fields: Fields, key: string): number | undefined {
  const value = fields.number(key, COUNTER);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new CodedError("bad-field", `${fields.path(key)} is not a whole number`);
}

/** @throws CodedError `bad-timestamp` */
function timeOf(fields: Fields): Timestamp | undefined {
  const value: Json | undefined = fields.get("t");
  if (value === undefined) return undefined;
  const time =
    typeof value === "string" ? parseTimestamp(value) : typeof value === "number" ? timestampOfEpoch(value) : undefined;
  if (time) return time;
  throw new CodedError("bad-timestamp", "t is neither an ISO 8601 time nor ms or µs since 1970, before 2200");
}

/** A name is the site's; a number counts from each start of the device and needs the boot to mean one product. */
function productOf(fields: Fields, deviceId: string, bootId: string | undefined): string | undefined {
  const value = fields.get("product");
  if (value === undefined) return undefined;
  if (typeof value !== "number") return fields.id("product");
  const number = counter(fields, "product");
  if (bootId === undefined) throw new CodedError("bad-field", "product is a number, and there is no boot it counts in");
  return createHash("sha256")
    .update(JSON.stringify(["product", deviceId, bootId, number]))
    .digest("hex")
    .slice(0, 32);
}
