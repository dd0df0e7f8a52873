import PDFDocument from "pdfkit";
import { GRADES, type GradeLetter } from "../sample/units.ts";
import { defectTitle } from "./defect-words.ts";
import type { LotReport } from "./lot-report.ts";
import { drawCurve, type Pdf } from "./pdf-plot.ts";
import { factRows, figureRows, formatOf, type ReportFormat } from "./report-format.ts";
import { winAnsi } from "./win-ansi.ts";

const MARGIN = 44;
const INK = "#1a1e23";
const MUTED = "#565d66";
const LINE = "#d5d2c9";
const COLORS: Record<GradeLetter, string> = {
  "A+": "#0b7a53",
  A: "#2c6aa3",
  B: "#e3b32e",
  C: "#e27a2b",
  REJECT: "#b5121b",
};
const FOOT = 14;
const SIGNATURE_HEIGHT = 84;
/** Of the names of facts, pt. */
const LABEL = 72;
/** Longest text of a fact: of very many devices the first ones. */
const MOST_TEXT = 240;

/** A document that is filled from top to bottom. */
class Sheet {
  readonly pdf: Pdf;
  readonly width: number;
  y = MARGIN;

  constructor(pdf: Pdf) {
    this.pdf = pdf;
    this.width = pdf.page.width - 2 * MARGIN;
  }

  /** Makes sure of so much room, on another page where this one has none. */
  room(height: number): void {
    if (this.y + height <= this.pdf.page.height - MARGIN - FOOT) return;
    this.pdf.addPage();
    this.y = MARGIN;
  }

  text(
    text: string,
    at: { x?: number; width?: number; size?: number; bold?: boolean; color?: string; align?: "left" | "right" } = {},
  ): number {
    const { x = 0, width = this.width - x, size = 10, bold = false, color = INK, align = "left" } = at;
    this.pdf
      .font(bold ? "Helvetica-Bold" : "Helvetica")
      .fontSize(size)
      .fillColor(color);
    const bare = winAnsi(text);
    const height = this.pdf.heightOfString(bare, { width, align });
    this.pdf.text(bare, MARGIN + x, this.y, { width, align });
    return height;
  }

  heading(text: string, needed: number): void {
    this.room(needed + 40);
    this.y += 10;
    this.y += this.text(text, { size: 12, bold: true }) + 6;
  }

  /** Rows of cells; the columns share the width by `shares`, the first is aligned to the left. */
  table(head: readonly string[], rows: readonly (readonly string[])[], shares: readonly number[]): void {
    const whole = shares.reduce((sum, share) => sum + share, 0);
    const row = (cells: readonly string[], bold: boolean, color: string) => {
      this.room(20);
      let x = 0;
      let height = 0;
      cells.forEach((cell, column) => {
        const width = ((shares[column] ?? 1) / whole) * this.width;
        const align = column === 0 ? "left" : "right";
        height = Math.max(height, this.text(cell, { x, width: width - 8, size: 9, bold, color, align }));
        x += width;
      });
      this.y += height + 4;
      this.pdf
        .moveTo(MARGIN, this.y - 2)
        .lineTo(MARGIN + this.width, this.y - 2)
        .lineWidth(0.5)
        .stroke(LINE);
    };
    row(head, true, MUTED);
    for (const cells of rows) row(cells, false, INK);
  }
}

/** The report of one lot as a PDF: A4, with its plots and a place to sign. */
export async function lotPdf(report: LotReport): Promise<Buffer> {
  const format = formatOf(report);
  const { words } = format;
  const pdf = new PDFDocument({
    size: "A4",
    margin: MARGIN,
    bufferPages: true,
    lang: words.locale,
    info: {
      Title: `${words.title} ${report.lot}`,
      Author: report.madeBy,
      Creator: "FoieFlow",
      CreationDate: new Date(report.madeAt),
    },
  });
  const chunks: Buffer[] = [];
  pdf.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => pdf.once("end", resolve).once("error", reject));

  const sheet = new Sheet(pdf);
  drawHead(sheet, report, format);
  drawFacts(sheet, report, format);
  drawFigures(sheet, report, format);
  drawGrades(sheet, report, format);
  drawCourse(sheet, report, format);
  drawDefects(sheet, report, format);
  drawDevices(sheet, report, format);
  drawSignature(sheet, format);
  drawFoot(pdf, report, format);
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}

