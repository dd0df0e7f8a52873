import { type Lobe, PLAN_EXPONENT, TOP_EXPONENT } from "./product.ts";
import type { Random } from "./random.ts";

type Range = readonly [low: number, high: number];

/** How livers of one kind differ from the line's usual ones: what a method must not depend on. */
export interface LiverFamily {
  planExponent: Range;
  topExponent: Range;
  /** Height over which the fold between two lobes is rounded, mm. */
  blendMm: Range;
  /** Long waves over the whole surface: their amplitude as a share of its height, and their length, mm. */
  undulationShare: number;
  undulationMm: Range;
  /** Second lobe's height and length relative to the usual. */
  secondLobe: Range;
  /** Chance of a third, small lobe. */
  thirdLobeShare: number;
}

/** The usual kind: two lobes of one form. */
export const USUAL: LiverFamily = {
  planExponent: [PLAN_EXPONENT, PLAN_EXPONENT],
  topExponent: [TOP_EXPONENT, TOP_EXPONENT],
  blendMm: [6, 6],
  undulationShare: 0,
  undulationMm: [60, 120],
  secondLobe: [1, 1],
  thirdLobeShare: 0,
};

export const FAMILIES = {
  usual: USUAL,
  undulating: { ...USUAL, undulationShare: 0.04 },
  exponents: { ...USUAL, planExponent: [1.9, 2.8], topExponent: [2.2, 4] },
  folds: { ...USUAL, blendMm: [3, 16], secondLobe: [0.8, 1.15] },
  "three lobes": { ...USUAL, secondLobe: [0.85, 1.1], thirdLobeShare: 1 },
} as const satisfies Record<string, LiverFamily>;

export type FamilyName = keyof typeof FAMILIES;

/** One liver's departure from the usual. */
export interface FamilyDraw {
  planExponent: number;
  topExponent: number;
  blendMm: number;
  /** Factor on the height at a point. */
  undulation(x: number, y: number): number;
  secondLobe: number;
  hasThirdLobe: boolean;
}

export function drawFamily(rng: Random, family: LiverFamily): FamilyDraw {
  const direction = rng.uniform(0, Math.PI);
  const [cos, sin] = [Math.cos(direction), Math.sin(direction)];
  const waves = [rng.uniform(...family.undulationMm), rng.uniform(...family.undulationMm)] as const;
  const phases = [rng.uniform(0, 2 * Math.PI), rng.uniform(0, 2 * Math.PI)] as const;
  const share = family.undulationShare;
  return {
    planExponent: rng.uniform(...family.planExponent),
    topExponent: rng.uniform(...family.topExponent),
    blendMm: rng.uniform(...family.blendMm),
    undulation: (x, y) =>
      share === 0
        ? 1
        : 1 +
          share *
            Math.sin((2 * Math.PI * (x * cos + y * sin)) / waves[0] + phases[0]) *
            Math.sin((2 * Math.PI * (y * cos - x * sin)) / waves[1] + phases[1]),
    secondLobe: rng.uniform(...family.secondLobe),
    hasThirdLobe: rng.chance(family.thirdLobeShare),
  };
}

/** The lobes of a liver of this kind, from the usual two. */
export function lobesOf(usual: readonly Lobe[], draw: FamilyDraw): Lobe[] {
  const { planExponent, topExponent } = draw;
  const shaped = usual.map((lobe, index) =>
    index === 0
      ? { ...lobe, planExponent, topExponent }
      : {
          ...lobe,
          planExponent,
          topExponent,
          heightMm: lobe.heightMm * draw.secondLobe,
          semiLengthMm: lobe.semiLengthMm * draw.secondLobe,
        },
  );
  const [first, second] = shaped;
  if (!draw.hasThirdLobe || !first || !second) return shaped;
  // Beyond the second lobe's end, beside the first one.
  const third: Lobe = {
    ...second,
    xMm: 0.55 * first.semiLengthMm,
    yMm: 0.75 * second.yMm,
    semiLengthMm: 0.4 * first.semiLengthMm,
    semiWidthMm: 0.5 * first.semiWidthMm,
    heightMm: 0.7 * first.heightMm,
    angleRad: -second.angleRad,
  };
  return [...shaped, third];
}
