import { linesOf, numbersOf, sideOf, type TofForm, type TofReading, zoneReading } from "./form.ts";

/**
 * Bare distances: 16 or 64 numbers to the line, or the rows of a 4x4 or 8x8 grid with a blank line (or nothing) between frames;
 * commas, semicolons, tabs or spaces between numbers; lines of words are passed over. Rows in the order in which they are printed: what is
 * mirrored in print, the orientation puts right.
 */
export const numberRows: TofForm = {
  name: "number-rows",
  read: (text) =>
    rowsOf(text, (line) =>
      line
        .trim()
        .replace(/[,;]$/, "")
        .split(/\s*[,;\t]\s*|\s+/),
    ),
};

/** SparkFun's examples: rows of the grid, a tab before every number, columns from right to left. */
export const sparkfunRows: TofForm = {
  name: "sparkfun-rows",
  read: (text) =>
    rowsOf(text, (line) => (/^\t-?\d+(?:\t-?\d+)*\s*$/.test(line) ? line.trim().split("\t").reverse() : ["not a row"])),
};

function rowsOf(text: string, cellsOf: (line: string) => string[]): TofReading[] | undefined {
  const frames: TofReading[] = [];
  let rows: number[][] = [];
  for (const line of linesOf(text)) {
    const numbers = line.trim() === "" ? undefined : numbersOf(cellsOf(line));
    if (!numbers) {
      // A banner or a heading parts frames as a blank line does; what is incomplete there began before the log did.
      if (line.trim() !== "" && !/\p{L}/u.test(line)) return undefined;
      rows = [];
      continue;
    }
    if (sideOf(numbers.length)) {
      const frame = zoneReading({ distanceMm: numbers });
      if (frame) frames.push(frame);
      continue;
    }
    if (numbers.length !== 4 && numbers.length !== 8) return undefined;
    if (rows.length > 0 && rows[0]?.length !== numbers.length) return undefined;
    rows.push(numbers);
    if (rows.length === numbers.length) {
      const frame = zoneReading({ distanceMm: rows.flat() });
      if (frame) frames.push(frame);
      rows = [];
    }
  }
  return frames;
}
