const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const key = timeZone ?? "";
  let clock = clocks.get(key);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-GB", {
      ...(timeZone !== undefined && { timeZone }),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    clocks.set(key, clock);
  }
  return clock;
}

/** What a clock in `timeZone` (IANA; undefined: the machine's) shows at a moment, as if it were UTC, ms. */
export function wallMs(ms: number, timeZone: string | undefined): number {
  const parts = clockOf(timeZone).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}

/** A moment as spreadsheets keep one: the plant's clock, without a zone. */
export const wallDate = (at: string, timeZone: string): Date => new Date(wallMs(Date.parse(at), timeZone));
