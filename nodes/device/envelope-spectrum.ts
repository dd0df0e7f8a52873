import { type RegisterSettings, readingOfRegisters, readSpectral } from "../as7341/read-spectral.ts";
import { CodedError } from "../host/errors.ts";
import type { DecodedMessage } from "./dialect.ts";
import { bytesOf } from "./envelope-bytes.ts";
import type { EnvelopePart } from "./envelope-tof.ts";
import type { Fields, Range } from "./fields.ts";
import type { Json, JsonObject } from "./json.ts";

type SpectralPart = NonNullable<DecodedMessage["as7341"]>;

const BLOCK_BYTES = 64;
const REGISTER: Range = [0, 255];
const STEP: Range = [0, 65_535];
const GAIN: Range = [0.5, 512];
const INTEGRATION_MS: Range = [0.001, 60_000];
const TEMPERATURE_C: Range = [-40, 125];
const COUNTS: Range = [0, 65_535];
const MAX_CHANNELS = 16;

/**
 * The spectral half of an envelope: register blocks, or counts by channel.
 * @throws CodedError `bad-bytes`, `bad-channels`, `bad-field`, `out-of-range`, `as7341-…`
 */
export function decodeEnvelopeSpectrum(fields: Fields | undefined): EnvelopePart<SpectralPart> | undefined {
  if (!fields) return undefined;
  const settings = settingsOf(fields);
  const raw = fields.get("raw");
  if (raw === undefined) return { part: { reading: readingOfChannels(fields, settings) } };
  const passes = (Array.isArray(raw) ? raw : [raw]).map((block, index) =>
    bytesOf(block, BLOCK_BYTES, `${fields.path("raw")}[${index}]`),
  );
  if (passes.length < 1 || passes.length > 2) {
    throw new CodedError("bad-bytes", `${fields.path("raw")} has ${passes.length} blocks, a reading has one or two`);
  }
  const bytes = Buffer.concat(passes);
  // One block may hold both passes.
  const reading = readingOfRegisters(passes.length === 1 ? bytes : passes, settings);
  const { status2, ...plain } = settings;
  const kept: JsonObject = { ...plainOf(plain), ...(status2 && { status2: [...status2] }) };
  return {
    part: { raw: { format: "as7341-registers", bytes }, reading },
    ...(Object.keys(kept).length > 0 && { settings: kept }),
  };
}

function settingsOf(fields: Fields): RegisterSettings {
  const aTime = fields.number("atime", REGISTER);
  const aStep = fields.number("astep", STEP);
  const gain = fields.number("gain", GAIN);
  const integrationMs = fields.number("integrationMs", INTEGRATION_MS);
  const flickerStatus = fields.number("fdStatus", REGISTER);
  const temperatureC = fields.number("temperatureC", TEMPERATURE_C);
  const pass = fields.number("pass", [1, 2]);
  const status2 = statusesOf(fields.get("status2"), fields.path("status2"));
  return {
    ...(aTime !== undefined && { aTime }),
    ...(aStep !== undefined && { aStep }),
    ...(gain !== undefined && { gain }),
    ...(integrationMs !== undefined && { integrationMs }),
    ...(flickerStatus !== undefined && { flickerStatus }),
    ...(temperatureC !== undefined && { temperatureC }),
    ...(pass !== undefined && { pass: pass === 2 ? 2 : 1 }),
    ...(status2 && { status2 }),
  };
}

/** STATUS2 of each pass. */
function statusesOf(value: Json | undefined, path: string): number[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  const bytes = list.filter((item) => typeof item === "number" && Number.isInteger(item) && item >= 0 && item <= 255);
  if (bytes.length === list.length && list.length <= 2) return bytes.map(Number);
  throw new CodedError("bad-field", `${path} is not the register of one or two passes`);
}

/** Counts by name, in any spelling the sensor's own reader knows. */
function readingOfChannels(fields: Fields, settings: RegisterSettings): SpectralPart["reading"] {
  const channels = fields.child("channels");
  if (!channels) throw new CodedError("bad-channels", `${fields.path("channels")} is missing, and so is raw`);
  const names = Object.keys(channels.object);
  if (names.length > MAX_CHANNELS)
    throw new CodedError("bad-channels", `${names.length} channels, at most ${MAX_CHANNELS}`);
  for (const name of names) channels.number(name, COUNTS);
  const { readings } = readSpectral(JSON.stringify(channels.object), { ...settings, form: "json" });
  const [reading] = readings;
  if (reading) return reading;
  throw new CodedError("bad-channels", `${fields.path("channels")} names no channel`);
}

function plainOf(settings: object): JsonObject {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => typeof value === "number"));
}
