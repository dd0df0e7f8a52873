import { Problem } from "./problem.ts";

const MAX_LENGTH = 600;

/** Where a page ended: the ordering values of its last row, as opaque text. */
export function makeCursor(values: readonly string[]): string {
  return Buffer.from(JSON.stringify(values)).toString("base64url");
}

/** @throws Problem 400 `bad-cursor` */
export function readCursor(text: string, length: number): string[] {
  try {
    const values: unknown =
      text.length > MAX_LENGTH ? undefined : JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(values) && values.length === length && values.every((value) => typeof value === "string"))
      return values;
  } catch {
    // Answered below.
  }
  throw new Problem(400, "bad-cursor", "cursor: not one that this API gave out");
}

/** @throws Problem 400 `bad-cursor` */
export function readTimeCursor(text: string): [time: string, key: string] {
  const [time = "", key = ""] = readCursor(text, 2);
  if (Number.isNaN(Date.parse(time))) throw new Problem(400, "bad-cursor", "cursor: not one that this API gave out");
  return [time, key];
}
