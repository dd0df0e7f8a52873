/**
 * JSON text that `jsonb` takes: NUL characters and lone surrogates, which PostgreSQL refuses, become U+FFFD; numbers
 * that are not finite become null. Null and undefined give null (an SQL null, not a JSON one).
 */
export function jsonText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value);
  if (text === undefined) return null;
  return SUSPECT.test(text) ? JSON.stringify(value, (_key, inner: unknown) => cleaned(inner)) : text;
}

/** Text that a `text` column takes, at most `maxLength` characters; of anything (messages come from flows that people edit). */
export function plainText(value: unknown, maxLength = 10_000): string {
  return clean(String(value).slice(0, maxLength));
}

const SUSPECT = /\\u(0000|d[89a-f])/i;

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), inner]));
}

const clean = (text: string) => text.replace(/\0|\p{Surrogate}/gu, "\ufffd");