function drawHead(sheet: Sheet, report: LotReport, { words }: ReportFormat): void {
  const { pdf } = sheet;
  // The mark of the header of every page.
  pdf.save().translate(MARGIN, sheet.y).scale(1.1);
  pdf.roundedRect(0, 0, 40, 40, 9).fill("#23282e");
  pdf.path("M7 25c0-9 6-14 13-14 8 0 13 5 13 10 0 6-5 9-10 9H13c-4 0-6-2-6-5z").fill("#e8c872");
  pdf.path("M14 24c1-5 4-8 9-8").lineWidth(2.6).lineCap("round").stroke("#fff6d9");
  pdf.restore();
  sheet.y += 2;
  sheet.y += sheet.text(words.title, { x: 58, size: 20, bold: true });
  sheet.y += sheet.text(`FoieFlow · ${report.site}`, { x: 58, color: MUTED }) + 18;
}

/** What the lot is and where it ran, in two columns. */
function drawFacts(sheet: Sheet, report: LotReport, format: ReportFormat): void {
  const { words } = format;
  const facts = factRows(report, format);
  const half = Math.ceil(facts.length / 2);
  const width = sheet.width / 2;
  const { y } = sheet;
  let end = y;
  facts.forEach(([label, text], index) => {
    if (index === half) sheet.y = y;
    const x = index < half ? 0 : width;
    sheet.text(label, { x, width: LABEL, color: MUTED });
    const short = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
    const bold = label === words.lot || label === words.breeder;
    sheet.y += sheet.text(short, { x: x + LABEL, width: width - LABEL - 12, bold }) + 4;
    end = Math.max(end, sheet.y);
  });
  sheet.y = end;
}

function drawFigures(sheet: Sheet, report: LotReport, format: ReportFormat): void {
  const COLUMNS = 4;
  const figures = figureRows(report.figures, format);
  sheet.y += 8;
  for (let first = 0; first < figures.length; first += COLUMNS) {
    sheet.room(50);
    const { y } = sheet;
    figures.slice(first, first + COLUMNS).forEach(({ label, value, spread }, column) => {
      const at = { x: (column * sheet.width) / COLUMNS, width: sheet.width / COLUMNS - 8 };
      sheet.y = y;
      sheet.y += sheet.text(label, { ...at, size: 8, color: MUTED }) + 1;
      sheet.y += sheet.text(value, { ...at, size: 13, bold: true });
      if (spread) sheet.text(spread, { ...at, size: 8, color: MUTED });
    });
    sheet.y = y + 44;
  }
}

function drawGrades(sheet: Sheet, report: LotReport, { words, number, percent }: ReportFormat): void {
  const { sample_count: total, grade_distribution: counts } = report.figures;
  sheet.heading(words.distribution, 60);
  let x = MARGIN;
  for (const grade of GRADES) {
    const width = total > 0 ? (counts[grade] / total) * sheet.width : 0;
    if (width > 0) sheet.pdf.rect(x, sheet.y, width, 14).fill(COLORS[grade]);
    x += width;
  }
  sheet.y += 20;
  const { y } = sheet;
  const width = sheet.width / GRADES.length;
  GRADES.forEach((grade, column) => {
    const at = { x: column * width + 14, width: width - 18 };
    sheet.pdf.rect(MARGIN + column * width, y + 1, 9, 9).fill(COLORS[grade]);
    sheet.y = y;
    sheet.y += sheet.text(grade === "REJECT" ? words.reject : grade, { ...at, bold: true });
    const share = total > 0 ? ` · ${percent((counts[grade] / total) * 100)}` : "";
    sheet.text(`${number(counts[grade])}${share}`, { ...at, size: 9 });
  });
  sheet.y = y + 26;
}

