import type { Sample } from "../sample/sample.ts";
import type { Figure } from "./banded-schema.ts";

export type Figures = Record<Figure, number | undefined>;

/**
 * The figures of an analysed sample that a banded spec may speak of: masses in g, lengths in mm, severities summed over the
 * defects of a kind, colour indices 0…1. Undefined: not measured, or not calibrated.
 */
export function figuresOf(sample: Sample): Figures {
  const shape = sample.vl53l8ch?.analysis;
  const colour = sample.as7341?.analysis;
  // What a method could not compute is NaN: not known.
  const known = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : undefined);
  const severity = (type: string) =>
    shape?.defects.reduce((total, defect) => total + (defect.type === type ? defect.severity : 0), 0);
  return {
    mass: known(shape?.massG),
    thickness: known(shape?.thicknessMm),
    length: known(shape?.lengthMm),
    width: known(shape?.widthMm),
    roughness: known(shape?.roughnessMm),
    dents: severity("dent"),
    bumps: severity("bump"),
    deltaE: colour?.color.calibrated ? known(colour.color.deltaE) : undefined,
    blood: known(colour?.indices?.blood),
    bile: known(colour?.indices?.bile),
    yellowness: known(colour?.indices?.yellowness),
    browning: known(colour?.indices?.browning),
  };
}
