import { countsOfArray, isArrayLength, type SpectralForm } from "./form.ts";

const NUMBER = /^\d+(?:\.\d+)?$/;
/** Two-digit tokens with a leading zero are a dump of bytes, not numbers. */
const isDump = (tokens: readonly string[]) =>
  tokens.every((token) => token.length === 2) && tokens.some((token) => token.startsWith("0"));

/** Bare numbers, 8, 10 or 12 to the line (or in all). */
export const numbersForm: SpectralForm = {
  name: "numbers",
  read(text, settings) {
    const lines = text
      .split(/\r?\n/)
      .map((line) => line.split(/[\s,;]+/).filter((token) => token !== ""))
      .filter((tokens) => tokens.length > 0);
    const all = lines.flat();
    if (all.length === 0 || isDump(all) || !all.every((token) => NUMBER.test(token))) return undefined;
    const rows = lines.every((tokens) => isArrayLength(tokens.length)) ? lines : [all];
    const counts = rows.map((tokens) => countsOfArray(tokens.map(Number)));
    return counts.every((one) => one !== undefined) ? counts.map((one) => one.reading(settings)) : undefined;
  },
};
