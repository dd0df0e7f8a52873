import type { SpectralCalibration } from "../sample/calibration.ts";
import type { SpectralReading } from "../sample/sample.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";

export interface NoiseParameters {
  /** Variance of a count: perCount · count + floor². */
  perCount: number;
  floor: number;
  /** Relative uncertainty of the white reading: lamp since then, place of the standard. */
  white: number;
}

type ByChannel = Partial<Record<ChannelName, number>>;

export interface Reflectance {
  /** Reflectance per channel, 1 for the perfect diffuser; none for saturated, absent and undetermined channels. */
  reflectance: ByChannel;
  /** One standard deviation of each. */
  sigma: ByChannel;
  /** Codes of what stands in the way: `missing-gain`, `missing-integration-time`, `saturated`, `bad-white`. */
  reasons: string[];
}

/**
 * Reflectance per channel, (basic − dark) / (white − dark) · reflectance of the white standard, gain-corrected, with
 * the uncertainty of counting and of the white reading.
 */
export function reflectanceOf(
  reading: SpectralReading,
  calibration: SpectralCalibration,
  noise: NoiseParameters,
): Reflectance {
  const { integrationMs } = reading;
  const result: Reflectance = { reflectance: {}, sigma: {}, reasons: [] };
  if (integrationMs === undefined || !(integrationMs > 0)) result.reasons.push("missing-integration-time");
  for (const channel of CHANNELS) {
    if (reading.absent?.includes(channel) || reading.reconstructed.includes(channel)) continue;
    if (reading.saturated.includes(channel)) {
      note(result.reasons, "saturated");
      continue;
    }
    const gain = gainOf(reading, channel);
    if (gain === undefined) {
      note(result.reasons, "missing-gain");
      continue;
    }
    if (integrationMs === undefined || !(integrationMs > 0)) continue;
    const perCount = (calibration.gainCorrection?.[String(gain)] ?? 1) / (gain * integrationMs);
    const count = reading.counts[channel];
    const basic = (reading.basicCounts?.[channel] ?? count / (gain * integrationMs)) * perCount * gain * integrationMs;
    const dark = calibration.darkBasicCounts[channel];
    const span = calibration.whiteBasicCounts[channel] - dark;
    const scale = calibration.whiteReflectance[channel] / span;
    if (!(span > 0) || !Number.isFinite(scale) || !Number.isFinite(dark)) {
      note(result.reasons, "bad-white");
      continue;
    }
    const reflectance = (basic - dark) * scale;
    const counting = Math.sqrt(noise.perCount * count + noise.floor ** 2) * perCount * scale;
    result.reflectance[channel] = reflectance;
    result.sigma[channel] = Math.hypot(counting, noise.white * reflectance);
  }
  return result;
}

/** Gain in force for a channel: the reading's, else that of the pass it was read in. */
function gainOf(reading: SpectralReading, channel: ChannelName): number | undefined {
  return reading.gain ?? reading.passes?.find(({ channels }) => channels.includes(channel))?.gain;
}

function note(reasons: string[], reason: string): void {
  if (!reasons.includes(reason)) reasons.push(reason);
}
