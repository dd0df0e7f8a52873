import type { SpectralAnalysis } from "../sample/sample.ts";
import { clip } from "../sample/statistics.ts";
import type { ChannelName } from "../sample/units.ts";
import type { SqalSpectrumParameters } from "./parameters.ts";

type Counts = Record<ChannelName, number>;

/** SQAL's pseudo-L*a*b* straight from counts (uncalibrated) and its CIE76 distance from the reference. */
export function colorOf(counts: Counts, parameters: SqalSpectrumParameters): SpectralAnalysis["color"] {
  const red = (counts.F7 + counts.F8) / parameters.fullScale;
  const green = (counts.F4 + counts.F5) / parameters.fullScale;
  const blue = (counts.F2 + counts.F3) / parameters.fullScale;
  const l = 50 + 25 * (red + green + blue);
  const a = 50 * (red - green);
  const b = 50 * (green - blue);
  const { referenceId, references } = parameters.color;
  const reference = references[referenceId] ?? [0, 0, 0];
  const deltaE = Math.sqrt((l - reference[0]) ** 2 + (a - reference[1]) ** 2 + (b - reference[2]) ** 2);
  return { l, a, b, deltaE, referenceId, calibrated: false };
}

/** Severities 0…1 of blood (hematoma), bile and oxidation by SQAL's rules; 0 where there is no finding. */
export function colorFindingsOf(
  counts: Counts,
  color: SpectralAnalysis["color"],
  parameters: SqalSpectrumParameters,
): Record<"hematoma_severity" | "bile_severity" | "oxidation_severity", number> {
  const severity = (value: number, { from, span }: { from: number; span: number }) => clip((value - from) / span, 0, 1);
  return {
    hematoma_severity: severity((counts.F7 + counts.F8) / (counts.F2 + counts.F3 + 1), parameters.hematoma),
    bile_severity: severity((counts.F4 + counts.F5) / (counts.F7 + 1), parameters.bile),
    oxidation_severity: severity(Math.abs(color.b - parameters.oxidation.bReference), parameters.oxidation),
  };
}
