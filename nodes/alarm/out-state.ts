import { type AlarmRecord, type AlarmView, PRIORITIES, type Priority } from "./page.ts";

/** The state of an alarm as other systems are told of it. Times are UTC, ISO 8601. */
export interface AlarmMessage {
  alarm: string;
  site: string;
  code: string;
  subject?: string;
  priority: Priority;
  state: AlarmRecord["state"];
  /** What brought it into this state, where that was seen happen. */
  event?: AlarmRecord["event"];
  at: string;
  by?: string;
  reason?: string;
  value?: number;
  limit?: number;
  unit?: string;
  /** When a shelf ends by itself. */
  until?: string;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** What a change makes of an alarm. */
export function messageOfRecord(site: string, record: AlarmRecord): AlarmMessage {
  const { alarmId, recordId: _, untilMs, ...rest } = record;
  return { alarm: alarmId, site, ...rest, ...(untilMs !== undefined && { until: timeOf(untilMs) }) };
}

/** An alarm as it is known, when no change was seen. */
export function messageOfView(site: string, view: AlarmView): AlarmMessage {
  const { id, code, subject, priority, state, sinceMs, value, limit, unit, hold, ackedBy } = view;
  const by = hold?.by ?? ackedBy;
  return {
    alarm: id,
    site,
    code,
    ...(subject !== undefined && { subject }),
    priority,
    state,
    at: timeOf(hold?.atMs ?? sinceMs),
    ...(by !== undefined && { by }),
    ...(hold && { reason: hold.reason }),
    ...(value !== undefined && { value }),
    ...(limit !== undefined && { limit }),
    ...(unit !== undefined && { unit }),
    ...(hold?.untilMs !== undefined && { until: timeOf(hold.untilMs) }),
  };
}

/** Whether a priority is at least as bad as another. */
export function isAtLeast(priority: Priority, least: Priority): boolean {
  return PRIORITIES.indexOf(priority) <= PRIORITIES.indexOf(least);
}

/** The priority a node is set to, from what its dialog holds. */
export function leastPriority(value: unknown, fallback: Priority): Priority {
  return PRIORITIES.find((one) => one === value) ?? fallback;
}
