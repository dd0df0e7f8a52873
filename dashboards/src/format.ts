import { language } from "./settings.ts";

const LOCALES = { fr: "fr-FR", en: "en-GB" } as const;
const numberFormats = new Map<string, Intl.NumberFormat>();
const timeFormats = new Map<string, Intl.DateTimeFormat>();

/** A number in the reader's language, with exactly `digits` decimals. */
export function formatNumber(value: number, digits = 0, options: Intl.NumberFormatOptions = {}): string {
  const locale = LOCALES[language.value];
  const key = `${locale} ${digits} ${JSON.stringify(options)}`;
  let format = numberFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      ...options,
    });
    numberFormats.set(key, format);
  }
  return format.format(value);
}

/** A number with its sign always shown, and a true minus. */
export function formatSigned(value: number, digits: number): string {
  return formatNumber(value, digits, { signDisplay: "exceptZero" }).replace("-", "−");
}

/** A moment on the plant's clock. */
export function formatTime(
  ms: number,
  timeZone: string | undefined,
  options: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit" },
): string {
  const locale = LOCALES[language.value];
  const key = `${locale} ${timeZone} ${JSON.stringify(options)}`;
  let format = timeFormats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, ...(timeZone && { timeZone }) });
    timeFormats.set(key, format);
  }
  return format.format(ms);
}

/** `3 s`, `4 min 05`, `2 h 10`: short enough for three metres. */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return language.value === "fr" ? `${Math.floor(hours / 24)} j` : `${Math.floor(hours / 24)} d`;
}

/** Bytes in the unit a person reads: `1,5 Mo`, `1.5 MB` (powers of ten). */
export function formatBytes(bytes: number): string {
  const units = language.value === "fr" ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${formatNumber(value, unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** Milliseconds, with a digit where it matters. */
export function formatMs(ms: number): string {
  return ms >= 10_000 ? `${formatNumber(ms / 1000, 1)} s` : `${formatNumber(ms, ms < 10 ? 1 : 0)} ms`;
}