function drawCourse(sheet: Sheet, report: LotReport, { words, number }: ReportFormat): void {
  const HEIGHT = 100;
  const clock = new Intl.DateTimeFormat(words.locale, {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: report.timeZone,
  });
  const plots = [
    {
      title: words.score,
      color: "#2c6aa3",
      of: (part: LotReport["course"][number]) => part.avg_quality_score,
      factor: 100,
    },
    { title: words.massInG, color: "#c2410c", of: (part: LotReport["course"][number]) => part.avg_mass_g, factor: 1 },
  ];
  sheet.heading(words.course, HEIGHT + 20);
  const width = (sheet.width - 20) / 2;
  const { y } = sheet;
  plots.forEach(({ title, color, of, factor }, index) => {
    const x = index * (width + 20);
    const points = report.course.flatMap((part) => {
      const value = of(part);
      return value === null ? [] : [{ x: Date.parse(part.time), y: value * factor }];
    });
    sheet.y = y;
    sheet.y += sheet.text(title, { x, width, size: 9, color: MUTED }) + 6;
    const box = { x: MARGIN + x, y: sheet.y, width, height: HEIGHT };
    const formatX = (ms: number) => winAnsi(clock.format(ms));
    if (points.length > 1)
      drawCurve(sheet.pdf, box, points, { color, formatX, formatY: (value) => winAnsi(number(value)) });
    else sheet.text(words.noCourse, { x, width, size: 9, color: MUTED });
  });
  sheet.y = y + HEIGHT + 22;
}

function drawDefects(sheet: Sheet, report: LotReport, { words, number, percent }: ReportFormat): void {
  sheet.heading(words.defects, 40);
  if (report.defects.length === 0) sheet.y += sheet.text(words.noDefects, { color: MUTED });
  else
    sheet.table(
      [words.defects, words.sensor, words.severity, words.samples],
      report.defects.map(({ type, sensor, avg_severity: severity, samples }) => [
        defectTitle(type, report.language),
        words.sensors[sensor] ?? sensor,
        severity === null ? "" : percent(severity * 100),
        number(samples),
      ]),
      [3, 1, 1, 1],
    );
  sheet.y += 4;
  sheet.y += sheet.text(words.examined(number(report.samplesExamined)), { size: 8, color: MUTED });
}

function drawDevices(sheet: Sheet, report: LotReport, { words, number, percent }: ReportFormat): void {
  sheet.heading(words.byDevice, 40);
  const rows = report.byDevice.map((device) => [
    device.device,
    number(device.sample_count),
    device.avg_quality_score === null ? "" : number(device.avg_quality_score * 100, 1),
    device.avg_mass_g === null ? "" : `${number(device.avg_mass_g)}\u00a0g`,
    device.defect_rate_pct === null ? "" : percent(device.defect_rate_pct),
  ]);
  sheet.table(
    [words.device, words.samples, words.meanScore, words.mass, words.defectRate],
    rows,
    [3, 1.2, 1.2, 1.2, 1.2],
  );
}

function drawSignature(sheet: Sheet, { words }: ReportFormat): void {
  sheet.room(SIGNATURE_HEIGHT);
  sheet.y += 18;
  sheet.y += sheet.text(words.signature, { size: 11, bold: true }) + 34;
  sheet.pdf
    .moveTo(MARGIN, sheet.y)
    .lineTo(MARGIN + sheet.width / 2, sheet.y)
    .lineWidth(0.8)
    .stroke(INK);
  sheet.y += 4;
  sheet.y += sheet.text(words.signatureHelp, { size: 8, color: MUTED });
}

/** On every page, once their number is known. */
function drawFoot(pdf: Pdf, report: LotReport, { words }: ReportFormat): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let page = start; page < start + count; page++) {
    pdf.switchToPage(page);
    // Below the margin a text would begin a page of its own.
    pdf.page.margins.bottom = 0;
    const width = pdf.page.width - 2 * MARGIN;
    const y = pdf.page.height - MARGIN + 6;
    pdf.font("Helvetica").fontSize(8).fillColor(MUTED);
    pdf.text(winAnsi(`${words.lot} ${report.lot} · ${words.note}`), MARGIN, y, {
      width: width - 90,
      height: 10,
      ellipsis: true,
    });
    pdf.text(winAnsi(words.page(page - start + 1, count)), MARGIN, y, { width, align: "right", lineBreak: false });
  }
}
