import Type, { type Static } from "typebox";

const Share = Type.Number({ minimum: 0, maximum: 1 });
const Percent = Type.Number({ minimum: 0, maximum: 100 });
const Positive = Type.Number({ exclusiveMinimum: 0 });
const NotNegative = Type.Number({ minimum: 0 });
const strict = { additionalProperties: false };

/** JSON Schema of the `sqal` method's shape analysis. Lengths in mm, reflectance in %, signal in SQAL's arbitrary unit. */
export const SqalShapeSchema = Type.Object(
  {
    /** Height of the sensor above the tray. */
    sensorHeightMm: Positive,
    densityGPerCm3: Positive,
    occupancy: Type.Object(
      {
        /** `adaptive`: thresholds from the candidate zones. `all-zones`: from every zone (SQAL's legacy simulator). */
        rule: Type.Union([Type.Literal("adaptive"), Type.Literal("all-zones")]),
        heightShare: Share,
        minHeightMm: NotNegative,
        /** Percentile of the candidates' reflectance and signal, with few and with many candidates. */
        fewPercentile: Percent,
        manyPercentile: Percent,
        manyZones: Type.Integer({ minimum: 0 }),
        percentileShare: NotNegative,
        minReflectancePercent: NotNegative,
        minSignal: NotNegative,
        /** With fewer occupied zones than this the candidates count as occupied. */
        minZones: Type.Integer({ minimum: 0 }),
        capShare: Positive,
        allZonesPercentile: Percent,
        allZonesMinimum: NotNegative,
      },
      strict,
    ),
    histogram: Type.Object(
      {
        baselineBins: Type.Integer({ minimum: 1, maximum: 64 }),
        kernelTaps: Type.Integer({ minimum: 1, maximum: 127 }),
        sigmaBins: Positive,
        minPeakHeight: Share,
        minProminence: Share,
      },
      strict,
    ),
    reflectance: Type.Object({ lowPercent: NotNegative, highPercent: NotNegative, windowStd: NotNegative }, strict),
    /** Consistent while the share of outliers stays below 1 − `consistency`. */
    signal: Type.Object({ outlierZ: Positive, consistency: Share }, strict),
    defects: Type.Object({ thresholdMm: NotNegative, fullSeverityShare: Positive }, strict),
  },
  strict,
);
export type SqalShapeDocument = Static<typeof SqalShapeSchema>;

/** What one frame is analysed with: the document's figures and the zone side in force for the device. */
export interface SqalShapeParameters extends SqalShapeDocument {
  zoneSideMm: number;
}
