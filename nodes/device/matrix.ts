import { CodedError } from "../host/errors.ts";
import type { TofFrame } from "../sample/sample.ts";
import type { Fields, Range } from "./fields.ts";
import { inRange, isIn } from "./fields.ts";
import type { Json } from "./json.ts";

const SIDE = 8;
const BINS: Range = [16, 256];

/** @returns the 8×8 matrix under `key`, row-major, or undefined when absent
 * @throws CodedError `bad-matrix` when it is not 8 rows of 8 numbers, `out-of-range` */
export function matrix8(fields: Fields, key: string, range: Range): number[] | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  const rows = rowsOf(value, fields.path(key));
  const flat: number[] = [];
  // Seven hundred numbers a sample: a place is put into words only where one is refused.
  for (let r = 0; r < SIDE; r += 1) {
    for (let c = 0; c < SIDE; c += 1) {
      const item = rows[r]?.[c];
      if (typeof item === "number" && isIn(item, range)) flat.push(item);
      else flat.push(numberIn(item, range, `${fields.path(key)}[${r}][${c}]`));
    }
  }
  return flat;
}

function numberIn(item: Json | undefined, range: Range, path: string): number {
  if (typeof item !== "number") throw new CodedError("bad-matrix", `${path} is not a number`);
  return inRange(item, range, path);
}

/** @returns the 8×8×bins histograms under `key`, or undefined when absent
 * @throws CodedError `bad-matrix`, `bad-histogram` when zones differ in length or hold other things than numbers ≥ 0 */
export function histogram8(fields: Fields, key: string, binWidthMm: number): TofFrame["histogram"] {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  const path = fields.path(key);
  const counts: number[][] = [];
  for (const item of rowsOf(value, path).flat()) {
    const bins = counts[0]?.length ?? (Array.isArray(item) ? item.length : 0);
    const where = `${path}[${Math.floor(counts.length / SIDE)}][${counts.length % SIDE}]`;
    if (!Array.isArray(item) || item.length !== bins || bins < BINS[0] || bins > BINS[1]) {
      throw new CodedError("bad-histogram", `${where} is not a list of ${BINS[0]}…${BINS[1]} bins, alike in all zones`);
    }
    counts.push(
      item.map((count) => {
        if (typeof count === "number" && count >= 0 && count <= 1e9) return count;
        throw new CodedError("bad-histogram", `${where} holds a bin that is not a count`);
      }),
    );
  }
  return { bins: counts[0]?.length ?? 0, binWidthMm, counts };
}

function rowsOf(value: Json, path: string): Json[][] {
  if (!Array.isArray(value) || value.length !== SIDE)
    throw new CodedError("bad-matrix", `${path} does not have 8 rows`);
  return value.map((row, index) => {
    if (Array.isArray(row) && row.length === SIDE) return row;
    throw new CodedError("bad-matrix", `${path}[${index}] does not have 8 columns`);
  });
}
