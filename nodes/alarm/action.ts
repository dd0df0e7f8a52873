import Type from "typebox";
import { Compile } from "typebox/compile";
import { CodedError } from "../host/errors.ts";
import { type AlarmAction, MAX_SHELF_MINUTES, RULE_TYPES } from "./page.ts";
import { oneOf } from "./signal.ts";

const request = Type.String({ pattern: "^[A-Za-z0-9-]{1,40}$" });
/** An alarm's name, `code` or `code:subject`. */
export const AlarmName = Type.String({ minLength: 1, maxLength: 140 });
const id = AlarmName;
const reason = Type.String({ minLength: 1, maxLength: 200, pattern: "\\S", description: "why, in words" });

/** How an alarm is shelved; the page and the API ask with the same. */
export const ShelfBody = Type.Object(
  {
    minutes: Type.Number({
      minimum: 1,
      maximum: MAX_SHELF_MINUTES,
      description: "the shelf ends by itself after so long",
    }),
    reason,
  },
  { additionalProperties: false },
);
/** How an alarm is taken out of service. */
export const OutOfServiceBody = Type.Object({ reason }, { additionalProperties: false });

/** How a rule's limit is set. */
export const LimitBody = Type.Object(
  { limit: Type.Number({ description: "in the rule's unit, within its `min` and `max`" }) },
  { additionalProperties: false },
);

const Action = Compile(
  Type.Union([
    Type.Object({ action: Type.Literal("alarm.ack"), request, id }),
    Type.Object({
      action: Type.Literal("alarm.shelve"),
      request,
      id,
      ...ShelfBody.properties,
    }),
    Type.Object({ action: Type.Literal("alarm.unshelve"), request, id }),
    Type.Object({
      action: Type.Literal("alarm.service"),
      request,
      id,
      out: Type.Boolean(),
      reason: Type.String({ maxLength: 200 }),
    }),
    Type.Object({
      action: Type.Literal("alarm.limit"),
      request,
      rule: oneOf(RULE_TYPES),
      limit: Type.Union([Type.Number(), Type.Null()]),
    }),
  ]),
);

/** Whether a payload is meant as an action of this page. */
export function looksLikeAction(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && "action" in payload;
}

/** Reads what the page sent. @throws CodedError `alarm-bad-action` */
export function parseAction(payload: unknown): AlarmAction {
  if (Action.Check(payload)) return payload;
  throw new CodedError("alarm-bad-action", "no such action, or a field of it is missing or out of range");
}
