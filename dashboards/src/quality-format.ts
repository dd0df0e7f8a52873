import type { ChartView } from "@foieflow/node-red-foieflow/api/quality-schema.js";
import { formatNumber } from "./format.ts";

type Figure = ChartView["figure"];

/** How a figure reads: factor to the shown unit, decimals, unit. */
export const FIGURE_FORMATS: Readonly<Record<Figure, { factor: number; digits: number; unit: string }>> = {
  thickness: { factor: 1, digits: 1, unit: "mm" },
  mass: { factor: 1, digits: 0, unit: "g" },
  score: { factor: 100, digits: 1, unit: "" },
  delta_e: { factor: 1, digits: 2, unit: "" },
};

/** A figure's value as it is read, with its unit. */
export function figureText(figure: Figure, value: number, more = 0): string {
  const { factor, digits, unit } = FIGURE_FORMATS[figure];
  const text = formatNumber(value * factor, digits + more).replace(/^-/, "−");
  return unit === "" ? text : `${text} ${unit}`;
}
