import { wallMs } from "@foieflow/node-red-foieflow/report/wall-date.js";

/**
 * When a day of the plant's calendar begins.
 * @param day `YYYY-MM-DD`
 * @param timeZone IANA; undefined: the screen's own
 * @param later days after it
 * @returns ISO 8601 UTC
 */
export function dayStart(day: string, timeZone: string | undefined, later = 0): string {
  const wanted = Date.parse(`${day}T00:00:00Z`) + later * 86_400_000;
  let at = wanted;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  for (let i = 0; i < 2; i++) at = wanted - (wallMs(at, timeZone) - at);
  return new Date(at).toISOString();
}
