import { CHANNELS, type ChannelName } from "../sample/units.ts";
import { GAINS } from "./basic-counts.ts";
import type { SpectralSettings } from "./reading.ts";

/** Centre wavelengths by which firmwares call the filters: the datasheet's, and those of older material. */
const BY_NM: Readonly<Record<string, ChannelName>> = {
  410: "F1",
  415: "F1",
  440: "F2",
  445: "F2",
  470: "F3",
  480: "F3",
  510: "F4",
  515: "F4",
  550: "F5",
  555: "F5",
  583: "F6",
  590: "F6",
  620: "F7",
  630: "F7",
  670: "F8",
  680: "F8",
  910: "NIR",
};

/** What is made of counts and is no count. */
const DERIVED = /basic|norm|corr|reflect|ratio|error|satur|percent|dark|white|offset/;
const NUMBERED = /^f(\d)(?!\d)/;
const WAVELENGTH = /^(?:ch|channel|as7341|nir|ir)?(\d{3})(?:nm)?(?:[a-z]*)$/;
const UNFILTERED = /^(clear|visible|vis)(?:channel)?(?:pass)?([12]|first|second)?(?:pass)?$/;
const INFRARED = /^(nir|nearir|nearinfrared)(?:channel|910|910nm)?(?:pass)?([12]|first|second)?(?:pass)?$/;

/** A channel, and the SMUX pass where the name tells it. */
export interface NamedChannel {
  channel: ChannelName;
  pass?: 1 | 2;
}

/**
 * The channel that a key, column or printed label means, in every spelling that firmwares use (`F1`, `f1_415nm`,
 * `F1_violet`, `F1(405-425nm)`, `415nm`, `ch410`, `ADC0/F1 415nm`, `visible`, `nir_first_pass` …).
 */
export function channelOfName(name: string): NamedChannel | undefined {
  if (name.length > 64) return undefined;
  const key = name.toLowerCase().replace(/^\s*adc\d\s*\//, "");
  if (DERIVED.test(key)) return undefined;
  const plain = key.replace(/[^a-z0-9]/g, "");
  const numbered = NUMBERED.exec(key.replace(/^[^a-z0-9]+/, ""))?.[1];
  if (numbered !== undefined) {
    const channel = CHANNELS.find((one) => one === `F${numbered}`);
    return channel && { channel };
  }
  const byNm = BY_NM[WAVELENGTH.exec(plain)?.[1] ?? ""];
  if (byNm) return { channel: byNm };
  return withPass("Clear", UNFILTERED.exec(plain)) ?? withPass("NIR", INFRARED.exec(plain));
}

function withPass(channel: ChannelName, match: RegExpExecArray | null): NamedChannel | undefined {
  if (!match) return undefined;
  const which = match[2];
  if (which === undefined) return { channel };
  return { channel, pass: which === "1" || which === "first" ? 1 : 2 };
}

type Setter = (settings: SpectralSettings, value: unknown) => void;

const asNumber = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};
const numeric =
  (set: (settings: SpectralSettings, value: number) => void): Setter =>
  (settings, value) => {
    const number = asNumber(value);
    if (number !== undefined) set(settings, number);
  };

const integrationMs = numeric((settings, value) => {
  settings.integrationMs = value;
});
const gainCode = numeric((settings, value) => {
  settings.gainCode = value;
});
const temperature = numeric((settings, value) => {
  settings.temperatureC = value;
});

/** Settings by key, lower case, letters and digits only. A bare "integration_time" names no unit and is not taken. */
const SETTERS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ["gain", setGain],
  ["gainx", setGain],
  ["gainfactor", setGain],
  ["gaincode", gainCode],
  ["again", gainCode],
  [
    "atime",
    numeric((settings, value) => {
      settings.aTime = value;
    }),
  ],
  [
    "astep",
    numeric((settings, value) => {
      settings.aStep = value;
    }),
  ],
  ["integrationtimems", integrationMs],
  ["integrationms", integrationMs],
  ["tintms", integrationMs],
  [
    "fullscale",
    numeric((settings, value) => {
      settings.fullScale = value;
    }),
  ],
  [
    "fdstatus",
    numeric((settings, value) => {
      settings.flickerStatus = value;
    }),
  ],
  [
    "flickerhz",
    numeric((settings, value) => {
      settings.flickerStatus = value === 100 ? 45 : value === 120 ? 46 : 44;
    }),
  ],
  ["temperaturec", temperature],
  [
    "onboardtemperaturek",
    numeric((settings, value) => {
      settings.temperatureC = value - 273.15;
    }),
  ],
  ["saturated", setSaturated],
]);

/** Enters a setting under any of its spellings. @returns whether the key names one */
export function setByName(settings: SpectralSettings, name: string, value: unknown): boolean {
  const setter = SETTERS.get(name.toLowerCase().replace(/[^a-z0-9]/g, ""));
  setter?.(settings, value);
  return setter !== undefined;
}

/** `128`, `"128x"`, `"X128"`, `"X0_5"`, `"AS7341_GAIN_0_5X"`. */
function setGain(settings: SpectralSettings, value: unknown): void {
  const plain = asNumber(value);
  if (plain !== undefined) {
    settings.gain = plain;
    return;
  }
  const match = typeof value === "string" ? /(?:^|[_\s])x?(\d{1,3}(?:[._]\d)?)x?\s*$/i.exec(value) : undefined;
  const factor = Number(match?.[1]?.replace("_", "."));
  if (GAINS.includes(factor)) settings.gain = factor;
}

/** `true` (it does not say which: all), a list of channels, or an object of channel to boolean. */
function setSaturated(settings: SpectralSettings, value: unknown): void {
  if (value === true || value === "true") settings.saturated = CHANNELS;
  else if (typeof value === "object" && value !== null) {
    const names = Array.isArray(value)
      ? value
      : Object.entries(value)
          .filter(([, isIt]) => isIt === true)
          .map(([name]) => name);
    const channels = names.flatMap((name) => (typeof name === "string" ? (channelOfName(name)?.channel ?? []) : []));
    if (channels.length > 0) settings.saturated = channels;
  }
}
