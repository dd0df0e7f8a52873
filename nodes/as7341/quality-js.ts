import { clip, roundHalfEven } from "../sample/statistics.ts";
import type { ChannelName } from "../sample/units.ts";

/** SQAL's older score: four ratios and what each should be. */
const EXPECTED: readonly [name: string, over: ChannelName, under: ChannelName, expected: number][] = [
  ["red_green", "F7", "F5", 1.5],
  ["red_blue", "F7", "F2", 1.6],
  ["yellow_blue", "F6", "F2", 1.3],
  ["ir_red", "NIR", "F7", 0.5],
];

/** SQAL's older ("JS") score, 60…100, and its ratios and relative deviations, rounded as SQAL does. Information only. */
export function qualityJsFiguresOf(counts: Record<ChannelName, number>): Record<string, number> {
  const figures: Record<string, number> = {};
  let total = 0;
  for (const [name, over, under, expected] of EXPECTED) {
    const ratio = counts[over] / counts[under];
    const deviation = Math.abs(ratio - expected) / expected;
    total += deviation;
    figures[`js_ratio_${name}`] = roundHalfEven(ratio, 2);
    figures[`js_deviation_${name}`] = roundHalfEven(deviation, 2);
  }
  const average = total / EXPECTED.length;
  figures.js_deviation_average = roundHalfEven(average, 2);
  figures.js_score = clip(roundHalfEven(100 - 100 * average), 60, 100);
  return figures;
}
