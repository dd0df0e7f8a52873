import type { SpectralCalibration } from "../sample/calibration.ts";
import type { SpectralReading } from "../sample/sample.ts";
import { clip, mean, median } from "../sample/statistics.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import type { Finding } from "./finding.ts";

/** The eight filtered channels that reflectance and colour are made of. */
export const COLOR_CHANNELS = [
  "F1",
  "F2",
  "F3",
  "F4",
  "F5",
  "F6",
  "F7",
  "F8",
] as const satisfies readonly ChannelName[];

type ByChannel = Record<ChannelName, number>;

/** The bounds within which dark and white readings are believed; shares 0…1. */
export interface SpectralLimits {
  /** Relative standard deviation of a white channel over the readings. */
  noise: number;
  /** Relative change of a white channel from the first to the last third of the readings: lamps droop as they warm. */
  drift: number;
  /** Count over full scale above which a dark reading saw light. */
  darkOfFullScale: number;
  /** Count over full scale below which a white reading wastes the converter's range. */
  whiteOfFullScale: number;
  /** Dark over white, basic counts. */
  darkOfWhite: number;
  /** Readings per gain from which a gain's correction is taken. */
  readingsPerGain: number;
}

export const SPECTRAL_LIMITS: Readonly<SpectralLimits> = {
  noise: 0.02,
  drift: 0.01,
  darkOfFullScale: 0.05,
  whiteOfFullScale: 0.1,
  darkOfWhite: 0.2,
  readingsPerGain: 5,
};

export interface DarkResult {
  darkBasicCounts?: ByChannel;
  /** Brightest channel over full scale. */
  fullScaleShare?: number;
  findings: Finding[];
}

export interface WhiteResult {
  spectral?: SpectralCalibration;
  fullScaleShare?: number;
  /** Largest relative standard deviation, and drift, of a colour channel. */
  noise?: number;
  drift?: number;
  findings: Finding[];
}

const FULL_SCALE = 65_535;
/** Gains differ by some per cent at most; what lies further out is another fault. */
const GAIN_CORRECTION_BOUNDS = [0.8, 1.25] as const;

/**
 * Basic counts raw / (gain · ms) of a reading; those the decoder made go first. Absent channels are 0.
 * @returns undefined where gain or integration time is not known
 */
export function basicCountsOf(reading: SpectralReading): ByChannel | undefined {
  const { counts, basicCounts, gain, integrationMs } = reading;
  const divisor = gain !== undefined && integrationMs !== undefined ? gain * integrationMs : 0;
  if (!basicCounts && !(divisor > 0)) return undefined;
  return byChannel((channel) => basicCounts?.[channel] ?? (divisor > 0 ? counts[channel] / divisor : 0));
}

/** The dark reading: the mean over `readings` taken with the lamp off and the view covered. */
export function darkOf(
  readings: readonly SpectralReading[],
  limits: Readonly<SpectralLimits> = SPECTRAL_LIMITS,
): DarkResult {
  const { usable, findings } = usableOf(readings);
  if (usable.length === 0) return { findings };
  const share = fullScaleShareOf(readings);
  if (share > limits.darkOfFullScale) {
    findings.push({
      code: "dark-too-bright",
      severity: "error",
      values: { percent: 100 * share, limitPercent: 100 * limits.darkOfFullScale },
    });
  }
  return { darkBasicCounts: meanOf(usable), fullScaleShare: share, findings };
}

/**
 * The white reading, and with the dark one the spectral record. Readings at several gains give each gain's correction
 * (white minus dark at the gain most readings have, over the same at this gain).
 * @param whiteReflectance reflectance of the white standard, 0…1, the same for all channels
 */
export function whiteOf(
  readings: readonly SpectralReading[],
  darkBasicCounts: ByChannel | undefined,
  whiteReflectance: number,
  limits: Readonly<SpectralLimits> = SPECTRAL_LIMITS,
): WhiteResult {
  const { usable, findings } = usableOf(readings);
  if (usable.length === 0) return { findings };
  if (!darkBasicCounts) findings.push({ code: "dark-missing", severity: "error", values: {} });
  const dark = darkBasicCounts ?? byChannel(() => 0);
  const gainCorrection = gainCorrectionOf(usable, dark, limits.readingsPerGain);
  const corrected = usable.map(({ basic, gain }) => {
    const factor = gainCorrection?.[String(gain)] ?? 1;
    return { gain, basic: byChannel((channel) => basic[channel] * factor) };
  });
  const white = meanOf(corrected);
  const share = fullScaleShareOf(readings);
  if (share < limits.whiteOfFullScale) {
    findings.push({
      code: "white-too-dark",
      severity: "warning",
      values: { percent: 100 * share, limitPercent: 100 * limits.whiteOfFullScale },
    });
  }
  const steadiness = COLOR_CHANNELS.map((channel) => steadinessOf(corrected.map(({ basic }) => basic[channel])));
  const noise = Math.max(...steadiness.map((figures) => figures.noise));
  const drift = Math.max(...steadiness.map((figures) => Math.abs(figures.drift)));
  if (noise > limits.noise || drift > limits.drift) {
    findings.push({
      code: "unsteady-light",
      severity: "error",
      values: { noisePercent: 100 * noise, driftPercent: 100 * drift },
    });
  }
  const tooDark = COLOR_CHANNELS.filter(
    (channel) => !(white[channel] > 0) || dark[channel] > limits.darkOfWhite * white[channel],
  );
  if (tooDark.length > 0) {
    findings.push({ code: "white-not-above-dark", severity: "error", values: {}, channels: tooDark });
  }
  return {
    ...(darkBasicCounts && {
      spectral: {
        darkBasicCounts,
        whiteBasicCounts: white,
        whiteReflectance: byChannel(() => whiteReflectance),
        ...(gainCorrection && { gainCorrection }),
      },
    }),
    fullScaleShare: share,
    noise,
    drift,
    findings,
  };
}

