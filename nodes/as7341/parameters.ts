import Type, { type Static } from "typebox";

const Share = Type.Number({ minimum: 0, maximum: 1 });
const Interval = Type.Tuple([Type.Number(), Type.Number()]);
const Channel = Type.Union(
  (["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "Clear", "NIR"] as const).map((name) => Type.Literal(name)),
);
const strict = { additionalProperties: false };

/** A ratio of channel sums held against an optimal band inside an acceptable one. */
const Band = Type.Object({ ratio: Type.String(), optimal: Interval, acceptable: Interval }, strict);
const BandWeights = Type.Record(Type.String(), Share);

/** JSON Schema of the `sqal` method's spectral analysis. */
export const SqalSpectrumSchema = Type.Object(
  {
    /** Ratio name to channels above and below the line (sums); no channel below means full scale. */
    ratios: Type.Record(
      Type.String(),
      Type.Object({ over: Type.Array(Channel, { minItems: 1 }), under: Type.Array(Channel) }, strict),
    ),
    /** Full scale of a channel, counts. */
    fullScale: Type.Number({ exclusiveMinimum: 0 }),
    bands: Type.Record(Type.String(), Band),
    /** Band score at the edge of the acceptable band, and outside it. */
    edgeScore: Share,
    outsideScore: Share,
    /** Weights of the band scores in each index. */
    freshness: BandWeights,
    fatQuality: BandWeights,
    colorUniformity: BandWeights,
    saturatedFrom: Type.Number(),
    weakBelow: Type.Number(),
    color: Type.Object(
      {
        referenceId: Type.String(),
        references: Type.Record(Type.String(), Type.Tuple([Type.Number(), Type.Number(), Type.Number()])),
      },
      strict,
    ),
    /** A ratio (or b* distance) above `from` is a finding whose severity reaches 1 at `from + span`. */
    hematoma: Type.Object({ from: Type.Number(), span: Type.Number({ exclusiveMinimum: 0 }) }, strict),
    bile: Type.Object({ from: Type.Number(), span: Type.Number({ exclusiveMinimum: 0 }) }, strict),
    oxidation: Type.Object(
      { bReference: Type.Number(), from: Type.Number(), span: Type.Number({ exclusiveMinimum: 0 }) },
      strict,
    ),
  },
  strict,
);
export type SqalSpectrumParameters = Static<typeof SqalSpectrumSchema>;
