import { isLong } from "./long.ts";

/** A phone, a tablet, a screen on the wall, px. */
export const WIDTHS = [390, 768, 1440] as const;

/** The widths a page is driven at in a language: all of them in the long form, in the short one each of them once. */
export function widthsIn(language: string): readonly number[] {
  if (isLong) return WIDTHS;
  return language === "fr" ? [390, 1440] : [768];
}
