import Type, { type Static } from "typebox";
import { SqalSpectrumSchema } from "../as7341/parameters.ts";
import { SqalShapeSchema } from "../vl53l8ch/parameters.ts";

const strict = { additionalProperties: false };
const Share = Type.Number({ minimum: 0, maximum: 1 });
const NotNegative = Type.Number({ minimum: 0 });
const Positive = Type.Number({ exclusiveMinimum: 0 });
const Id = Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" });
/** Lowest score of each grade; below the last it is REJECT. */
const Grades = Type.Object({ "A+": Share, A: Share, B: Share, C: Share }, strict);

const ShapeScoreSchema = Type.Object(
  {
    weights: Type.Object(
      {
        volume: Share,
        texture: Share,
        density: Share,
        signalQuality: Share,
        reflectance: Share,
        consistency: Share,
      },
      strict,
    ),
    volume: Type.Object(
      { expectedMm3: Positive, tolerance: Positive, insideFloor: Share, outsideFloor: Share },
      strict,
    ),
    /** Mean histogram area that earns a full density part. */
    densityFullScale: Positive,
    /** Each histogram part where there is no histogram, nor the device's figures of one. */
    withoutHistogram: Share,
    inconsistent: Share,
    defectPenaltyWeight: NotNegative,
    /** A foreign body more severe than this rejects whatever the score. */
    foreignBodyVetoAbove: NotNegative,
    grades: Type.Object({ A: Share, B: Share, C: Share }, strict),
    /** How this sensor's grade names a reject. */
    rejectLabel: Type.String({ minLength: 1, maxLength: 32 }),
  },
  strict,
);

const SpectrumScoreSchema = Type.Object(
  {
    weights: Type.Object({ freshness: Share, fatQuality: Share, colorUniformity: Share, oxidation: Share }, strict),
    defectPenalty: Share,
    maxDefectPenalty: Share,
    grades: Grades,
    /** A saturated channel rejects when the score is below this. */
    saturationVetoBelow: Share,
  },
  strict,
);

const FusionSchema = Type.Object(
  {
    tofWeight: Share,
    spectralWeight: Share,
    grades: Grades,
    vetoes: Type.Object(
      { tofReject: Type.Boolean(), spectralReject: Type.Boolean(), maxDefects: Type.Integer({ minimum: 0 }) },
      strict,
    ),
  },
  strict,
);

const BusinessSchema = Type.Object(
  {
    thickness: Type.Object(
      {
        /** Distances strictly between these count. */
        validMm: Type.Tuple([NotNegative, NotNegative]),
        categories: Type.Array(
          Type.Object({ name: Type.String(), fromMm: NotNegative, toMm: NotNegative, score: NotNegative }, strict),
        ),
        outsideCategory: Type.String(),
        outsideScore: NotNegative,
        irregularAboveStdMm: NotNegative,
        irregularPenalty: NotNegative,
      },
      strict,
    ),
    volume: Type.Object({ zoneCm2: Positive }, strict),
    fill: Type.Object(
      { targetMm: Positive, conformWithinMm: NotNegative, alertBeyondMm: NotNegative, penalty: NotNegative },
      strict,
    ),
    color: Type.Object(
      {
        fullScoreBelow: NotNegative,
        middleBelow: NotNegative,
        middleSlope: NotNegative,
        outsideStart: NotNegative,
        outsideSlope: NotNegative,
        lightnessBonus: Type.Object({ from: Type.Number(), to: Type.Number(), points: NotNegative }, strict),
        criticalDeltaE: NotNegative,
      },
      strict,
    ),
    oxidationTrendAbove: Share,
  },
  strict,
);

/** What a profile or dialect changes: any part of any group of `shape` and `shapeScore`. */
const Overrides = {
  shape: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  shapeScore: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};

/** JSON Schema of a grade spec document of the method `sqal`. */
export const SqalSpecSchema = Type.Object(
  {
    id: Id,
    version: Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+$" }),
    method: Type.Literal("sqal"),
    profiles: Type.Record(Type.String(), Type.Object({ zoneSideMm: Positive, ...Overrides }, strict)),
    /** Zone side of a device of which nothing says it. */
    defaultZoneSideMm: Positive,
    /** Device id to the name of the profile it runs: the site's word, which wins over what the device says. */
    devices: Type.Record(Type.String(), Type.String()),
    dialects: Type.Record(Type.String(), Type.Object(Overrides, strict)),
    shape: SqalShapeSchema,
    shapeScore: ShapeScoreSchema,
    spectrum: SqalSpectrumSchema,
    spectrumScore: SpectrumScoreSchema,
    fusion: FusionSchema,
    business: BusinessSchema,
  },
  strict,
);

export { ShapeScoreSchema };
export type SqalSpec = Static<typeof SqalSpecSchema>;
export type SqalShapeScore = Static<typeof ShapeScoreSchema>;
export type SqalSpectrumScore = Static<typeof SpectrumScoreSchema>;
export type SqalBusiness = Static<typeof BusinessSchema>;
export type SqalFusion = Static<typeof FusionSchema>;
