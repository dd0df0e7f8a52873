import type { PhysicalOutputs } from "../uld-frame.ts";
import { NO_TARGET } from "../uld-scale.ts";
import { linesOf, numberOf, type TofForm, zoneReading } from "./form.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** Two numbers of a cell, undefined where an `X` says that there are none. */
type Cell = [number | undefined, number | undefined];

/**
 * The coloured table of ST's X-CUBE-TOF1 and the Arduino "HelloWorld" (one target per zone): cells `| distance : status `, a second
 * line `| signal : ambient ` where asked for, `X` = no target. The columns run right to left and are put back in zone order.
 */
export const stTable: TofForm = {
  name: "st-table",
  read(text) {
    const frames = [];
    let rows: Cell[][][] = [];
    let open: Cell[][] | undefined;
    for (const line of linesOf(text.replace(ESCAPES, ""))) {
      const cells = cellsOf(line);
      if (cells) open?.push(cells);
      else if (/^\s*-{5,}/.test(line)) {
        if (open && open.length > 0) rows.push(open);
        open = [];
      } else if (!/^[\s|]+$/.test(line)) {
        open = undefined;
        rows = [];
      }
      const side = rows[0]?.[0]?.length;
      if (side !== undefined && rows.length === side) {
        const frame = zoneReading(physicalOf(rows));
        if (frame) frames.push(frame);
        rows = [];
      }
    }
    return frames;
  },
};

function cellsOf(line: string): Cell[] | undefined {
  const parts = line.trim().split("|").slice(1, -1);
  if (parts.length !== 4 && parts.length !== 8) return undefined;
  const cells = parts.map((part): Cell | undefined => {
    const [left, right, ...more] = part.split(":").map((half) => half.trim());
    const isCell = [left, right].every((half) => half === "X" || numberOf(half) !== undefined) && more.length === 0;
    return isCell ? [numberOf(left), numberOf(right)] : undefined;
  });
  return cells.every((cell) => cell !== undefined) ? cells.reverse() : undefined;
}

function physicalOf(rows: readonly (readonly Cell[][])[]): PhysicalOutputs {
  const first = rows.flatMap((lines) => lines[0] ?? []);
  const second = rows.flatMap((lines) => lines[1] ?? []);
  const hasSecond = second.length === first.length;
  return {
    distanceMm: first.map(([distance]) => distance ?? 0),
    targetStatus: first.map(([, status]) => status ?? NO_TARGET),
    targetCount: first.map(([distance]) => (distance === undefined ? 0 : 1)),
    ...(hasSecond &&
      second.some(([signal]) => signal !== undefined) && { signalKcpsPerSpad: second.map(([signal]) => signal ?? 0) }),
    ...(hasSecond &&
      second.some(([, ambient]) => ambient !== undefined) && {
        ambientKcpsPerSpad: second.map(([, ambient]) => ambient ?? 0),
      }),
  };
}
