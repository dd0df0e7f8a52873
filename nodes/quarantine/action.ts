import { CodedError } from "../host/errors.ts";
import type { QuarantineAction } from "./page.ts";

const REQUEST = /^[A-Za-z0-9-]{1,40}$/;
const ID = /^[0-9]{1,18}$/;
const REASON_LENGTH = 200;
export const NOTE_LENGTH = 500;

/** Whether a payload is meant as an action of this page. */
export function looksLikeAction(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "action" in payload;
}

/**
 * Reads what the page sent.
 * @throws CodedError `quarantine-bad-action`, `quarantine-no-note`
 */
export function parseAction(payload: unknown): QuarantineAction {
  const text = (key: string): unknown =>
    typeof payload === "object" && payload !== null ? Reflect.get(payload, key) : undefined;
  const action = text("action");
  const request = matching(text("request"), REQUEST, "request");
  switch (action) {
    case "quarantine.list": {
      const from = text("from");
      const reason = reasonIn(text("reason"));
      const done = text("done") === true;
      return { action, request, reason, done, ...(from !== undefined && { from: matching(from, ID, "from") }) };
    }
    case "quarantine.look":
    case "quarantine.retry":
      return { action, request, id: matching(text("id"), ID, "id") };
    case "quarantine.retry-all":
      return { action, request, reason: reasonIn(text("reason")) };
    case "quarantine.discard":
      return { action, request, id: matching(text("id"), ID, "id"), note: noteIn(text("note")) };
    case "quarantine.discard-all":
      return { action, request, reason: reasonIn(text("reason")), note: noteIn(text("note")) };
    case "quarantine.stop":
      return { action, request };
    default:
      throw new CodedError("quarantine-bad-action", `no such action: ${String(action).slice(0, 40)}`);
  }
}

function matching(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new CodedError("quarantine-bad-action", `${name} is missing or malformed`);
}

/** A reason as it stands in a record: any short text. */
export function reasonIn(value: unknown): string {
  if (typeof value === "string" && value !== "" && value.length <= REASON_LENGTH) return value;
  throw new CodedError("quarantine-bad-action", "reason is missing or too long");
}

function noteIn(value: unknown): string {
  const note = typeof value === "string" ? value.trim() : "";
  if (note === "") throw new CodedError("quarantine-no-note", "a record is closed with a note only");
  return note.slice(0, NOTE_LENGTH);
}
