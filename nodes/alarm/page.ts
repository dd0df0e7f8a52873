/** What the alarms' page and the banner show. Types and plain values only: the screens bundle this module. */

/** From worst to least. ISA-18.2 expects about 5 % high (with critical), 15 % medium, 80 % low. */
export const PRIORITIES = ["critical", "high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The states of ISA-18.2. `returned`: the cause is over and nobody has acknowledged it yet. */
export const ALARM_STATES = [
  "normal",
  "unacknowledged",
  "acknowledged",
  "returned",
  "shelved",
  "suppressed",
  "out-of-service",
] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

/** What a rule can watch. */
export const RULE_TYPES = [
  "device-silent",
  "saturation",
  "uncalibrated",
  "reject-rate",
  "drift-score",
  "drift-thickness",
  "backlog-age",
  "database-away",
  "disk-low",
  "inbox-refusing",
] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** Unit of a value and its limit. */
export const ALARM_UNITS = ["s", "%", "points", "mm", "MiB", "messages", ""] as const;
export type AlarmUnit = (typeof ALARM_UNITS)[number];

/** The longest an alarm may be shelved, minutes. */
export const MAX_SHELF_MINUTES = 480;
/** More annunciations than this within ten minutes are a flood (EEMUA 191, ISA-18.2). */
export const FLOOD_PER_10_MIN = 10;
/** Per day and operator position: very likely acceptable, and the most that can be managed. */
export const ACCEPTABLE_PER_DAY = 150;
export const MANAGEABLE_PER_DAY = 300;
/** An alarm that stands longer than this is stale, ms. */
export const STALE_MS = 86_400_000;

/** A person's decision not to be told of an alarm. */
export interface Hold {
  kind: "shelved" | "out-of-service";
  by: string;
  reason: string;
  atMs: number;
  /** When a shelf ends by itself; out of service has no end. */
  untilMs?: number;
}

export interface AlarmView {
  id: string;
  /** What happened: a rule's type, or a word of the flow's own. */
  code: string;
  /** What it is about (a device), where there are several of a kind. */
  subject?: string;
  priority: Priority;
  state: AlarmState;
  /** Whether the cause is there now, whatever the state. */
  active: boolean;
  /** Since when the cause is there or was last; ms since the epoch. */
  sinceMs: number;
  value?: number;
  limit?: number;
  unit?: AlarmUnit;
  /** Place in its group, 1 for the first out: alarms that came before everything was calm again. */
  order?: number;
  ackedBy?: string;
  hold?: Hold;
}

export const RECORD_EVENTS = [
  "raised",
  "cleared",
  "acknowledged",
  "shelved",
  "unshelved",
  "shelf-over",
  "suppressed",
  "unsuppressed",
  "out-of-service",
  "in-service",
] as const;
export type RecordEvent = (typeof RECORD_EVENTS)[number];

/** One thing that happened to an alarm. */
export interface AlarmRecord {
  recordId: string;
  /** ISO 8601 UTC. */
  at: string;
  alarmId: string;
  code: string;
  subject?: string;
  priority: Priority;
  event: RecordEvent;
  /** The state it left the alarm in. */
  state: AlarmState;
  by?: string;
  reason?: string;
  value?: number;
  limit?: number;
  unit?: AlarmUnit;
  untilMs?: number;
}

export interface RateView {
  /** Annunciations per operator position. */
  last10Min: number;
  lastHour: number;
  lastDay: number;
  /** Most in one ten-minute interval of the last day. */
  peak10Min: number;
  /** The last ten minutes are a flood; share of the day's intervals that were (0…1; the target is under 0.01). */
  flood: boolean;
  floodShare: number;
  /** Per ten minutes of the last day, oldest first. */
  intervals: number[];
  byPriority: Record<Priority, number>;
  /** The most frequent of the last day. */
  frequent: { id: string; count: number }[];
  /** Standing alarms older than a day. */
  stale: number;
  positions: number;
}

/** A rule in the flow, with the limit in force. */
export interface RuleView {
  rule: RuleType;
  limit: number;
  /** The limit of the flow, where a person has set another. */
  flowLimit: number;
  unit: AlarmUnit;
  priority: Priority;
  min: number;
  max: number;
  by?: string;
  atMs?: number;
}

/** The answer to an action of a page: `error` is a stable code. */
export interface ActionAnswer {
  request: string;
  ok: boolean;
  error?: string;
}

export interface AlarmsSection {
  section: "alarms";
  /** The site. */
  view: string;
  serverMs: number;
  timeZone: string;
  /** Whether records reach the database now; they wait on the disk meanwhile. */
  database: "ready" | "away";
  waitingRecords: number;
  /** Every alarm that is not normal, worst first. */
  alarms: AlarmView[];
  history: AlarmRecord[];
  rate: RateView;
  rules: RuleView[];
  answers: ActionAnswer[];
}

/** What the banner of every page needs. */
export interface AlarmSummary {
  /** Standing alarms that are shown, and those of them nobody has acknowledged (with the returned). */
  active: number;
  unacknowledged: number;
  /** The worst that nobody has acknowledged, else the worst that stands. */
  worst?: Pick<AlarmView, "code" | "subject" | "priority" | "state" | "sinceMs">;
}

/** What a person may do to an alarm. */
export type AlarmDeed =
  | { action: "alarm.ack"; id: string }
  | { action: "alarm.shelve"; id: string; minutes: number; reason: string }
  | { action: "alarm.unshelve"; id: string }
  | { action: "alarm.service"; id: string; out: boolean; reason: string };

export interface LimitChange {
  action: "alarm.limit";
  rule: RuleType;
  limit: number | null;
}

/** What a page asks; the answer carries its `request`. */
export type AlarmAction = { request: string } & (AlarmDeed | LimitChange);
