import { GRADES, type GradeLetter } from "../../nodes/sample/units.ts";
import { correlation, quantile, type Spread, spreadOf } from "../statistics.ts";
import { QUALITY_CLASSES, type QualityClass } from "./quality.ts";

/** A defect counts as there from these on, and as absent where there is none of its kind at all; between them neither. */
export const DENT_DIAMETER_MM = 30;
export const DENT_DEPTH_MM = 6;
export const STAIN_SHARE = 0.05;
export const DEFECT_KINDS = ["dent", "blood", "bile"] as const;
export type DefectKind = (typeof DEFECT_KINDS)[number];

/** What is needed of a belt's truth line. */
export interface ProductTruth {
  deviceId: string;
  productId?: string;
  enteredMs: number;
  leftMs: number;
  wholeInView: boolean;
  qualityClass: QualityClass;
  quality: number;
  massG: number;
  defects: Record<DefectKind, "there" | "absent" | "slight">;
}

/** A graded row of a belt device. */
export interface ProductRow {
  deviceId: string;
  productId: string | null;
  timeMs: number;
  grade: GradeLetter;
  score: number;
  massG: number | null;
  /** Half of the stated 95 % interval, where one is stated, g. */
  massHalfWidthG: number | null;
  defects: string[];
}

export interface DefectJudgement {
  there: number;
  found: number;
  absent: number;
  falseAlarms: number;
}

export interface BeltJudgement {
  products: number;
  /** With exactly one graded row. */
  matched: number;
  missing: number;
  /** Graded more than once. */
  split: number;
  /** Graded rows that belong to no product. */
  strays: number;
  massError: Spread | null;
  /** Stated intervals: share that holds the true mass, and their median half-width relative to it. */
  interval: { coverage: number; halfWidth: number } | null;
  defects: Record<DefectKind, DefectJudgement>;
  /** Correlation of the final score with true quality. */
  pearson: number | null;
}

/** A row may carry the time of any frame of its product, or of the one after. */
const SLACK_MS = 250;

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function dentState(dents: unknown): "there" | "absent" | "slight" {
  if (!Array.isArray(dents) || dents.length === 0) return "absent";
  const large = dents.some(
    (dent: { diameterMm?: unknown; depthMm?: unknown }) =>
      Number(dent?.diameterMm) >= DENT_DIAMETER_MM && Number(dent?.depthMm) >= DENT_DEPTH_MM,
  );
  return large ? "there" : "slight";
}
const stainState = (share: unknown): "there" | "absent" | "slight" =>
  Number(share) >= STAIN_SHARE ? "there" : Number(share) > 0 ? "slight" : "absent";

/** Reads the belt lines of a truth file; other lines are passed over. */
export function parseProductTruth(file: string): ProductTruth[] {
  return file.split("\n").flatMap((line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    if (typeof value !== "object" || value === null) return [];
    const truth = value as Record<string, unknown>;
    const deviceId = text(truth.deviceId);
    const qualityClass = QUALITY_CLASSES.find((name) => name === truth.qualityClass);
    const enteredMs = Date.parse(text(truth.enteredAt) ?? "");
    const leftMs = Date.parse(text(truth.leftAt) ?? "");
    const productId = text(truth.productId);
    if (truth.kind !== "belt" || deviceId === undefined || !qualityClass || !(enteredMs <= leftMs)) return [];
    return [
      {
        deviceId,
        ...(productId !== undefined && { productId }),
        enteredMs,
        leftMs,
        wholeInView: truth.wholeInView === true,
        qualityClass,
        quality: Number(truth.quality),
        massG: Number(truth.massG),
        defects: {
          dent: dentState(truth.dents),
          blood: stainState(truth.bloodShare),
          bile: stainState(truth.bileShare),
        },
      },
    ];
  });
}

const figure = (value: unknown): number | null =>
  value === null || value === undefined || !Number.isFinite(Number(value)) ? null : Number(value);

