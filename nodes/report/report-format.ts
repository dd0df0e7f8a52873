import type { LotReport, ReportFigures } from "./lot-report.ts";
import { REPORT_WORDS, type ReportWords } from "./report-words.ts";

/** How a report writes numbers and times: in its language, on the plant's clock. */
export interface ReportFormat {
  words: ReportWords;
  number(value: number, digits?: number): string;
  /** A share in percent, 0…100. */
  percent(value: number): string;
  time(at: string): string;
  day(at: string): string;
}

export function formatOf({ language, timeZone }: Pick<LotReport, "language" | "timeZone">): ReportFormat {
  const words = REPORT_WORDS[language];
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(words.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
  const date = { day: "numeric", month: "long", year: "numeric", timeZone } as const;
  const clock = { ...date, hour: "2-digit", minute: "2-digit" } as const;
  return {
    words,
    number,
    percent: (value) => `${number(value, 1)}\u00a0%`,
    time: (at) => new Intl.DateTimeFormat(words.locale, clock).format(Date.parse(at)),
    day: (at) => new Intl.DateTimeFormat(words.locale, date).format(Date.parse(at)),
  };
}

/** Label, figure and its spread, for each figure that is known. */
export function figureRows(
  figures: ReportFigures,
  { words, number, percent }: ReportFormat,
): { label: string; value: string; spread: string }[] {
  const rows: { label: string; value: string; spread: string }[] = [
    { label: words.samples, value: number(figures.sample_count), spread: "" },
  ];
  const add = (label: string, value: number | null, text: (value: number) => string, spread = "") => {
    if (value !== null) rows.push({ label, value: text(value), spread });
  };
  const score = (value: number) => number(value * 100, 1);
  const grams = (value: number) => `${number(value)}\u00a0g`;
  const span = (from: number | null, to: number | null, text: (value: number) => string) =>
    from === null || to === null ? "" : `${text(from)} – ${text(to)}`;
  const { min_quality_score: least, max_quality_score: most, stddev_quality_score: deviation } = figures;
  const spread = [deviation === null ? "" : `± ${score(deviation)}`, span(least, most, score)];
  add(words.meanScore, figures.avg_quality_score, score, spread.filter(Boolean).join(" · "));
  add(words.compliance, figures.compliance_rate_pct, percent);
  add(words.defectRate, figures.defect_rate_pct, percent);
  add(words.mass, figures.avg_mass_g, grams, span(figures.min_mass_g, figures.max_mass_g, grams));
  add(words.totalMass, figures.total_mass_g, (value) => `${number(value / 1000, 1)}\u00a0kg`);
  add(words.thickness, figures.avg_thickness_mm, (value) => `${number(value, 1)}\u00a0mm`);
  add(words.deltaE, figures.avg_delta_e, (value) => number(value, 1));
  return rows;
}

/** Label and text of what the lot is and where it ran. */
export function factRows(report: LotReport, format: ReportFormat): [label: string, text: string][] {
  const { words, time } = format;
  const { first_sample_at: first, last_sample_at: last } = report.figures;
  const facts: [string, string][] = [
    [words.lot, report.lot],
    [words.breeder, report.breeders.join(", ")],
    [words.provenance, report.provenance ?? ""],
    [words.line, [report.site, report.lines.join(", ")].filter(Boolean).join(" · ")],
    [words.device, report.devices.join(", ")],
    [words.period, first !== null && last !== null ? `${time(first)} – ${time(last)}` : ""],
    [
      words.spec,
      report.specs
        .map(({ id, version, hash, samples }) => `${id} ${version} (${hash.slice(0, 12)}) : ${format.number(samples)}`)
        .join("; "),
    ],
    [words.madeBy, report.madeBy],
    [words.madeAt, time(report.madeAt)],
  ];
  return facts.filter(([, text]) => text !== "");
}
