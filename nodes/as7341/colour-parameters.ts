import Type, { type Static } from "typebox";
import { UNMIXED_CHANNELS } from "./responses.ts";

const strict = { additionalProperties: false };
const Positive = Type.Number({ exclusiveMinimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Normal = Type.Tuple([Type.Number(), Positive]);

const ByChannel = Type.Array(Type.Number(), { minItems: UNMIXED_CHANNELS.length, maxItems: UNMIXED_CHANNELS.length });

/** A share of the spot that is a finding, and the share at which it is as bad as can be. */
const Finding = Type.Object(
  {
    limit: Share,
    /** The share that is a finding in one reading alone, without others of the same product to compare it with. */
    aloneLimit: Share,
    /** Least distance from nothing, in standard deviations. */
    sigmas: Type.Number({ minimum: 0 }),
    full: Share,
  },
  strict,
);

/** JSON Schema of the calibrated colour analysis (`colour/1`). */
export const ColourSchema = Type.Object(
  {
    reference: Type.Object(
      { id: Type.String({ minLength: 1 }), lab: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]) },
      strict,
    ),
    noise: Type.Object(
      { perCount: Type.Number({ minimum: 0 }), floor: Type.Number({ minimum: 0 }), white: Type.Number({ minimum: 0 }) },
      strict,
    ),
    unmixing: Type.Object(
      {
        constants: Type.Object(
          { deoxyShare: Share, biliverdin: Type.Number({ minimum: 0 }), pooledBlood: Positive, spiltBile: Positive },
          strict,
        ),
        /** Mean and standard deviation of what sound livers are like; see `UNKNOWNS`. */
        population: Type.Object(
          {
            level: Normal,
            step: Normal,
            lnBase: Normal,
            lnBlood: Normal,
            met: Normal,
            lnBile: Normal,
            lnCarotenoid: Normal,
            lnBrowning: Normal,
            browningExponent: Normal,
            scatterExponent: Normal,
            bloodShare: Normal,
            bileShare: Normal,
          },
          strict,
        ),
        channelBias: ByChannel,
        stainLoss: Type.Optional(Type.Object({ blood: ByChannel, bile: ByChannel }, strict)),
        modelSigma: Positive,
        modelSigmaNir: Positive,
      },
      strict,
    ),
    blood: Finding,
    bile: Finding,
    /** Browning that makes the oxidation index one half. */
    browningHalf: Positive,
  },
  strict,
);
export type ColourParameters = Static<typeof ColourSchema>;
