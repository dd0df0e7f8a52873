import { createHash } from "node:crypto";
import { asPerson, type Person } from "../sample/roles.ts";

/** One line of the log as it is kept: `record` is the text that the hash is over. */
export interface ChainedRow {
  seq: number;
  recordId: string;
  record: string;
  previousHash: string;
  hash: string;
}

/** What a record says, read back from its text. */
export interface AuditEntry {
  id: string;
  at: string;
  who: Person | null;
  action: string;
  target: string | null;
  result: "done" | "refused" | "failed";
  from: string | null;
  before?: unknown;
  after?: unknown;
}

/** The hash before the first row. */
export const GENESIS: string = "0".repeat(64);

const MAX_TEXT = 200;
const MAX_STATE = 4000;

/**
 * A record as the canonical text that is kept and hashed: fields in a fixed order, texts and states bounded, nothing
 * PostgreSQL could not store. A state that is too long is kept as the beginning of its JSON.
 */
export function textOf(id: string, record: Record<string, unknown>): string {
  const who = asPerson(record.who);
  const result = record.result === "done" || record.result === "refused" ? record.result : "failed";
  const at = typeof record.at === "string" && !Number.isNaN(Date.parse(record.at)) ? new Date(record.at) : new Date();
  const entry: AuditEntry = {
    id,
    at: at.toISOString(),
    who: who ? { name: bounded(who.name) ?? "", role: who.role } : null,
    action: bounded(record.action) ?? "unknown",
    target: bounded(record.target),
    result,
    from: bounded(record.from),
    ...(record.before !== undefined && { before: boundedState(record.before) }),
    ...(record.after !== undefined && { after: boundedState(record.after) }),
  };
  return JSON.stringify(entry);
}

/** The hash of a row: SHA-256 of its number, the hash before and its text, one line each; hexadecimal. */
export function hashOf(seq: number, previousHash: string, record: string): string {
  return createHash("sha256").update(`${seq}\n${previousHash}\n${record}`).digest("hex");
}

/** Reads a kept text back. @throws SyntaxError or TypeError when it is none */
export function entryOf(record: string): AuditEntry {
  const value: unknown = JSON.parse(record);
  if (typeof value !== "object" || value === null || !("id" in value) || typeof value.id !== "string")
    throw new TypeError("not an audit record");
  return value as AuditEntry;
}

function bounded(value: unknown): string | null {
  return typeof value === "string" ? clean(value).slice(0, MAX_TEXT) : null;
}

function boundedState(value: unknown): unknown {
  let text: string;
  try {
    text = JSON.stringify(value) ?? "null";
  } catch {
    return "not JSON";
  }
  // U+0000 and lone surrogates are valid JSON escapes that jsonb refuses; the text stays readable to every client.
  const kept = clean(text.replace(/\\u0000|\\ud[89a-f][0-9a-f]{2}/gi, "\\ufffd"));
  if (kept.length > MAX_STATE) return `${kept.slice(0, MAX_STATE)}…`;
  return JSON.parse(kept);
}

/** What a terminal or the database would trip over is shown as such. */
function clean(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\ufffd").toWellFormed();
}
