/** What a line of the log may hold besides its text; small, flat, nothing secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** From the gravest on; a level lets everything before it through. */
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A longer message is cut: one mistake must not fill the log. */
const LONGEST_MESSAGE = 8_000;

/** Whether a message of `level` belongs into a log kept at `least`. */
export function isLogged(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(least);
}

/** Secrets by the form they have where they are shown by accident: in addresses, headers and assignments. */
const PATTERNS: readonly [RegExp, string][] = [
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, "$1:***@"],
  [/([?&](?:token|access_token|password|passwd)=)[^&\s"']+/gi, "$1***"],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 ***"],
  [/\b(password|passwd|token|secret)(["']?\s*[:=]\s*["']?)[^\s"',}]{4,}/gi, "$1$2***"],
];

/**
 * Takes secrets out of a text.
 * @param known values that are secret wherever they stand; those under 6 characters are not looked for
 */
export function withoutSecrets(text: string, known: Iterable<string> = []): string {
  let clean = text;
  for (const value of known) if (value.length >= 6) clean = clean.replaceAll(value, "***");
  for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
  return clean;
}

/** Text of anything that is logged; an error by its message, with its stack where it is asked for. */
export function textOf(value: unknown, stack = false): string {
  let text: string;
  if (value instanceof Error) text = stack && value.stack ? value.stack : value.message || value.name;
  else if (typeof value === "string") text = value;
  else if (typeof value === "object" && value !== null && "message" in value && typeof value.message === "string")
    text = value.message;
  else {
    try {
      text = JSON.stringify(value) ?? String(value);
    } catch {
      text = String(value);
    }
  }
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}… (cut)` : text;
}

/** One line of the log: JSON with `time`, `level`, `component`, `message` first, then the fields that are there. */
export function logLine(at: Date, level: LogLevel, component: string, message: string, fields: LogFields = {}): string {
  return JSON.stringify({ time: at.toISOString(), level, component, message, ...fields });
}
