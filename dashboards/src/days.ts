/** What a clock in `timeZone` shows at a moment, as if it were UTC, ms. */
function wallMs(ms: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    ...(timeZone !== undefined && { timeZone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}

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