/**
 * Reflectance F1…F8 of a reading: (sample - dark) / (white - dark) · reflectance of the white standard, the mean over
 * `readings`.
 * @returns undefined where no reading has basic counts
 */
export function reflectanceOf(
  readings: readonly SpectralReading[],
  spectral: SpectralCalibration,
): number[] | undefined {
  const { usable } = usableOf(readings);
  if (usable.length === 0) return undefined;
  const { darkBasicCounts, whiteBasicCounts, whiteReflectance, gainCorrection } = spectral;
  return COLOR_CHANNELS.map((channel) => {
    const basic = mean(usable.map(({ basic: one, gain }) => one[channel] * (gainCorrection?.[String(gain)] ?? 1)));
    const dark = darkBasicCounts[channel];
    return ((basic - dark) / (whiteBasicCounts[channel] - dark)) * whiteReflectance[channel];
  });
}

/** What is wrong with readings whatever they are of: none, saturated, without gain or time, not the sensor's own. */
export function readingFindings(readings: readonly SpectralReading[]): Finding[] {
  return usableOf(readings).findings;
}

interface Usable {
  basic: ByChannel;
  gain: number | undefined;
}

function usableOf(readings: readonly SpectralReading[]): { usable: Usable[]; findings: Finding[] } {
  const findings: Finding[] = [];
  if (readings.length === 0) return { usable: [], findings: [{ code: "no-readings", severity: "error", values: {} }] };
  const saturated = CHANNELS.filter((channel) => readings.some((reading) => reading.saturated.includes(channel)));
  if (saturated.length > 0) findings.push({ code: "saturated", severity: "error", values: {}, channels: saturated });
  const rebuilt = CHANNELS.filter((channel) => readings.some((reading) => reading.reconstructed.includes(channel)));
  if (rebuilt.length > 0) findings.push({ code: "reconstructed", severity: "warning", values: {}, channels: rebuilt });
  const usable: Usable[] = [];
  for (const reading of readings) {
    const basic = basicCountsOf(reading);
    if (basic && reading.saturated.length === 0) usable.push({ basic, gain: reading.gain });
  }
  const untimed = readings.filter((reading) => !basicCountsOf(reading)).length;
  if (untimed > 0) findings.push({ code: "no-timing", severity: "error", values: { readings: untimed } });
  return { usable, findings };
}

function gainCorrectionOf(
  readings: readonly Usable[],
  dark: ByChannel,
  least: number,
): Record<string, number> | undefined {
  const groups = new Map<number, Usable[]>();
  for (const reading of readings) {
    if (reading.gain !== undefined) groups.set(reading.gain, [...(groups.get(reading.gain) ?? []), reading]);
  }
  const enough = [...groups].filter(([, group]) => group.length >= least);
  const [reference] = enough.toSorted(([, a], [, b]) => b.length - a.length);
  if (!reference || enough.length < 2) return undefined;
  const nominal = meanOf(reference[1]);
  const factors = enough.map(([gain, group]) => {
    const measured = meanOf(group);
    const ratios = COLOR_CHANNELS.map(
      (channel) => (nominal[channel] - dark[channel]) / (measured[channel] - dark[channel]),
    ).filter(Number.isFinite);
    return [String(gain), clip(median(ratios) ?? 1, ...GAIN_CORRECTION_BOUNDS)] as const;
  });
  return Object.fromEntries(factors);
}

function steadinessOf(values: readonly number[]): { noise: number; drift: number } {
  const centre = mean(values);
  if (!(centre > 0) || values.length < 3) return { noise: 0, drift: 0 };
  const third = Math.floor(values.length / 3);
  const drift = (mean(values.slice(-third)) - mean(values.slice(0, third))) / centre;
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return { noise: Math.sqrt(variance) / centre, drift };
}

function fullScaleShareOf(readings: readonly SpectralReading[]): number {
  return Math.max(
    ...readings.map((reading) => {
      const fullScale = reading.fullScale ?? FULL_SCALE;
      return Math.max(...COLOR_CHANNELS.map((channel) => reading.counts[channel])) / fullScale;
    }),
  );
}

const meanOf = (readings: readonly Usable[]): ByChannel =>
  byChannel((channel) => mean(readings.map(({ basic }) => basic[channel])));

function byChannel(of: (channel: ChannelName) => number): ByChannel {
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
