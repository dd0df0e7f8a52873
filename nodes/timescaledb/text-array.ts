/** An array parameter as text (PostgreSQL's manual, "Array Input and Output Syntax"): each element in quotes. */
export function textArray(cells: readonly (string | number | boolean | null)[]): string {
  return `{${cells.map((cell) => (cell === null ? "NULL" : `"${String(cell).replace(/["\\]/g, "\\$&")}"`)).join(",")}}`;
}
