import type { Defect } from "../sample/sample.ts";
import { median } from "../sample/statistics.ts";
import type { SqalShapeParameters } from "./parameters.ts";

/** Zones whose distance departs from the median: closer is a foreign body, farther a deformed surface (SQAL). */
export function shapeDefectsOf(
  distanceMm: readonly number[],
  side: number,
  parameters: SqalShapeParameters["defects"],
): Defect[] {
  const centre = median(distanceMm) ?? 0;
  const fullSeverityMm = parameters.fullSeverityShare * centre;
  const defects: Defect[] = [];
  distanceMm.forEach((distance, zone) => {
    const deviationMm = distance - centre;
    if (!(Math.abs(deviationMm) > parameters.thresholdMm)) return;
    defects.push({
      sensor: "vl53l8ch",
      type: deviationMm < 0 ? "foreign_body" : "surface_deformation",
      severity: fullSeverityMm > 0 ? Math.min(1, Math.abs(deviationMm) / fullSeverityMm) : 1,
      zone: { row: Math.floor(zone / side), column: zone % side },
      deviationMm,
      value: distance,
    });
  });
  return defects;
}
