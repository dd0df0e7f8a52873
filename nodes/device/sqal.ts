import { CodedError } from "../host/errors.ts";
import type { DecodedMessage, Dialect } from "./dialect.ts";
import { Fields, type Range } from "./fields.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { decodeSqalSpectrum } from "./sqal-spectrum.ts";
import { decodeSqalTof } from "./sqal-tof.ts";
import { parseTimestamp, type Timestamp, timestampOfSeconds } from "./timestamp.ts";

const TEMPERATURE_C: Range = [-40, 85];
const HUMIDITY_PERCENT: Range = [0, 100];

/**
 * SQAL's `sensor_data` (JSON), as its new simulator sends it and as its legacy one does (with `vl53l8ch_raw` and
 * `as7341_raw`). Matrices, channels and histograms are data, the histogram maps and the zone area features, and scores,
 * grades, defects and statistics claims.
 */
export const sqalDialect: Dialect = {
  name: "sqal",
  encodings: ["json"],
  productPerSample: true,
  recognises: (message) => message.type === "sensor_data",
  decode,
};

function decode(message: JsonObject): DecodedMessage {
  const fields = new Fields(message);
  const meta = fields.child("meta");
  const deviceId = fields.id("device_id");
  const metaDeviceId = meta?.get("device_id");
  if (metaDeviceId !== undefined && metaDeviceId !== deviceId) {
    throw new CodedError("identity-mismatch", `meta.device_id is not ${deviceId}, the message's device_id`);
  }
  const tofRaw = fields.child("vl53l8ch_raw");
  const spectrumRaw = fields.child("as7341_raw");
  const lot = spectrumRaw?.child("metadata");
  const vl53l8ch = decodeSqalTof(fields.child("vl53l8ch"), tofRaw, meta?.text("config_profile"));
  const as7341 = decodeSqalSpectrum(fields.child("as7341"), spectrumRaw);
  if (!vl53l8ch && !as7341) throw new CodedError("no-sensor", "message has neither vl53l8ch nor as7341");

  // SQAL's own top-level lot fields are constants wherever the true ones travel in the metadata.
  const lotAbattage = lot?.text("lot_abattage") ?? fields.text("lot_abattage") ?? fields.text("code_lot");
  const eleveur = lot?.text("eleveur") ?? fields.text("eleveur");
  const provenance = lot?.text("provenance") ?? fields.text("provenance");
  const location = fields.text("location");
  const firmware = meta?.text("firmware_version");
  const temperatureC = meta?.number("temperature_c", TEMPERATURE_C) ?? as7341?.reading.temperatureC;
  const humidityPercent = meta?.number("humidity_percent", HUMIDITY_PERCENT);
  const fusionClaim = fields.get("fusion");
  return {
    rawFormat: "sqal-json",
    deviceId,
    sampleId: fields.id("sample_id"),
    measuredAt: timeOf(fields),
    ...(location !== undefined && { location }),
    ...(lotAbattage !== undefined && { lotAbattage }),
    ...(eleveur !== undefined && { eleveur }),
    ...(provenance !== undefined && { provenance }),
    ...(firmware !== undefined && { firmware }),
    ...(temperatureC !== undefined && { temperatureC }),
    ...(humidityPercent !== undefined && { humidityPercent }),
    ...(vl53l8ch && { vl53l8ch }),
    ...(as7341 && { as7341 }),
    ...(fusionClaim !== undefined && { fusionClaim }),
    metadata: metadataOf(message),
  };
}

function timeOf(fields: Fields): Timestamp {
  const value = fields.get("timestamp");
  const time =
    typeof value === "string"
      ? parseTimestamp(value)
      : typeof value === "number"
        ? timestampOfSeconds(value)
        : undefined;
  if (time) return time;
  throw new CodedError("bad-timestamp", `${fields.path("timestamp")} is not an ISO 8601 time between 1970 and 2199`);
}

/** What else the message carries, e.g. the simulators' ground truth (`input_params`), without the help texts in it. */
function metadataOf(message: JsonObject): JsonObject {
  const metadata: JsonObject = {};
  const keep = (key: string, value: Json | undefined) => {
    if (value === undefined || value === null) return;
    if (!isObject(value)) metadata[key] = value;
    else metadata[key] = new Fields(value).without(new Set(["user_guide"])) ?? {};
  };
  const inner = (key: string) => new Fields(isObject(message[key]) ? message[key] : {});
  keep("meta", message.meta);
  keep("code_lot", message.code_lot);
  keep("lot_id", message.lot_id);
  keep("mode", message.mode);
  keep("as7341_meta", inner("as7341").get("meta"));
  keep("as7341_raw_metadata", inner("as7341_raw").get("metadata"));
  keep("vl53l8ch_raw_meta", inner("vl53l8ch_raw").get("meta"));
  keep("vl53l8ch_raw_defects", inner("vl53l8ch_raw").get("defects"));
  return metadata;
}
