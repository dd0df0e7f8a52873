import type { Sample } from "./sample.ts";

/** Names under which a grade spec gives the product's thickness. */
const METRICS = ["lobe_thickness_mm", "thicknessMm", "thickness_mm"];

/** The product's thickness, mm: as the grade spec gives it, else as its shape's analysis does. */
export function thicknessMmOf({ grade, vl53l8ch }: Sample): number | undefined {
  for (const name of METRICS) {
    const value = grade?.metrics[name];
    if (typeof value === "number") return value;
  }
  return vl53l8ch?.analysis?.thicknessMm;
}
