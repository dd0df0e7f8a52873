import { mean, percentile, populationStd } from "../../nodes/sample/statistics.ts";
import type { Judged, Mounted } from "./line.ts";

export interface Figure {
  name: string;
  value: string;
  /** What issue or contract asks for; absent: for information. */
  wanted?: string;
  isMet?: boolean;
}

const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;

/** A share with its 95 % interval (Wilson), of how many. */
function shareOf(found: number, of: number): string {
  const z = 1.96;
  const p = found / of;
  const middle = (p + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((p * (1 - p)) / of + z ** 2 / (4 * of ** 2));
  return `${percent(p, 1)} of ${of} (${(100 * Math.max(0, middle - half)).toFixed(1)} to ${(100 * Math.min(1, middle + half)).toFixed(1)})`;
}

const NEAR_MM = 20;
const DENTS: Detection = {
  isThere: ({ truth }) => truth.dents.some(isLarge),
  isFree: ({ truth }) => truth.dents.length === 0,
  isFound: ({ shape }) => shape.defects.some(({ type }) => type === "dent"),
};
type Detection = Record<"isThere" | "isFree" | "isFound", (judged: Judged) => boolean>;

function isLarge({ diameterMm, depthMm }: Judged["truth"]["dents"][number]): boolean {
  return diameterMm >= 30 && depthMm >= 6;
}

/** Whether a large dent was reported where it is: both places from the middle of the product's bounding box. */
function isInPlace({ truth, shape }: Judged): boolean {
  const middle = [0, 1].map((axis) => {
    const along = (shape.outlineMm ?? []).map((point) => point[axis] ?? 0);
    return (Math.min(...along) + Math.max(...along)) / 2;
  });
  return truth.dents.some(
    (dent) =>
      isLarge(dent) &&
      shape.defects.some(({ type, positionMm: [x, y] = [Number.NaN, Number.NaN] }) => {
        const off = Math.hypot(x - (middle[0] ?? 0) - dent.xMm, y - (middle[1] ?? 0) - dent.yMm);
        return type === "dent" && off <= NEAR_MM;
      }),
  );
}

/** How dents of another kind of liver are found, for the table of kinds. */
export function familyRow(name: string, mounts: readonly Mounted[]): string[] {
  const all = mounts.flatMap(({ judged }) => judged);
  const errors = all.map(({ truth, shape }) => shape.massG / truth.massG - 1);
  const there = all.filter(DENTS.isThere);
  const free = all.filter(DENTS.isFree);
  return [
    name,
    String(all.length),
    shareOf(there.filter(DENTS.isFound).length, there.length),
    percent(there.filter(isInPlace).length / there.length, 1),
    shareOf(free.filter(DENTS.isFound).length, free.length),
    percent(mean(errors), 1),
  ];
}

/** The table of what was estimated against what was true. */
export function figuresOf(mounts: readonly Mounted[]): Figure[] {
  const all = mounts.flatMap(({ judged }) => judged);
  const errors = all.map(({ truth, shape }) => shape.massG / truth.massG - 1);
  const inside = mean(
    all.map(({ truth, shape }) => (Math.abs(shape.massG - truth.massG) <= (shape.massHalfWidthG ?? 0) ? 1 : 0)),
  );
  const halfWidth =
    percentile(
      all.map(({ shape }) => (shape.massHalfWidthG ?? 0) / shape.massG),
      50,
    ) ?? 0;
  const passed = mounts.reduce((sum, { passed }) => sum + passed, 0);
  const counted = mounts.reduce((sum, { counted }) => sum + counted, 0);
  const bias = mean(errors);
  const grey = Math.max(...mounts.map(({ greyDeltaE }) => greyDeltaE));
  const off = (of: (judged: Judged) => number) => {
    const values = all.map(of);
    return `${mean(values).toFixed(1)} ± ${populationStd(values).toFixed(1)} mm`;
  };
  return [
    { name: "products judged", value: String(all.length), wanted: "2000", isMet: all.length >= 2000 },
    {
      name: "products counted / passed",
      value: `${counted} / ${passed}`,
      wanted: "equal",
      isMet: counted === passed,
    },
    { name: "mass: bias", value: percent(bias), wanted: "below 2 %", isMet: Math.abs(bias) < 0.02 },
    { name: "mass: standard deviation", value: percent(populationStd(errors)) },
    {
      name: "true masses inside the 95 % interval",
      value: shareOf(Math.round(all.length * inside), all.length),
      wanted: "93 to 97 %",
      isMet: inside >= 0.93 && inside <= 0.97,
    },
    { name: "median half width", value: percent(halfWidth), wanted: "at most 6 %", isMet: halfWidth <= 0.06 },
    { name: "thickness error", value: off(({ truth, shape }) => (shape.thicknessMm ?? 0) - truth.thicknessMm) },
    { name: "length error", value: off(({ truth, shape }) => (shape.lengthMm ?? 0) - truth.lengthMm) },
    { name: "width error", value: off(({ truth, shape }) => (shape.widthMm ?? 0) - truth.widthMm) },
    ...detection("dents of at least 30 mm and 6 mm depth", all, DENTS),
    {
      name: `dents found within ${NEAR_MM} mm of their place`,
      value: percent(
        all.filter((judged) => DENTS.isThere(judged) && isInPlace(judged)).length / all.filter(DENTS.isThere).length,
        1,
      ),
    },
    ...(["blood", "bile"] as const).flatMap((kind) =>
      detection(`${kind} over at least 5 % of the spot`, all, {
        isThere: ({ truth }) => (kind === "blood" ? truth.bloodShare : truth.bileShare) >= 0.05,
        isFree: ({ truth }) => (kind === "blood" ? truth.bloodShare : truth.bileShare) === 0,
        isFound: (judged) => judged[kind],
      }),
    ),
    { name: "grey card: chroma, worst", value: grey.toFixed(2), wanted: "neutral (below 2)", isMet: grey < 2 },
  ];
}

function detection(name: string, all: readonly Judged[], tests: Detection): Figure[] {
  const there = all.filter(tests.isThere);
  const free = all.filter(tests.isFree);
  const found = there.filter(tests.isFound).length;
  const alarms = free.filter(tests.isFound).length;
  return [
    {
      name: `${name}: recall`,
      value: shareOf(found, there.length),
      wanted: "at least 95 %",
      isMet: found >= 0.95 * there.length,
    },
    {
      name: `${name}: false alarms`,
      value: shareOf(alarms, free.length),
      wanted: "at most 2 %",
      isMet: alarms <= 0.02 * free.length,
    },
  ];
}
