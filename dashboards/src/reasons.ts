import type { ReasonView } from "../nodes/view.ts";
import { METRIC_TITLES, METRIC_UNITS, REASON_TITLES } from "./catalogue.ts";
import { formatNumber } from "./format.ts";
import { language } from "./settings.ts";
import { words } from "./words.ts";

/** A reason in words; a code this screen does not know yet is spelled out rather than hidden. */
export function reasonTitle(code: string, metric?: string): string {
  const titles = REASON_TITLES[language.value];
  return titles[code] ?? (metric === undefined ? undefined : METRIC_TITLES[language.value][metric]) ?? spellOut(code);
}

/** The value a reason rests on and the limit it was held against; empty when there is neither. */
export function reasonFigures({ metric, value, limit }: ReasonView): string {
  const unit = METRIC_UNITS[metric];
  const magnitude = Math.abs(value ?? 0);
  const digits = unit?.digits ?? (magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2);
  const number = (figure: number) => formatNumber(figure * (unit?.factor ?? 1), digits);
  const suffix = unit?.unit ? `\u00a0${unit.unit}` : "";
  const parts: string[] = [];
  const title = METRIC_TITLES[language.value][metric];
  if (value !== null) parts.push(`${title ? `${title} ` : ""}${number(value)}${suffix}`);
  if (typeof limit === "number") parts.push(`${words.limit} ${number(limit)}${suffix}`);
  else if (limit !== undefined) parts.push(`${words.expected} ${number(limit[0])}–${number(limit[1])}${suffix}`);
  return parts.join(" · ");
}

/** `spectral_newFigure` → `Spectral new figure`. */
function spellOut(code: string): string {
  const text = code
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
