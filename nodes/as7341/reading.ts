import { CodedError } from "../host/errors.ts";
import type { SpectralPass, SpectralReading } from "../sample/sample.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import {
  basicCount,
  type Exposure,
  exposureOf,
  gainFactor,
  gainOfCode,
  MAX_COUNT,
  type Timing,
} from "./basic-counts.ts";
import { flickerOf } from "./flicker.ts";
import { comparePasses, type PassComparison, type PassOptions } from "./passes.ts";

/** What a device says beside the counts. Everything is optional; what lacks is named in `reading.missing`. */
export interface SpectralSettings extends Timing {
  /** Gain factor 0.5 … 512. A gain latched with the counts goes before it. */
  gain?: number;
  /** Gain code 0…10, where the device gives no factor. */
  gainCode?: number;
  /** Register FD_STATUS. */
  flickerStatus?: number;
  temperatureC?: number;
  /** Full scale as the device gives it; the smaller of it and the timing's counts. */
  fullScale?: number;
  /** Channels the device itself calls saturated. */
  saturated?: readonly ChannelName[];
}

type Counts = Partial<Record<ChannelName, number>>;

/**
 * A reading of counts that came by name.
 * @throws CodedError `as7341-bad-count`, `as7341-no-channels`, `as7341-bad-gain`, `as7341-bad-timing`
 */
export function readingOfCounts(counts: Counts, settings: SpectralSettings): SpectralReading {
  const gain = gainOf(settings);
  return assemble({ counts, gains: () => gain, settings, gain, flagged: [], passes: undefined, comparison: undefined });
}

/**
 * A reading of one or two SMUX passes. Clear and NIR, read by both, are the mean of the passes that are not flagged.
 * @throws CodedError as `readingOfCounts`
 */
export function readingOfPasses(
  passes: readonly SpectralPass[],
  settings: SpectralSettings,
  options: PassOptions = {},
): SpectralReading {
  const fallback = gainOf(settings);
  const gainsOfPasses = passes.map((pass) => pass.gain ?? fallback);
  const gain = gainsOfPasses.every((one) => one === gainsOfPasses[0]) ? gainsOfPasses[0] : undefined;
  const flagged = passes.filter((pass) => pass.saturationFlag === true);
  const good = passes.filter((pass) => pass.saturationFlag !== true);
  const counts: Counts = {};
  const gains = new Map<ChannelName, number | undefined>();
  for (const channel of CHANNELS) {
    const having = (from: readonly SpectralPass[]) => from.filter((pass) => pass.channels.includes(channel));
    const sources = having(good).length > 0 ? having(good) : having(passes);
    const [first] = sources;
    if (!first) continue;
    // Counts of unlike gains have no mean; the first pass then speaks for both.
    const alike = sources.filter((pass) => (pass.gain ?? fallback) === (first.gain ?? fallback));
    counts[channel] = alike.reduce((sum, pass) => sum + countIn(pass, channel), 0) / alike.length;
    gains.set(channel, first.gain ?? fallback);
  }
  return assemble({
    counts,
    gains: (channel) => gains.get(channel),
    settings,
    gain,
    flagged,
    passes,
    comparison: comparePasses(passes, gainsOfPasses, options),
  });
}

/** Count of one channel in a pass; 0 where the pass does not have it. */
function countIn(pass: SpectralPass, channel: ChannelName): number {
  return pass.counts[pass.channels.indexOf(channel)] ?? 0;
}

function gainOf({ gain, gainCode }: SpectralSettings): number | undefined {
  if (gain !== undefined) return gainFactor(gain);
  return gainCode === undefined ? undefined : gainOfCode(gainCode);
}

interface Parts {
  counts: Counts;
  gains: (channel: ChannelName) => number | undefined;
  gain: number | undefined;
  settings: SpectralSettings;
  flagged: readonly SpectralPass[];
  passes: readonly SpectralPass[] | undefined;
  comparison: PassComparison | undefined;
}

