import { ticksOf } from "./ticks.ts";

/** What a plot needs of a PDF document. */
export type Pdf = PDFKit.PDFDocument;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const AXIS = "#565d66";
const GRID = "#d5d2c9";
const LEFT = 34;
const BOTTOM = 16;
const FONT_PT = 8;

/**
 * Draws one curve over time with its axes.
 * @param points oldest first, at least two
 */
export function drawCurve(
  pdf: Pdf,
  box: Box,
  points: readonly { x: number; y: number }[],
  options: { color: string; formatX(x: number): string; formatY(y: number): string },
): void {
  const ys = points.map(({ y }) => y);
  const ticks = ticksOf(Math.min(...ys), Math.max(...ys), 4);
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const [first = 0, last = 1] = [points[0]?.x, points.at(-1)?.x];
  const atX = (x: number) => box.x + LEFT + ((x - first) / (last - first || 1)) * (box.width - LEFT);
  const atY = (y: number) => box.y + (1 - (y - low) / (high - low || 1)) * (box.height - BOTTOM);
  pdf.font("Helvetica").fontSize(FONT_PT).lineWidth(0.5);
  for (const tick of ticks) {
    pdf
      .moveTo(box.x + LEFT, atY(tick))
      .lineTo(box.x + box.width, atY(tick))
      .stroke(GRID);
    pdf
      .fillColor(AXIS)
      .text(options.formatY(tick), box.x, atY(tick) - 3, { width: LEFT - 5, align: "right", lineBreak: false });
  }
  const labels = [first, (first + last) / 2, last].map(options.formatX);
  const aligns = ["left", "center", "right"] as const;
  labels.forEach((label, index) => {
    pdf.fillColor(AXIS).text(label, box.x + LEFT, box.y + box.height - BOTTOM + 6, {
      width: box.width - LEFT,
      align: aligns[index] ?? "left",
    });
  });
  points.forEach(({ x, y }, index) => {
    if (index === 0) pdf.moveTo(atX(x), atY(y));
    else pdf.lineTo(atX(x), atY(y));
  });
  pdf.lineWidth(1.4).lineJoin("round").stroke(options.color);
}
