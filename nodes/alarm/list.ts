import { randomUUID } from "node:crypto";
import { CodedError } from "../host/errors.ts";
import { type Input, isHidden, NORMAL, next, type Standing, stateOf } from "./machine.ts";
import {
  type AlarmRecord,
  type AlarmSummary,
  type AlarmUnit,
  type AlarmView,
  type Hold,
  MAX_SHELF_MINUTES,
  PRIORITIES,
  type Priority,
  type RateView,
  type RecordEvent,
  STALE_MS,
} from "./page.ts";
import { AlarmRate, type Annunciation } from "./rate.ts";
import { alarmId, type Signal } from "./signal.ts";

const MAX_ALARMS = 500;
const HISTORY = 200;
const MINUTE_MS = 60_000;

/** The wall clock for people, the monotonic one for durations; both ms. */
export interface Now {
  ms: number;
  monoMs: number;
}

/** An alarm as it is kept over a restart. */
export interface SavedAlarm {
  id: string;
  code: string;
  subject?: string;
  priority: Priority;
  standing: Standing;
  sinceMs: number;
  value?: number;
  limit?: number;
  unit?: AlarmUnit;
  suppressedBy?: string;
  /** Suppressed by a message of the flow, apart from `suppressedBy`. */
  told?: boolean;
  order?: number;
  ackedBy?: string;
}

/** A record, with the alarm as it left it. */
export interface FreshRecord {
  record: AlarmRecord;
  alarm: SavedAlarm;
}

export interface SavedList {
  alarms: SavedAlarm[];
  history: AlarmRecord[];
  annunciations: Annunciation[];
}

/**
 * The alarms of a site: what stands, what is hidden and why, in the order in which it came. Pure: the caller brings the
 * clocks. At most 500 alarms; of those only normal ones are ever forgotten.
 */
export class AlarmList {
  readonly #alarms = new Map<string, SavedAlarm>();
  /** When a shelf ends, monotonic: a wall clock that is set does not lengthen it. */
  readonly #shelfEndsMs = new Map<string, number>();
  readonly #rate = new AlarmRate();
  #history: AlarmRecord[] = [];
  #fresh: FreshRecord[] = [];
  #order = 0;

