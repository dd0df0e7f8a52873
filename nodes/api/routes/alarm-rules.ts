/** The rules that raise alarms, and the limits people set for them while the line runs. */
import Type from "typebox";
import { LimitBody } from "../../alarm/action.ts";
import { ALARM_UNITS, PRIORITIES, RULE_TYPES, type RuleView } from "../../alarm/page.ts";
import { oneOf } from "../../alarm/signal.ts";
import { Nullable, Time } from "../fields.ts";
import { type ApiContext, type ApiRequest, type Route, route } from "../route.ts";

const AlarmRule = Type.Object(
  {
    rule: oneOf(RULE_TYPES),
    priority: oneOf(PRIORITIES),
    unit: oneOf(ALARM_UNITS),
    limit_value: Type.Number({ description: "in force now" }),
    flow_limit_value: Type.Number({ description: "of the flow; in force until somebody sets another" }),
    min: Type.Number(),
    max: Type.Number(),
    set_by: Nullable(Type.String()),
    set_at: Nullable(Time),
  },
  { "x-component": "AlarmRule" },
);
const params = Type.Object({ rule: oneOf(RULE_TYPES) });

function answerOf({ rule, priority, unit, limit, flowLimit, min, max, by, atMs }: RuleView) {
  return {
    rule,
    priority,
    unit,
    limit_value: limit,
    flow_limit_value: flowLimit,
    min,
    max,
    set_by: by ?? null,
    set_at: atMs === undefined ? null : new Date(atMs).toISOString(),
  };
}

async function setLimit(
  { alarms }: ApiContext,
  request: ApiRequest<unknown, { rule: RuleView["rule"] }, unknown>,
  limit: number | null,
) {
  const { before, after, rule } = await alarms.setLimit(request.params.rule, limit, request.person);
  request.change = { before, after };
  return answerOf(rule);
}

export const ALARM_RULE_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/alarms/rules",
    operationId: "listAlarmRules",
    tag: "alarms",
    summary: "Rules of the flow, each with the limit in force",
    response: Type.Object({ rules: Type.Array(AlarmRule) }),
    handle: async ({ alarms }) => ({ rules: (await alarms.rules()).map(answerOf) }),
  }),
  route({
    method: "put",
    path: "/alarms/rules/{rule}/limit",
    operationId: "setAlarmLimit",
    tag: "alarms",
    action: "alarm.limit",
    summary: "Sets a rule's limit for the running line",
    description: "It outlasts restarts and deploys until it is taken back. 404 where the flow has no such rule.",
    params,
    body: LimitBody,
    response: AlarmRule,
    problems: [404],
    handle: (context, request) => setLimit(context, request, request.body.limit),
  }),
  route({
    method: "delete",
    path: "/alarms/rules/{rule}/limit",
    operationId: "resetAlarmLimit",
    tag: "alarms",
    action: "alarm.limit",
    summary: "Goes back to the flow's own limit",
    params,
    response: AlarmRule,
    problems: [404],
    handle: (context, request) => setLimit(context, request, null),
  }),
];
