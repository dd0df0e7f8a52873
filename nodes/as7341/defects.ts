import type { Defect, SpectralReading } from "../sample/sample.ts";
import { CHANNELS } from "../sample/units.ts";
import type { SqalSpectrumParameters } from "./parameters.ts";

// SQAL gives every spectral finding the same weight.
const SEVERITY = 0.5;

/** SQAL's French text where its captured messages show it. Further ones go by their code alone. */
const LABELS: Readonly<Record<string, string>> = {
  nir_violet_high: "Anomalie structurelle (NIR/Violet > 2.0)",
  discoloration_high: "Jaunissement excessif (décoloration > 2.0)",
  lipid_oxidation_low: "Indice oxydation lipidique bas (< 0.7)",
};

/**
 * Findings in the order SQAL lists them: each banded ratio outside its acceptable band (`<band>_low`, `<band>_high`),
 * each saturated channel (`saturation_<channel>`), each weak one (`weak_<channel>`).
 */
export function spectralDefectsOf(
  counts: SpectralReading["counts"],
  ratios: Record<string, number>,
  parameters: SqalSpectrumParameters,
): Defect[] {
  const defects: Defect[] = [];
  const found = (type: string, value: number) => {
    const label = LABELS[type];
    defects.push({ sensor: "as7341", type, severity: SEVERITY, value, ...(label !== undefined && { label }) });
  };
  for (const [name, band] of Object.entries(parameters.bands)) {
    const value = ratios[band.ratio];
    if (value === undefined) continue;
    if (value < band.acceptable[0]) found(`${name}_low`, value);
    else if (value > band.acceptable[1]) found(`${name}_high`, value);
  }
  for (const channel of CHANNELS) {
    if (counts[channel] >= parameters.saturatedFrom) found(`saturation_${channel}`, counts[channel]);
  }
  for (const channel of CHANNELS) {
    if (counts[channel] < parameters.weakBelow) found(`weak_${channel}`, counts[channel]);
  }
  return defects;
}
