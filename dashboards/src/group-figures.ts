import { formatNumber, formatTime } from "./format.ts";
import { plantZone } from "./line.ts";
import type { Group, Summary } from "./lots-data.ts";
import type { LotsWords } from "./lots-words.ts";
import type { PlotSeries } from "./plot.ts";

/** What can be drawn over time. */
export const MEASURES = ["score", "mass", "thickness", "deltaE"] as const;
export type Measure = (typeof MEASURES)[number];

const COLUMNS = {
  score: "avg_quality_score",
  mass: "avg_mass_g",
  thickness: "avg_thickness_mm",
  deltaE: "avg_delta_e",
} as const;

/** A figure of a measure as people read it. */
export function formatMeasure(measure: Measure, value: number): string {
  if (measure === "score") return formatNumber(value * 100, 1);
  if (measure === "deltaE") return formatNumber(value, 1);
  return `${formatNumber(value, measure === "mass" ? 0 : 1)} ${measure === "mass" ? "g" : "mm"}`;
}

/**
 * A group's curve: a breeder by production day (x: ms), a lot sample by sample (x: ms, or, where several are compared, the
 * share of its samples).
 */
export function curveOf(group: Group, index: number, measure: Measure, byShare: boolean): PlotSeries {
  const column = COLUMNS[measure];
  if (group.kind === "breeder") {
    const points = group.trend.flatMap((day) => pointOf(Date.parse(day.production_day), day[column]));
    return { name: group.breeder, index, points };
  }
  let passed = 0;
  const points = group.course.flatMap((part) => {
    passed += part.sample_count;
    return pointOf(byShare ? passed / group.samples_examined : Date.parse(part.time), part[column]);
  });
  return { name: group.lot, index, points };
}

const pointOf = (x: number, y: number | null) => (y === null ? [] : [{ x, y }]);

/** Label, figure and what stands beside it, of a lot or breeder. */
export function figuresIn(
  group: Summary,
  words: LotsWords,
): { key: string; label: string; value: string; more: string }[] {
  const or = (value: number | null, text: (value: number) => string) => (value === null ? "—" : text(value));
  const span = (from: number | null, to: number | null, text: (value: number) => string) =>
    from === null || to === null ? "" : `${text(from)} – ${text(to)}`;
  const score = (value: number) => formatMeasure("score", value);
  const grams = (value: number) => formatMeasure("mass", value);
  return [
    {
      key: "score",
      label: words.meanScore,
      value: or(group.avg_quality_score, score),
      more: [
        or(group.stddev_quality_score, (value) => `± ${score(value)}`),
        span(group.min_quality_score, group.max_quality_score, score),
      ].join(" · "),
    },
    {
      key: "compliance",
      label: words.compliance,
      value: or(group.compliance_rate_pct, (value) => `${formatNumber(value, 1)} %`),
      more: "",
    },
    {
      key: "defects",
      label: words.defectRate,
      value: or(group.defect_rate_pct, (value) => `${formatNumber(value, 1)} %`),
      more: "",
    },
    {
      key: "mass",
      label: words.mass,
      value: or(group.avg_mass_g, grams),
      more: span(group.min_mass_g, group.max_mass_g, grams),
    },
    {
      key: "total",
      label: words.totalMass,
      value: or(group.total_mass_g, (value) => `${formatNumber(value / 1000, 1)} kg`),
      more: "",
    },
    {
      key: "thickness",
      label: words.thickness,
      value: or(group.avg_thickness_mm, (value) => formatMeasure("thickness", value)),
      more: "",
    },
    {
      key: "deltaE",
      label: words.deltaE,
      value: or(group.avg_delta_e, (value) => formatMeasure("deltaE", value)),
      more: "",
    },
  ];
}

const DAY = { day: "numeric", month: "short", year: "numeric" } as const;

/** First and last day of a group on the plant's calendar. */
export function periodText({ first_sample_at: first, last_sample_at: last }: Summary): string {
  const day = (at: string | null) => (at === null ? "" : formatTime(Date.parse(at), plantZone.value, DAY));
  return [...new Set([day(first), day(last)])].filter(Boolean).join(" – ");
}

export const nameOf = (group: Summary): string => ("lot" in group ? group.lot : group.breeder);
