import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { CodedError } from "../host/errors.ts";
import { isId } from "../sample/ids.ts";

/** Longest way back a record may reach, and ahead, ms. */
export const MAX_BACK_MS = 31 * 86_400_000;
export const MAX_AHEAD_MS = 86_400_000;

const Name = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" });
const Nullable = (maxLength: number) => Type.Union([Name(maxLength), Type.Null()]);

/** What the API takes and the page's action carries, without the line. */
export const AssignmentBody = Type.Object(
  {
    lot: Nullable(100),
    breeder: Nullable(200),
    provenance: Type.Optional(Name(200)),
    from: Type.Optional(Type.String({ format: "date-time", description: "from when; now, where it is absent" })),
    supersedes: Type.Optional(
      Type.String({ pattern: "^[1-9][0-9]{0,17}$", description: "the record of this line that this one corrects" }),
    ),
    reason: Type.Optional(Name(500)),
  },
  { additionalProperties: false },
);
const Action = Compile(
  Type.Object({ action: Type.Literal("lot.set"), line: Type.String(), ...AssignmentBody.properties }),
);

/** A record before it is written. */
export interface AssignmentDraft extends Omit<Static<typeof AssignmentBody>, "from"> {
  line: string;
  from: string;
  madeBy: string;
}

/** Whether a message's payload is meant for the records of lot and breeder, right or wrong. */
export function isLotAction(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "action" in payload && payload.action === "lot.set";
}

/**
 * A draft out of a page's action.
 * @throws CodedError `bad-action`, or of `checkDraft`
 */
export function draftOfAction(payload: unknown, madeBy: string, nowMs: number): AssignmentDraft {
  if (!Action.Check(payload)) {
    const [first] = Action.Errors(payload);
    throw new CodedError("bad-action", `lot.set: ${first?.instancePath ?? ""} ${first?.message ?? ""}`.trim());
  }
  const { action: _action, line, ...body } = payload;
  return checkDraft(line, body, madeBy, nowMs);
}

/**
 * A draft out of a body that fits `AssignmentBody`: trimmed, its time read.
 * @throws CodedError `bad-line`, `bad-time` (unreadable, or too far back or ahead), `bad-lot` (nothing but spaces)
 */
export function checkDraft(
  line: string,
  body: Static<typeof AssignmentBody>,
  madeBy: string,
  nowMs: number,
): AssignmentDraft {
  if (!isId(line)) throw new CodedError("bad-line", "the line is not an id");
  const fromMs = body.from === undefined ? nowMs : Date.parse(body.from);
  if (!(fromMs >= nowMs - MAX_BACK_MS && fromMs <= nowMs + MAX_AHEAD_MS))
    throw new CodedError("bad-time", "a record begins at most 31 days back and one day ahead");
  const { supersedes, reason, provenance } = body;
  return {
    line,
    lot: trimmed(body.lot),
    breeder: trimmed(body.breeder),
    from: new Date(fromMs).toISOString(),
    madeBy,
    ...(provenance !== undefined && { provenance: trimmed(provenance) ?? "" }),
    ...(supersedes !== undefined && { supersedes }),
    ...(reason !== undefined && { reason: trimmed(reason) ?? "" }),
  };
}

function trimmed(text: string | null): string | null {
  const bare = text?.trim();
  if (bare === "") throw new CodedError("bad-lot", "a name is empty");
  return bare ?? null;
}