function assemble({ counts, gains, gain, settings, flagged, passes, comparison }: Parts): SpectralReading {
  const present = CHANNELS.filter((channel) => counts[channel] !== undefined);
  if (present.length === 0) throw new CodedError("as7341-no-channels", "no channel of the sensor in it");
  for (const channel of present) checkCount(channel, counts[channel]);
  const exposure = withFullScale(exposureOf(settings), settings.fullScale);
  const saturation = saturationOf(counts, exposure, flagged, passes, settings.saturated ?? []);
  const saturated = CHANNELS.filter((channel) => saturation.some(({ channels }) => channels.includes(channel)));
  const absent = CHANNELS.filter((channel) => counts[channel] === undefined);
  const isGainKnown = present.every((channel) => gains(channel) !== undefined);
  const missing: NonNullable<SpectralReading["missing"]> = [];
  if (!isGainKnown) missing.push("gain");
  const { integrationMs } = exposure;
  if (integrationMs === undefined) missing.push("integration-time");
  const usable = present.filter((channel) => !saturated.includes(channel));
  const scale = comparison?.secondPassScale ?? 1;
  return {
    counts: allCounts(counts),
    ...(gain !== undefined && { gain }),
    ...exposure,
    ...(settings.temperatureC !== undefined && { temperatureC: settings.temperatureC }),
    reconstructed: [],
    saturated,
    ...(saturation.length > 0 && { saturation }),
    ...(absent.length > 0 && { absent }),
    ...(missing.length > 0
      ? { missing }
      : { basicCounts: basicCountsOf(usable, counts, gains, integrationMs ?? Number.NaN, scale) }),
    ...(passes && { passes: [...passes] }),
    ...comparison?.reading,
    ...(settings.flickerStatus !== undefined && { flicker: flickerOf(settings.flickerStatus, integrationMs) }),
  };
}

function withFullScale(exposure: Exposure, ofDevice: number | undefined): Exposure {
  if (ofDevice === undefined || !(ofDevice >= 1)) return exposure;
  return { ...exposure, fullScale: Math.min(ofDevice, exposure.fullScale ?? MAX_COUNT) };
}

const SECOND_PASS: readonly ChannelName[] = ["F5", "F6", "F7", "F8"];

function basicCountsOf(
  channels: readonly ChannelName[],
  counts: Counts,
  gains: (channel: ChannelName) => number | undefined,
  integrationMs: number,
  secondPassScale: number,
): Counts {
  return Object.fromEntries(
    channels.map((channel) => {
      const basic = basicCount(counts[channel] ?? 0, gains(channel) ?? Number.NaN, integrationMs);
      return [channel, SECOND_PASS.includes(channel) ? basic * secondPassScale : basic];
    }),
  );
}

function checkCount(channel: ChannelName, count: number | undefined): void {
  if (count === undefined || !(count >= 0 && count <= MAX_COUNT)) {
    throw new CodedError("as7341-bad-count", `${channel} is ${count}, not a count 0…65535`);
  }
}

/** The channel's own flag goes with the pass; full scale is judged channel by channel, in each pass. */
function saturationOf(
  counts: Counts,
  { fullScale = MAX_COUNT }: Exposure,
  flagged: readonly SpectralPass[],
  passes: readonly SpectralPass[] | undefined,
  byDevice: readonly ChannelName[],
): NonNullable<SpectralReading["saturation"]> {
  const found: NonNullable<SpectralReading["saturation"]> = [];
  const isGood = (channel: ChannelName) =>
    passes?.some((pass) => !flagged.includes(pass) && pass.channels.includes(channel)) === true;
  for (const pass of flagged) {
    // Clear and NIR come from the other pass where that one is sound.
    const channels = pass.channels.filter((channel) => !isGood(channel));
    found.push({ reason: "flag", pass: pass.pass, channels });
  }
  const atFullScale = (channels: readonly ChannelName[], countOf: (channel: ChannelName) => number | undefined) =>
    channels.filter((channel) => (countOf(channel) ?? 0) >= fullScale);
  if (passes) {
    for (const pass of passes) {
      if (flagged.includes(pass)) continue;
      const channels = atFullScale(pass.channels, (channel) => countIn(pass, channel));
      if (channels.length > 0) found.push({ reason: "full-scale", pass: pass.pass, channels });
    }
  } else {
    const channels = atFullScale(CHANNELS, (channel) => counts[channel]);
    if (channels.length > 0) found.push({ reason: "full-scale", channels });
  }
  if (byDevice.length > 0) found.push({ reason: "device", channels: [...byDevice] });
  return found;
}

function allCounts(counts: Counts): SpectralReading["counts"] {
  const of = (channel: ChannelName) => counts[channel] ?? 0;
  return {
    F1: of("F1"),
    F2: of("F2"),
    F3: of("F3"),
    F4: of("F4"),
    F5: of("F5"),
    F6: of("F6"),
    F7: of("F7"),
    F8: of("F8"),
    Clear: of("Clear"),
    NIR: of("NIR"),
  };
}
