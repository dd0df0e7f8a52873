export type Side = "above" | "below";
export const RULES = ["beyond-3-sigma", "two-of-three-beyond-2", "four-of-five-beyond-1", "eight-on-one-side"] as const;
export type Rule = (typeof RULES)[number];

/** A rule that a point breaks, as the last of the points that do. */
export interface Signal {
  rule: Rule;
  side: Side;
}

/** How many of how many successive points beyond how many sigmas, on one side of the center. */
const ZONES: Readonly<Record<Rule, { many: number; of: number; beyond: number }>> = {
  "beyond-3-sigma": { many: 1, of: 1, beyond: 3 },
  "two-of-three-beyond-2": { many: 2, of: 3, beyond: 2 },
  "four-of-five-beyond-1": { many: 4, of: 5, beyond: 1 },
  "eight-on-one-side": { many: 8, of: 8, beyond: 0 },
};

/** Mean number of points between two signals of a stable process (Champ and Woodall, Technometrics 29, 1987, all four rules). */
export const RUN_LENGTH = 91.75;

/**
 * The rules of the Western Electric "Statistical Quality Control Handbook" (1956), section B, zones tests.
 * @param z distance of each point from the center in sigmas of the points, in the order of time
 * @returns for each point the rules it breaks
 */
export function westernElectric(z: readonly number[]): Signal[][] {
  return z.map((last, index) => {
    const side: Side = last > 0 ? "above" : "below";
    const sign = last > 0 ? 1 : -1;
    return RULES.filter((rule) => {
      const { many, of, beyond } = ZONES[rule];
      if (!(sign * last > beyond) || index + 1 < many) return false;
      const successive = z.slice(Math.max(0, index + 1 - of), index + 1);
      return successive.filter((one) => sign * one > beyond).length >= many;
    }).map((rule) => ({ rule, side }));
  });
}

/**
 * How often a person would be called who begins anew after each call: the count that `RUN_LENGTH` is about. A lasting shift
 * calls again and again.
 */
export function callsOf(z: readonly number[]): number {
  let calls = 0;
  let since = 0;
  for (let index = 0; index < z.length; index += 1) {
    const recent = z.slice(Math.max(since, index - 7), index + 1);
    if ((westernElectric(recent).at(-1)?.length ?? 0) === 0) continue;
    calls += 1;
    since = index + 1;
  }
  return calls;
}

/** The most events that chance gives in 99 of 100 cases, where it gives `expected` on average (Poisson). */
export function mostByChance(expected: number): number {
  let probability = Math.exp(-expected);
  let sum = probability;
  let count = 0;
  while (sum < 0.99 && count < 10_000) {
    count += 1;
    probability *= expected / count;
    sum += probability;
  }
  return count;
}