function typesOf(defects: unknown): string[] {
  let list: unknown = defects;
  if (typeof defects === "string") {
    try {
      list = JSON.parse(defects);
    } catch {
      return [];
    }
  }
  if (!Array.isArray(list)) return [];
  return list.flatMap((defect: { type?: unknown } | null) => text(defect?.type) ?? []);
}

/**
 * Reads rows as `scripts/sql.ts --json` prints them (columns device_id, product_id, time, final_grade, final_quality_score,
 * mass_g, defects, and mass_half_width_g where there is one); rows without a grade (NO_PRODUCT, PARTIAL) are passed over.
 */
export function parseProductRows(value: unknown): ProductRow[] {
  if (!Array.isArray(value)) throw new Error("the query did not give an array of rows");
  return value.flatMap((row: Record<string, unknown> | null) => {
    const deviceId = text(row?.device_id);
    const timeMs = Date.parse(text(row?.time) ?? "");
    const grade = GRADES.find((name) => name === row?.final_grade);
    if (!row || deviceId === undefined || Number.isNaN(timeMs) || !grade) return [];
    return [
      {
        deviceId,
        productId: text(row.product_id) ?? null,
        timeMs,
        grade,
        score: Number(row.final_quality_score),
        massG: figure(row.mass_g),
        massHalfWidthG: figure(row.mass_half_width_g),
        defects: typesOf(row.defects),
      },
    ];
  });
}

/** Whether a graded row is of a product: by the name a light barrier gave it, else by the time it was in view. */
function isOf(row: ProductRow, truth: ProductTruth): boolean {
  if (row.deviceId !== truth.deviceId) return false;
  if (truth.productId !== undefined) return row.productId === truth.productId;
  return row.timeMs >= truth.enteredMs - SLACK_MS && row.timeMs <= truth.leftMs + SLACK_MS;
}

/** Joins products with graded rows and says how they agree. */
export function judgeProducts(truths: readonly ProductTruth[], rows: readonly ProductRow[]): BeltJudgement {
  const byDevice = Map.groupBy(rows, (row) => row.deviceId);
  const taken = new Set<ProductRow>();
  const pairs: Array<{ truth: ProductTruth; row: ProductRow }> = [];
  let missing = 0;
  let split = 0;
  for (const truth of truths) {
    const of = (byDevice.get(truth.deviceId) ?? []).filter((row) => !taken.has(row) && isOf(row, truth));
    for (const row of of) taken.add(row);
    const [row] = of;
    if (!row) missing += 1;
    else if (of.length > 1) split += 1;
    else pairs.push({ truth, row });
  }
  const errors = pairs.flatMap(({ truth, row }) => (row.massG === null ? [] : [row.massG / truth.massG - 1]));
  const stated = pairs.flatMap(({ truth, row }) =>
    row.massG === null || row.massHalfWidthG === null
      ? []
      : [{ error: Math.abs(row.massG - truth.massG), half: row.massHalfWidthG, massG: truth.massG }],
  );
  const widths = stated.map(({ half, massG }) => half / massG);
  const defects = Object.fromEntries(
    DEFECT_KINDS.map((kind): [DefectKind, DefectJudgement] => {
      const of = (state: string): typeof pairs => pairs.filter(({ truth }) => truth.defects[kind] === state);
      const reported = (some: typeof pairs): number => some.filter(({ row }) => row.defects.includes(kind)).length;
      const [there, absent] = [of("there"), of("absent")];
      return [
        kind,
        { there: there.length, found: reported(there), absent: absent.length, falseAlarms: reported(absent) },
      ];
    }),
  ) as Record<DefectKind, DefectJudgement>;
  return {
    products: truths.length,
    matched: pairs.length,
    missing,
    split,
    strays: rows.length - taken.size,
    massError: spreadOf(errors),
    interval:
      stated.length === 0
        ? null
        : {
            coverage: stated.filter(({ error, half }) => error <= half).length / stated.length,
            halfWidth: quantile(widths, 0.5),
          },
    defects,
    pearson: correlation(
      pairs.map(({ row }) => row.score),
      pairs.map(({ truth }) => truth.quality),
    ),
  };
}
