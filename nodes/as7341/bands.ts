import type { SpectralReading } from "../sample/sample.ts";
import type { ChannelName } from "../sample/units.ts";
import type { SqalSpectrumParameters } from "./parameters.ts";

/** Counts with a floor of 1, so that no ratio divides by zero (SQAL). */
export function flooredCounts(counts: SpectralReading["counts"]): Record<ChannelName, number> {
  const floor = (name: ChannelName) => Math.max(1, counts[name]);
  return {
    F1: floor("F1"),
    F2: floor("F2"),
    F3: floor("F3"),
    F4: floor("F4"),
    F5: floor("F5"),
    F6: floor("F6"),
    F7: floor("F7"),
    F8: floor("F8"),
    Clear: floor("Clear"),
    NIR: floor("NIR"),
  };
}

/** Every named ratio of channel sums. */
export function ratiosOf(
  counts: Record<ChannelName, number>,
  parameters: Pick<SqalSpectrumParameters, "ratios" | "fullScale">,
): Record<string, number> {
  const sum = (channels: readonly ChannelName[]) => channels.reduce((total, channel) => total + counts[channel], 0);
  return Object.fromEntries(
    Object.entries(parameters.ratios).map(([name, { over, under }]) => [
      name,
      sum(over) / (under.length > 0 ? sum(under) : parameters.fullScale),
    ]),
  );
}

export interface BandScores {
  optimal: readonly [number, number];
  acceptable: readonly [number, number];
  edgeScore: number;
  outsideScore: number;
}

/** 1 inside the optimal band, falling linearly to `edgeScore` at the edge of the acceptable one, `outsideScore` outside. */
export function bandScore(value: number, { optimal, acceptable, edgeScore, outsideScore }: BandScores): number {
  if (value >= optimal[0] && value <= optimal[1]) return 1;
  if (!(value >= acceptable[0] && value <= acceptable[1])) return outsideScore;
  const [inner, outer] = value < optimal[0] ? [optimal[0], acceptable[0]] : [optimal[1], acceptable[1]];
  return 1 - (1 - edgeScore) * ((value - inner) / (outer - inner));
}

/** Σ weight·score over the named bands. */
export function weighted(scores: Record<string, number>, weights: Record<string, number>): number {
  return Object.entries(weights).reduce((sum, [name, weight]) => sum + weight * (scores[name] ?? 0), 0);
}