  /**
   * Takes what a rule says. Raising what stands already only brings its value up to date.
   * @throws CodedError `alarm-list-full`
   */
  signal(signal: Signal, now: Now): void {
    const id = alarmId(signal);
    const known = this.#alarms.get(id);
    if (!known && signal.event !== "alarm-raise" && signal.event !== "alarm-suppress") return;
    const alarm = known ?? this.#add(id, signal, now);
    for (const key of ["value", "limit", "unit", "priority"] as const)
      if (signal[key] !== undefined) Object.assign(alarm, { [key]: signal[key] });
    const cause = signal.suppressedBy;
    if (cause !== undefined && !this.#follows(cause, alarm.code)) alarm.suppressedBy = cause;
    if (signal.event === "alarm-suppress") alarm.told = true;
    if (signal.event === "alarm-unsuppress") delete alarm.told;
    // What suppresses it counts before it is raised: it must not show for a moment.
    this.#suppress(alarm, now);
    if (signal.event === "alarm-raise") this.#apply(alarm, { kind: "raise" }, "raised", now);
    if (signal.event === "alarm-clear") this.#apply(alarm, { kind: "clear" }, "cleared", now);
    for (const other of this.#alarms.values()) if (other.suppressedBy === alarm.code) this.#suppress(other, now);
  }

  /** @throws CodedError `alarm-unknown`, `alarm-nothing-to-acknowledge` */
  acknowledge(id: string, by: string, now: Now): void {
    const alarm = this.#find(id);
    this.#apply(alarm, { kind: "ack" }, "acknowledged", now, { by });
    alarm.ackedBy = by;
  }

  /** @throws CodedError `alarm-unknown`, `alarm-shelf-too-long`, `alarm-out-of-service` */
  shelve(id: string, minutes: number, reason: string, by: string, now: Now): void {
    if (!(minutes > 0 && minutes <= MAX_SHELF_MINUTES))
      throw new CodedError("alarm-shelf-too-long", `an alarm is shelved for at most ${MAX_SHELF_MINUTES} minutes`);
    const alarm = this.#find(id);
    const untilMs = now.ms + minutes * MINUTE_MS;
    const hold: Hold = { kind: "shelved", by, reason, atMs: now.ms, untilMs };
    this.#apply(alarm, { kind: "hold", hold }, "shelved", now, { by, reason, untilMs });
    this.#shelfEndsMs.set(id, now.monoMs + minutes * MINUTE_MS);
  }

  /** @throws CodedError `alarm-unknown`, `alarm-not-held` */
  unshelve(id: string, by: string, now: Now): void {
    const alarm = this.#find(id);
    if (alarm.standing.hold?.kind !== "shelved") throw new CodedError("alarm-not-held", "the alarm is not shelved");
    this.#shelfEndsMs.delete(id);
    this.#apply(alarm, { kind: "release" }, "unshelved", now, { by });
  }

  /**
   * Takes an alarm out of service, with a reason, until somebody puts it back.
   * @throws CodedError `alarm-unknown`, `alarm-not-held`, `alarm-no-reason`
   */
  service(id: string, out: boolean, reason: string, by: string, now: Now): void {
    const alarm = this.#find(id);
    if (out) {
      if (reason === "") throw new CodedError("alarm-no-reason", "out of service takes a reason");
      const hold: Hold = { kind: "out-of-service", by, reason, atMs: now.ms };
      this.#shelfEndsMs.delete(id);
      this.#apply(alarm, { kind: "hold", hold }, "out-of-service", now, { by, reason });
      return;
    }
    if (alarm.standing.hold?.kind !== "out-of-service")
      throw new CodedError("alarm-not-held", "the alarm is not out of service");
    this.#apply(alarm, { kind: "release" }, "in-service", now, { by });
  }

  /** Ends the shelves that are over. @returns whether one was */
  tick(now: Now): boolean {
    let any = false;
    for (const [id, endMs] of this.#shelfEndsMs) {
      if (now.monoMs < endMs) continue;
      this.#shelfEndsMs.delete(id);
      const alarm = this.#alarms.get(id);
      if (alarm?.standing.hold?.kind !== "shelved") continue;
      this.#apply(alarm, { kind: "release" }, "shelf-over", now);
      any = true;
    }
    return any;
  }

  /** All alarms that are not normal: worst first, then as they came. */
  views(): AlarmView[] {
    return [...this.#alarms.values()]
      .map((alarm) => viewOf(alarm))
      .filter(({ state }) => state !== "normal")
      .sort((a, b) => place(a) - place(b) || (a.order ?? 0) - (b.order ?? 0) || a.sinceMs - b.sinceMs);
  }

  /** Every alarm that is known, also the normal ones. */
  all(): AlarmView[] {
    return [...this.#alarms.values()].map((alarm) => viewOf(alarm));
  }

  /** One alarm as it is now, also when it is normal. @throws CodedError `alarm-unknown` */
  view(id: string): AlarmView {
    return viewOf(this.#find(id));
  }

  summary(): AlarmSummary {
    const shown = this.views().filter(({ state }) => place({ state, priority: "critical" }) < HIDDEN);
    const unacknowledged = shown.filter(({ state }) => state !== "acknowledged").length;
    const [worst] = shown;
    return {
      active: shown.filter(({ active }) => active).length,
      unacknowledged,
      ...(worst && {
        worst: {
          code: worst.code,
          priority: worst.priority,
          state: worst.state,
          sinceMs: worst.sinceMs,
          ...(worst.subject !== undefined && { subject: worst.subject }),
        },
      }),
    };
  }

  rate(nowMs: number, positions: number): RateView {
    const stale = this.views().filter(
      ({ active, state, sinceMs }) => active && shows(state) && nowMs - sinceMs > STALE_MS,
    );
    return { ...this.#rate.figures(nowMs, positions), stale: stale.length };
  }

  /** The last records, newest first. */
  history(): AlarmRecord[] {
    return [...this.#history].reverse();
  }

  /** Records made since the last call. */
  takeRecords(): FreshRecord[] {
    return this.#fresh.splice(0);
  }

  saved(): SavedList {
    return { alarms: [...this.#alarms.values()], history: this.#history, annunciations: this.#rate.saved() };
  }

  /** Puts back what was kept; alarms known already stay as they are. */
  restore({ alarms, history, annunciations }: SavedList, now: Now): void {
    for (const alarm of alarms.slice(0, MAX_ALARMS)) {
      if (this.#alarms.has(alarm.id)) continue;
      this.#alarms.set(alarm.id, { ...alarm });
      this.#order = Math.max(this.#order, alarm.order ?? 0);
      const { hold } = alarm.standing;
      if (hold?.kind !== "shelved") continue;
      // The remainder by the wall clock, but never more than a shelf may last.
      const leftMs = Math.min((hold.untilMs ?? 0) - now.ms, MAX_SHELF_MINUTES * MINUTE_MS);
      this.#shelfEndsMs.set(alarm.id, now.monoMs + Math.max(0, leftMs));
    }
    this.#history = [...history, ...this.#history].slice(-HISTORY);
    this.#rate.restore([...annunciations, ...this.#rate.saved()]);
  }

  #find(id: string): SavedAlarm {
    const alarm = this.#alarms.get(id);
    if (!alarm) throw new CodedError("alarm-unknown", `there is no alarm ${id.slice(0, 80)}`);
    return alarm;
  }

  #add(id: string, signal: Signal, now: Now): SavedAlarm {
    if (this.#alarms.size >= MAX_ALARMS) {
      const normal = [...this.#alarms.values()].find(({ standing }) => stateOf(standing) === "normal");
      if (!normal) throw new CodedError("alarm-list-full", `more than ${MAX_ALARMS} alarms stand`);
      this.#alarms.delete(normal.id);
    }
    const alarm: SavedAlarm = {
      id,
      code: signal.code,
      ...(signal.subject !== undefined && { subject: signal.subject }),
      priority: signal.priority ?? "medium",
      standing: NORMAL,
      sinceMs: now.ms,
    };
    this.#alarms.set(id, alarm);
    return alarm;
  }

  /** Whether `code` is a consequence of `of`, or the same: two that suppress each other would both be hidden. */
  #follows(code: string, of: string, seen = new Set<string>()): boolean {
    if (code === of) return true;
    if (seen.has(code)) return false;
    seen.add(code);
    return [...this.#alarms.values()].some(
      (alarm) => alarm.code === code && alarm.suppressedBy !== undefined && this.#follows(alarm.suppressedBy, of, seen),
    );
  }

  #suppress(alarm: SavedAlarm, now: Now): void {
    const cause = alarm.suppressedBy;
    const byCause = [...this.#alarms.values()].some(
      (other) => other !== alarm && other.code === cause && other.standing.active,
    );
    const wanted = alarm.told === true || byCause;
    if (wanted === alarm.standing.suppressed) return;
    this.#apply(alarm, { kind: wanted ? "suppress" : "unsuppress" }, wanted ? "suppressed" : "unsuppressed", now);
  }

  #apply(
    alarm: SavedAlarm,
    input: Input,
    event: RecordEvent,
    now: Now,
    about: Pick<AlarmRecord, "by" | "reason" | "untilMs"> = {},
  ): void {
    const before = alarm.standing;
    const after = next(before, input);
    if (after === before) return;
    alarm.standing = after;
    if (after.active && !before.active) alarm.sinceMs = now.ms;
    if (!after.acked && (before.acked || (after.active && !before.active))) this.#annunciate(alarm, now);
    if (after.acked && !isHidden(after) && !after.active) delete alarm.order;
    this.#record(alarm, event, now, about);
  }

  #annunciate(alarm: SavedAlarm, now: Now): void {
    const calm = [...this.#alarms.values()].every((other) => other === alarm || other.standing.acked);
    this.#order = calm ? 1 : this.#order + 1;
    alarm.order = this.#order;
    delete alarm.ackedBy;
    this.#rate.note({ atMs: now.ms, id: alarm.id, priority: alarm.priority });
  }

  #record(alarm: SavedAlarm, event: RecordEvent, now: Now, about: Partial<AlarmRecord>): void {
    const { id, code, subject, priority, standing, value, limit, unit } = alarm;
    const record: AlarmRecord = {
      recordId: randomUUID(),
      at: new Date(now.ms).toISOString(),
      alarmId: id,
      code,
      ...(subject !== undefined && { subject }),
      priority,
      event,
      state: stateOf(standing),
      ...about,
      ...(value !== undefined && { value }),
      ...(limit !== undefined && { limit }),
      ...(unit !== undefined && { unit }),
    };
    this.#history.push(record);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#fresh.push({ record, alarm: { ...alarm } });
  }
}

const STATE_PLACE = {
  unacknowledged: 0,
  returned: 1,
  acknowledged: 2,
  shelved: 3,
  suppressed: 4,
  "out-of-service": 5,
  normal: 6,
};
const HIDDEN = 3 * PRIORITIES.length;

function shows(state: AlarmView["state"]): boolean {
  return place({ state, priority: "critical" }) < HIDDEN;
}

function place({ state, priority }: Pick<AlarmView, "state" | "priority">): number {
  return STATE_PLACE[state] * PRIORITIES.length + PRIORITIES.indexOf(priority);
}

function viewOf({ standing, suppressedBy: _, told: __, ...alarm }: SavedAlarm): AlarmView {
  const { active, hold } = standing;
  return { ...alarm, state: stateOf(standing), active, ...(hold && { hold }) };
}
