import writeWorkbook, { type Cell, type Sheet } from "write-excel-file/node";
import { GRADES } from "../sample/units.ts";
import { defectTitle } from "./defect-words.ts";
import type { LotReport, ReportTable } from "./lot-report.ts";
import { factRows, figureRows, formatOf, type ReportFormat } from "./report-format.ts";
import { safeText } from "./safe-text.ts";
import { wallDate } from "./wall-date.ts";

const DATE = "yyyy-mm-dd hh:mm:ss";
const WIDE = 24;

const text = (value: string): Cell => ({ value: safeText(value), type: String });
const head = (value: string): Cell => ({ ...Object(text(value)), fontWeight: "bold", backgroundColor: "#efede7" });
const number = (value: number | null, digits = 0): Cell =>
  value === null ? null : { value, type: Number, format: digits === 0 ? "0" : `0.${"0".repeat(digits)}` };

/** The workbook of one lot: what it is and its figures, its samples, its defects, its devices. Numbers and times are such. */
export async function lotXlsx(report: LotReport, table: ReportTable): Promise<Buffer> {
  const format = formatOf(report);
  const { sheets } = format.words;
  const workbook: Sheet<never>[] = [
    {
      sheet: sheets.lot,
      data: lotSheet(report, table, format),
      columns: [{ width: 30 }, { width: 40 }, { width: WIDE }],
    },
    sampleSheet(report, table, format),
    {
      sheet: sheets.defects,
      data: defectSheet(report, format),
      columns: [{ width: 34 }, { width: 16 }, { width: 18 }, { width: 16 }],
    },
    { sheet: sheets.devices, data: deviceSheet(report, format), columns: [{ width: WIDE }] },
  ];
  return writeWorkbook(workbook).toBuffer();
}

function lotSheet(report: LotReport, table: ReportTable, format: ReportFormat): Cell[][] {
  const { words } = format;
  const { grade_distribution: counts } = report.figures;
  return [
    [head(words.title), head(report.lot)],
    ...factRows(report, format).map(([label, value]) => [text(label), text(value)]),
    [],
    ...figureRows(report.figures, format).map(({ label, value, spread }) => [text(label), text(value), text(spread)]),
    [],
    [head(words.distribution), head(words.samples)],
    ...GRADES.map((grade) => [text(grade === "REJECT" ? words.reject : grade), number(counts[grade])]),
    [],
    [text(words.examined(format.number(report.samplesExamined)))],
    [text(words.note)],
    ...(table.isCut ? [[text(words.cut(format.number(table.rows.length)))]] : []),
  ];
}

function sampleSheet(report: LotReport, { columns, rows }: ReportTable, { words }: ReportFormat): Sheet<never> {
  const cells = rows.map((row) => columns.map((column) => cellOf(column, row[column], report.timeZone)));
  return {
    sheet: words.sheets.samples,
    data: [columns.map((column) => head(words.columns[column] ?? column)), ...cells],
    columns: columns.map((column) => ({ width: column === "time" ? 21 : 17 })),
    stickyRowsCount: 1,
  };
}

function cellOf(column: string, value: unknown, timeZone: string): Cell {
  if (value === null || value === undefined) return null;
  if (column === "time") return { value: wallDate(String(value), timeZone), type: Date, format: DATE };
  if (typeof value === "number") return { value, type: Number };
  if (typeof value === "boolean") return { value, type: Boolean };
  return text(typeof value === "string" ? value : JSON.stringify(value));
}

function defectSheet(report: LotReport, { words }: ReportFormat): Cell[][] {
  return [
    [words.defects, words.sensor, `${words.severity} (%)`, words.samples].map(head),
    ...report.defects.map(({ type, sensor, avg_severity: severity, samples }) => [
      text(defectTitle(type, report.language)),
      text(words.sensors[sensor] ?? sensor),
      number(severity === null ? null : severity * 100, 1),
      number(samples),
    ]),
  ];
}

function deviceSheet(report: LotReport, { words }: ReportFormat): Cell[][] {
  return [
    [words.device, words.samples, words.score, words.massInG, `${words.defectRate} (%)`].map(head),
    ...report.byDevice.map((device) => [
      text(device.device),
      number(device.sample_count),
      number(device.avg_quality_score === null ? null : device.avg_quality_score * 100, 1),
      number(device.avg_mass_g, 1),
      number(device.defect_rate_pct, 1),
    ]),
  ];
}
