import { CodedError } from "../host/errors.ts";
import type { SpectralReading } from "../sample/sample.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import type { DecodedMessage } from "./dialect.ts";
import { type Fields, inRange, type Range } from "./fields.ts";

const COUNTS: Range = [0, 65_535];
const GAIN: Range = [0.5, 512];
const INTEGRATION_MS: Range = [0.001, 60_000];
const TEMPERATURE_C: Range = [-40, 85];
const FULL_SCALE = 65_535;

/** Keys of `as7341.channels` and of the legacy `as7341_raw.raw_counts`. */
const WIRE_NAMES: Readonly<Record<ChannelName, readonly [channel: string, rawCount: string]>> = {
  F1: ["F1_415nm", "F1_violet"],
  F2: ["F2_445nm", "F2_indigo"],
  F3: ["F3_480nm", "F3_blue"],
  F4: ["F4_515nm", "F4_cyan"],
  F5: ["F5_555nm", "F5_green"],
  F6: ["F6_590nm", "F6_yellow"],
  F7: ["F7_630nm", "F7_orange"],
  F8: ["F8_680nm", "F8_red"],
  Clear: ["Clear", "Clear"],
  NIR: ["NIR", "NIR"],
};

/** What SQAL's simulators write instead of these two channels, whatever the sensor saw. */
const WIRE_CONSTANTS = { Clear: 5000, NIR: 800 } as const;

const NOT_CLAIMS: ReadonlySet<string> = new Set(["channels", "meta", "integration_time", "gain"]);

/**
 * The spectral half of a SQAL sample. The legacy simulator's raw counts go before `channels`. Where only the constants
 * of SQAL's case bug are on the wire, Clear and NIR are rebuilt from `spectral_ratios` and named in `reconstructed`.
 * @throws CodedError `bad-channels`, `out-of-range`, `bad-field`
 */
export function decodeSqalSpectrum(analysed: Fields | undefined, raw: Fields | undefined): DecodedMessage["as7341"] {
  if (!analysed && !raw) return undefined;
  const rawCounts = raw?.child("raw_counts");
  const { counts, reconstructed } = rawCounts
    ? { counts: countsOf(rawCounts, 1), reconstructed: [] }
    : rebuiltCountsOf(analysed, raw);
  const metas = [raw?.child("meta"), analysed?.child("meta")];
  const fromMeta = (key: string, range: Range) => metas[0]?.number(key, range) ?? metas[1]?.number(key, range);
  const gain = fromMeta("gain", GAIN) ?? analysed?.number("gain", GAIN);
  const integrationMs =
    fromMeta("integration_time_ms", INTEGRATION_MS) ?? analysed?.number("integration_time", INTEGRATION_MS);
  const temperatureC = fromMeta("temperature_c", TEMPERATURE_C);
  const claim = analysed?.without(NOT_CLAIMS);
  const reading: SpectralReading = {
    counts,
    ...(gain !== undefined && { gain }),
    ...(integrationMs !== undefined && { integrationMs }),
    ...(temperatureC !== undefined && { temperatureC }),
    reconstructed,
    saturated: CHANNELS.filter((channel) => counts[channel] >= FULL_SCALE),
  };
  return { reading, ...(claim && { claim }) };
}

function rebuiltCountsOf(
  analysed: Fields | undefined,
  raw: Fields | undefined,
): Pick<SpectralReading, "counts" | "reconstructed"> {
  const channels = analysed?.child("channels");
  if (!analysed || !channels) {
    throw new CodedError("bad-channels", `${(analysed ?? raw)?.path(analysed ? "channels" : "raw_counts")} is missing`);
  }
  const ratios = analysed.child("spectral_ratios");
  const reconstructed: ChannelName[] = [];
  const rebuilt: Partial<Record<ChannelName, number>> = {};
  const rebuild = (channel: "Clear" | "NIR", ratio: string, base: number) => {
    const wire = channels.get(WIRE_NAMES[channel][0]);
    if (wire !== undefined && wire !== WIRE_CONSTANTS[channel]) return;
    const value = ratios?.number(ratio, [0, FULL_SCALE]);
    if (value === undefined) return;
    rebuilt[channel] = inRange(Math.round(value * base), COUNTS, `${ratios?.path(ratio)} as counts`);
    reconstructed.push(channel);
  };
  rebuild("Clear", "normalized_clear", FULL_SCALE);
  rebuild("NIR", "nir_violet_ratio", Math.max(1, countOf(channels, "F1", 0)));
  return { counts: countsOf(channels, 0, rebuilt), reconstructed };
}

function countsOf(
  fields: Fields,
  naming: 0 | 1,
  rebuilt: Partial<Record<ChannelName, number>> = {},
): SpectralReading["counts"] {
  const count = (channel: ChannelName) => rebuilt[channel] ?? countOf(fields, channel, naming);
  return {
    F1: count("F1"),
    F2: count("F2"),
    F3: count("F3"),
    F4: count("F4"),
    F5: count("F5"),
    F6: count("F6"),
    F7: count("F7"),
    F8: count("F8"),
    Clear: count("Clear"),
    NIR: count("NIR"),
  };
}

function countOf(fields: Fields, channel: ChannelName, naming: 0 | 1): number {
  const key = WIRE_NAMES[channel][naming];
  const value = fields.get(key);
  if (typeof value !== "number") throw new CodedError("bad-channels", `${fields.path(key)} is not a count`);
  return inRange(value, COUNTS, fields.path(key));
}
