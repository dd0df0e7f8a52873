/** What people do to alarms: acknowledge, shelve, take out of service. The list itself is the process's (`nodes/alarm`). */
import Type from "typebox";
import { AlarmName, OutOfServiceBody, ShelfBody } from "../../alarm/action.ts";
import { ALARM_STATES, ALARM_UNITS, type AlarmDeed, type AlarmView, PRIORITIES } from "../../alarm/page.ts";
import { oneOf } from "../../alarm/signal.ts";
import { Nullable, Time } from "../fields.ts";
import { type ApiRequest, type Route, route } from "../route.ts";

const text = Nullable(Type.String());
const number = Nullable(Type.Number());
const Alarm = Type.Object(
  {
    alarm_id: AlarmName,
    code: Type.String({ description: "what happened: a rule's type, or a word of the flow's own" }),
    subject: text,
    priority: oneOf(PRIORITIES),
    state: oneOf(ALARM_STATES),
    active: Type.Boolean({ description: "whether the cause is there now, whatever the state" }),
    since: Time,
    value: number,
    limit_value: number,
    unit: Nullable(oneOf(ALARM_UNITS)),
    acknowledged_by: text,
    hold: Nullable(
      Type.Object({
        kind: oneOf(["shelved", "out-of-service"]),
        by: Type.String(),
        reason: Type.String(),
        at: Time,
        until: Nullable(Time),
      }),
    ),
  },
  { "x-component": "Alarm" },
);
const params = Type.Object({ alarm: AlarmName });
const timeOf = (ms: number): string => new Date(ms).toISOString();

function answerOf(view: AlarmView) {
  const { hold } = view;
  return {
    alarm_id: view.id,
    code: view.code,
    subject: view.subject ?? null,
    priority: view.priority,
    state: view.state,
    active: view.active,
    since: timeOf(view.sinceMs),
    value: view.value ?? null,
    limit_value: view.limit ?? null,
    unit: view.unit ?? null,
    acknowledged_by: view.ackedBy ?? null,
    hold: hold
      ? {
          kind: hold.kind,
          by: hold.by,
          reason: hold.reason,
          at: timeOf(hold.atMs),
          until: hold.untilMs === undefined ? null : timeOf(hold.untilMs),
        }
      : null,
  };
}

/** One operation on one alarm; its answer is the alarm as it is then. */
function deedRoute<B extends typeof ShelfBody | typeof OutOfServiceBody>(
  definition: Pick<Route, "method" | "operationId" | "summary" | "action"> & {
    path: string;
    description?: string;
    body?: B;
    deed: (id: string, body: ApiRequest<unknown, unknown, Type.Static<B>>["body"]) => AlarmDeed;
  },
): Route {
  const { deed, path, ...rest } = definition;
  return route({
    ...rest,
    path: `/alarms/{alarm}${path}`,
    tag: "alarms",
    params,
    response: Alarm,
    problems: [404, 409],
    handle: async ({ alarms }, { params: { alarm }, body, person }) =>
      answerOf(await alarms.perform(deed(alarm, body as Type.Static<B>), person)),
  });
}

export const ALARM_DEED_ROUTES: readonly Route[] = [
  deedRoute({
    method: "post",
    path: "/acknowledge",
    operationId: "acknowledgeAlarm",
    action: "alarm.ack",
    summary: "Says that somebody has seen an alarm",
    description: "409 `alarm-nothing-to-acknowledge` where it has been acknowledged already.",
    deed: (id) => ({ action: "alarm.ack", id }),
  }),
  deedRoute({
    method: "put",
    path: "/shelf",
    operationId: "shelveAlarm",
    action: "alarm.shelve",
    summary: "Shelves an alarm for a time, with a reason",
    description: "It is not shown meanwhile. One that is shelved gets the new time and reason.",
    body: ShelfBody,
    deed: (id, { minutes, reason }: Type.Static<typeof ShelfBody>) => ({ action: "alarm.shelve", id, minutes, reason }),
  }),
  deedRoute({
    method: "delete",
    path: "/shelf",
    operationId: "unshelveAlarm",
    action: "alarm.unshelve",
    summary: "Ends a shelf before its time",
    description: "While its cause is there the alarm is to be acknowledged anew.",
    deed: (id) => ({ action: "alarm.unshelve", id }),
  }),
  deedRoute({
    method: "put",
    path: "/out-of-service",
    operationId: "takeAlarmOutOfService",
    action: "alarm.service",
    summary: "Takes an alarm out of service, with a reason, until somebody puts it back",
    body: OutOfServiceBody,
    deed: (id, { reason }: Type.Static<typeof OutOfServiceBody>) => ({
      action: "alarm.service",
      id,
      out: true,
      reason,
    }),
  }),
  deedRoute({
    method: "delete",
    path: "/out-of-service",
    operationId: "putAlarmInService",
    action: "alarm.service",
    summary: "Puts an alarm back into service",
    deed: (id) => ({ action: "alarm.service", id, out: false, reason: "" }),
  }),
];
