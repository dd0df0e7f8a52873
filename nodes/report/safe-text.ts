/**
 * A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe before it (as OWASP advises
 * against CSV injection).
 */
export function safeText(text: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}
