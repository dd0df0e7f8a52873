import { FAMILIES, type FamilyName } from "../simulator/liver-family.ts";
import type { Figure } from "./figures.ts";
import { CONDITIONS } from "./line.ts";

/** Products per mount; each mount is a station of its own with its own errors and calibration. */
export const PER_MOUNT = 20;
/** Seeds below this were used to set the methods' figures; reports start here. */
export const FIRST_REPORT_SEED = 200_000;
/** Other kinds of livers, which the methods were not set on: seeds from here, half of the livers dented. */
export const FIRST_FAMILY_SEED = 300_000;
export const OTHER_FAMILIES = (Object.keys(FAMILIES) as FamilyName[]).filter((name) => name !== "usual");
export const FAMILY_CONDITIONS = { ...CONDITIONS, dentShare: 0.5 };
export const FAMILY_HEAD = ["kind of liver", "products", "dents: recall", "in place", "false alarms", "mass: bias"];

const FAMILY_NOTES: Record<FamilyName, string> = {
  usual: "two lobes of exponents 2.2 and 3",
  undulating: "the usual, with waves of ±4 % of the height, 60 to 120 mm long, over all of the surface",
  exponents: "exponents of the plan 1.9 to 2.8, of the top 2.2 to 4",
  folds: "the fold between the lobes rounded over 3 to 16 mm, second lobe 0.8 to 1.15 of the usual",
  "three lobes": "a third, small lobe at an end",
};

export function conditionLines(mounts: number, firstSeed: number): string[] {
  const { heightErrorMm, tiltDeg, tareFrames, speedError, emptyFrames } = CONDITIONS;
  return [
    `${mounts} mounts of ${PER_MOUNT} products or more, seeds ${firstSeed} to ${firstSeed + mounts - 1} (the methods' figures were set on seeds below ${FIRST_REPORT_SEED})`,
    `sensor 300 mm above the belt, off by up to ±${heightErrorMm} mm and tilted by up to ${tiltDeg}°, tared with ${tareFrames} frames of the empty belt as on a real line; the estimator knows neither error`,
    `15 frames a second, belt at 250 mm/s ±${100 * speedError} % (not known to the estimator), gaps of ${emptyFrames.least} empty frame and more`,
    "livers of 300 to 900 g in any orientation, a quarter of them dented (24 to 50 mm across, 4 to 14 mm deep)",
    "products of one mount share its errors: the ranges in brackets take each product as a draw of its own, and are somewhat too narrow for the masses by that",
    "a dent counts as found wherever on its product one is reported; the next row asks for its place, too",
    "the simulated sensor mixes surfaces within a zone, has noise, a range bias of its own, per-zone offsets, a bias by reflectance, drift and quarter-millimetre steps; its density of liver varies",
  ];
}

/** The whole of docs/accuracy.md. */
export function markdown(
  figures: readonly Figure[],
  conditions: readonly string[],
  families: readonly (readonly string[])[],
): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    "# Accuracy on simulated products",
    "",
    "Made by `npm run accuracy -- --write`: estimates of the methods `shape/1` and `colour/1` against what was true.",
    "",
    "| figure | value | wanted | |",
    "|---|---|---|---|",
    ...figures.map(({ name, value, wanted, isMet }) =>
      row([name, value, wanted ?? "", isMet === undefined ? "" : isMet ? "met" : "**not met**"]),
    ),
    "",
    "Conditions:",
    "",
    ...conditions.map((line) => `- ${line}`),
    "",
    "## Dents on other livers",
    "",
    "A zone is 26 mm wide on the product and blurs a dent to a third of its depth, as it does long waves. A dent has steep sides,",
    "though, and by Lambert's law they darken the zone by a tenth, where the sensor's reflectance has a noise of a hundredth: depths",
    "and brightnesses of all frames are held together against two lobes with a slowly varying factor, fitted through the sensor's",
    "own rays, once without and once with a cap taken off. Stains are dark without depth, waves deep without being dark.",
    "The same method and limits on kinds of livers they were not set on (of each kind, others were looked at):",
    "",
    row(FAMILY_HEAD),
    `|${"---|".repeat(FAMILY_HEAD.length)}`,
    ...families.map(row),
    "",
    ...OTHER_FAMILIES.map((name) => `- ${name}: ${FAMILY_NOTES[name]}`),
    "",
    "A third lobe's fold is a hollow with steep sides, and is taken for a dent: two lobes are what is looked for. Raise",
    "`reliefSigmas` in the grade spec where a line shows false alarms; a recording of undented livers of the line tells how far.",
    "Real liver is wet and shines: how well Lambert's law holds for it is not known. Where the reflectance departs from it by more",
    "than its noise over the whole of a product, it counts for less by itself, down to what depths alone tell.",
    "",
  ].join("\n");
}
