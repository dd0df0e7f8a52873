/** The alarms that stand, and what happened to alarms: out of their records. */
import Type, { type Static } from "typebox";
import { makeCursor, readCursor } from "../cursor.ts";
import { Nullable, Time } from "../fields.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, type Route, route } from "../route.ts";
import { Cursor, Format, From, Limit, once, To } from "../samples.ts";
import { Conditions } from "../sql.ts";

const text = Nullable(Type.String());
const number = Nullable(Type.Number());
const AlarmEvent = Type.Object(
  {
    event_no: Type.String(),
    at: Time,
    alarm_id: Type.String(),
    code: Type.String({ description: "what happened: a rule's type, or a word of the flow's own" }),
    subject: text,
    priority: Type.Enum(["critical", "high", "medium", "low"]),
    event: Type.String({ description: "raised, cleared, acknowledged, shelved, …" }),
    state: Type.String({ description: "the state after ISA-18.2 that it left the alarm in" }),
    actor: text,
    reason: text,
    value: number,
    limit_value: number,
    unit: text,
    until: Nullable(Time),
  },
  { "x-component": "AlarmEvent" },
);
const COLUMNS = Object.keys(AlarmEvent.properties);
const SELECTED = COLUMNS.map((name) => (name === "event_no" ? "e.event_no::text AS event_no" : name)).join(", ");
const MOST_STANDING = 1000;

const HistoryQuery = Type.Object({
  code: Type.Optional(Type.String({ maxLength: 64 })),
  subject: Type.Optional(Type.String({ maxLength: 200, description: "e.g. a device" })),
  event: Type.Optional(Type.String({ maxLength: 32 })),
  actor: Type.Optional(Type.String({ maxLength: 200 })),
  from: From,
  to: To,
  limit: Limit(1000, 100),
  cursor: Cursor,
  format: Format,
});

async function eventRows({ query, siteId }: ApiContext, asked: Static<typeof HistoryQuery>) {
  const { code, subject, event, actor, from, to, limit, cursor } = asked;
  const conditions = new Conditions()
    .add("site_id = ?", siteId)
    .addIf(code, "code = ?")
    .addIf(subject, "subject = ?")
    .addIf(event, "event = ?")
    .addIf(actor, "actor = ?")
    .addIf(from, "at >= ?::timestamptz")
    .addIf(to, "at < ?::timestamptz");
  if (cursor !== undefined) {
    const [before = ""] = readCursor(cursor, 1);
    if (!/^\d{1,18}$/.test(before)) throw new Problem(400, "bad-cursor", "cursor: not one that this API gave out");
    conditions.add("e.event_no < ?::bigint", before);
  }
  const found = await query(
    `SELECT ${SELECTED} FROM alarm_events e ${conditions.where} ORDER BY e.event_no DESC LIMIT ${limit + 1}`,
    conditions.values,
    limit + 1,
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last ? makeCursor([String(last.event_no)]) : null };
}

export const ALARM_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/alarms",
    operationId: "listAlarms",
    tag: "alarms",
    summary: "Alarms that are not normal, each with the last thing that happened to it",
    description: "From the records in the database; while it is away the page /dashboard/alarms knows more.",
    response: Type.Object({ alarms: Type.Array(AlarmEvent) }),
    async handle({ query, siteId }) {
      const rows = await query(
        `SELECT * FROM (SELECT DISTINCT ON (alarm_id) ${SELECTED} FROM alarm_events e WHERE site_id = $1
           ORDER BY alarm_id, e.event_no DESC) newest
         WHERE state <> 'normal' ORDER BY at DESC, alarm_id`,
        [siteId],
        MOST_STANDING,
      );
      return { alarms: rows as never };
    },
  }),
  route({
    method: "get",
    path: "/alarms/history",
    operationId: "listAlarmEvents",
    tag: "alarms",
    summary: "What happened to alarms and who did it, newest first",
    query: HistoryQuery,
    response: Type.Object({ events: Type.Array(AlarmEvent), next: text }),
    async handle(context, { query }) {
      const { rows, next } = await eventRows(context, query);
      return { events: rows as never, next };
    },
    csv: (context, { query }) => ({
      columns: COLUMNS,
      name: "alarms",
      rows: once(eventRows(context, query).then(({ rows }) => rows)),
    }),
  }),
];
