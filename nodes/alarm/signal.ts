import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { ALARM_UNITS, PRIORITIES } from "./page.ts";

/** One of a few words, as a schema. */
export const oneOf = <const T extends string>(names: readonly T[]) =>
  Type.Unsafe<T>(Type.Union(names.map((name) => Type.Literal(name))));

const Word = Type.String({ pattern: "^[a-z][a-z0-9-]{0,63}$" });
/** What a rule, or a node of the engineer's own, tells the alarm list. */
const SignalSchema = Type.Object({
  event: oneOf(["alarm-raise", "alarm-clear", "alarm-suppress", "alarm-unsuppress"]),
  code: Word,
  subject: Type.Optional(Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f:]{1,64}$" })),
  priority: Type.Optional(oneOf(PRIORITIES)),
  value: Type.Optional(Type.Number()),
  limit: Type.Optional(Type.Number()),
  unit: Type.Optional(oneOf(ALARM_UNITS)),
  /** While an alarm of this code stands, this one is its consequence and is suppressed by design. */
  suppressedBy: Type.Optional(Word),
});
export type Signal = Static<typeof SignalSchema>;

const Check = Compile(SignalSchema);

/** The signal in a payload; undefined for anything else. */
export function signalOf(payload: unknown): Signal | undefined {
  return Check.Check(payload) ? payload : undefined;
}

/** An alarm's name: its code, with what it is about. */
export function alarmId({ code, subject }: Pick<Signal, "code" | "subject">): string {
  return subject === undefined ? code : `${code}:${subject}`;
}
