import type { GradeLetter } from "../sample/units.ts";

export const REPORT_LANGUAGES = ["fr", "en"] as const;
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number];

/** Figures of many samples; scores 0…1. */
export interface ReportFigures {
  sample_count: number;
  grade_distribution: Record<GradeLetter, number>;
  compliance_rate_pct: number | null;
  avg_quality_score: number | null;
  min_quality_score: number | null;
  max_quality_score: number | null;
  stddev_quality_score: number | null;
  defect_rate_pct: number | null;
  avg_mass_g: number | null;
  min_mass_g: number | null;
  max_mass_g: number | null;
  total_mass_g: number | null;
  avg_thickness_mm: number | null;
  avg_delta_e: number | null;
  first_sample_at: string | null;
  last_sample_at: string | null;
}

/** Everything a report of one lot says. Times are ISO 8601 UTC. */
export interface LotReport {
  language: ReportLanguage;
  /** The plant's clock, IANA. */
  timeZone: string;
  site: string;
  lot: string;
  breeders: readonly string[];
  provenance: string | null;
  lines: readonly string[];
  devices: readonly string[];
  figures: ReportFigures;
  /** Oldest first. */
  course: readonly { time: string; avg_quality_score: number | null; avg_mass_g: number | null }[];
  samplesExamined: number;
  defects: readonly { type: string; sensor: string; samples: number; avg_severity: number | null }[];
  byDevice: readonly (ReportFigures & { device: string })[];
  /** Grade specs that graded it. */
  specs: readonly { id: string; version: string; hash: string; samples: number }[];
  madeBy: string;
  madeAt: string;
}

/** Samples of a lot as a table, oldest first. */
export interface ReportTable {
  columns: readonly string[];
  rows: readonly Record<string, unknown>[];
  /** There are more than the table holds. */
  isCut: boolean;
}
