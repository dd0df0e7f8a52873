import Type, { type Static } from "typebox";
import { ColourSchema } from "../as7341/colour-parameters.ts";
import { SHAPE_PARAMETERS, type ShapeParameters } from "../vl53l8ch/shape-parameters.ts";

const strict = { additionalProperties: false };
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Letter = Type.Union([
  Type.Literal("A+"),
  Type.Literal("A"),
  Type.Literal("B"),
  Type.Literal("C"),
  Type.Literal("REJECT"),
]);

/** Figures a banded spec may speak of, by sensor. */
export const SHAPE_FIGURES = ["mass", "thickness", "length", "width", "roughness", "dents", "bumps"] as const;
export const COLOUR_FIGURES = ["deltaE", "blood", "bile", "yellowness", "browning"] as const;
const Figure = Type.Union([...SHAPE_FIGURES, ...COLOUR_FIGURES].map((name) => Type.Literal(name)));
export type Figure = (typeof SHAPE_FIGURES)[number] | (typeof COLOUR_FIGURES)[number];

/** Every figure of the shape analysis, none more: a document says all that decided, and its hash covers it. */
const ShapeSchema = Type.Object(
  Object.fromEntries(Object.keys(SHAPE_PARAMETERS).map((name) => [name, Type.Number()])) as Record<
    keyof ShapeParameters,
    ReturnType<typeof Type.Number>
  >,
  strict,
);

const Part = Type.Object(
  {
    figure: Figure,
    weight: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    /** Points (value, part score) with rising values: straight lines between them, level beyond the ends. */
    curve: Type.Array(Type.Tuple([Type.Number(), Share]), { minItems: 2, maxItems: 12 }),
  },
  strict,
);

/** A figure beyond its limit holds the grade down, whatever the score: to REJECT (a veto) or to the best grade named. */
const Cap = Type.Object({ figure: Figure, above: Type.Number(), best: Letter }, strict);

/**
 * A grade spec of the method `banded`: each figure scores by its own curve, the score is their weighted mean, and caps
 * hold down what no score may make good. Everything in it is what a contract between plant and breeder would name.
 */
export const BandedSpecSchema = Type.Object(
  {
    id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    version: Type.String({ pattern: "^\\d+\\.\\d+\\.\\d+$" }),
    method: Type.Literal("banded"),
    title: Type.Optional(
      Type.Object({ en: Type.String({ maxLength: 120 }), fr: Type.String({ maxLength: 120 }) }, strict),
    ),
    /** Below this mass a liver may not be sold as foie gras (Regulation (EC) 543/2008): it must be weighed, never judged by ToF. */
    legalMinimumG: Type.Number({ minimum: 0 }),
    /** Figures of the shape analysis `shape/1`. */
    shape: ShapeSchema,
    /** Figures of the colour analysis `colour/1`: reference colour, limits of blood and bile, the tissue model. */
    colour: ColourSchema,
    parts: Type.Array(Part, { minItems: 1, maxItems: 24 }),
    caps: Type.Array(Cap, { maxItems: 24 }),
    grades: Type.Object({ "A+": Share, A: Share, B: Share, C: Share }, strict),
  },
  strict,
);
export type BandedSpec = Static<typeof BandedSpecSchema>;
