import assert from "node:assert/strict";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { Gate, type GateSpec } from "./gate.ts";
import { AlarmList, type Now } from "./list.ts";
import { ALARM_STATES, type AlarmView, FLOOD_PER_10_MIN, MAX_SHELF_MINUTES } from "./page.ts";
import type { Signal } from "./signal.ts";

const HOUR_MS = 3_600_000;

class Clock {
  now: Now = { ms: Date.parse("2026-11-26T08:00:00Z"), monoMs: 0 };
  pass(ms: number): Now {
    this.now = { ms: this.now.ms + ms, monoMs: this.now.monoMs + ms };
    return this.now;
  }
}

const raise = (code: string, fields: Partial<Signal> = {}): Signal => ({ event: "alarm-raise", code, ...fields });
const clear = (code: string): Signal => ({ event: "alarm-clear", code });
const states = (list: AlarmList) => Object.fromEntries(list.views().map(({ id, state }) => [id, state]));

describe("the alarm list", () => {
  let list: AlarmList;
  let clock: Clock;
  beforeEach(() => {
    list = new AlarmList();
    clock = new Clock();
  });

  it("goes through the states of ISA-18.2, with the names of those who acted in the records", () => {
    list.signal(raise("disk-low", { value: 100, limit: 2048, unit: "MiB", priority: "high" }), clock.now);
    assert.deepEqual(states(list), { "disk-low": "unacknowledged" });
    list.acknowledge("disk-low", "Anne", clock.pass(1000));
    assert.deepEqual(states(list), { "disk-low": "acknowledged" });
    list.signal(clear("disk-low"), clock.pass(1000));
    assert.deepEqual(states(list), {});
    list.signal(raise("disk-low"), clock.pass(1000));
    list.signal(clear("disk-low"), clock.pass(1000));
    assert.deepEqual(states(list), { "disk-low": "returned" });
    list.acknowledge("disk-low", "Paul", clock.pass(1000));
    assert.deepEqual(states(list), {});
    const records = list.takeRecords().map(({ record: { event, state, by } }) => [event, state, by]);
    assert.deepEqual(records, [
      ["raised", "unacknowledged", undefined],
      ["acknowledged", "acknowledged", "Anne"],
      ["cleared", "normal", undefined],
      ["raised", "unacknowledged", undefined],
      ["cleared", "returned", undefined],
      ["acknowledged", "normal", "Paul"],
    ]);
    assert.throws(() => list.acknowledge("disk-low", "Paul", clock.now), { code: "alarm-nothing-to-acknowledge" });
    assert.throws(() => list.acknowledge("no-such", "Paul", clock.now), { code: "alarm-unknown" });
  });

  it("ends a shelf by itself, by the monotonic clock, and asks again for what still stands", () => {
    list.signal(raise("saturation", { subject: "dev-1" }), clock.now);
    list.shelve("saturation:dev-1", 30, "lamp on order", "Anne", clock.now);
    assert.equal(list.views()[0]?.hold?.by, "Anne");
    // The wall clock is set back by a day: the shelf is no longer for it.
    list.tick({ ms: clock.now.ms - 24 * HOUR_MS, monoMs: 30 * 60_000 - 1 });
    assert.deepEqual(states(list), { "saturation:dev-1": "shelved" });
    assert.ok(list.tick({ ms: clock.now.ms - 24 * HOUR_MS, monoMs: 30 * 60_000 }));
    assert.deepEqual(states(list), { "saturation:dev-1": "unacknowledged" });
    assert.throws(() => list.shelve("saturation:dev-1", MAX_SHELF_MINUTES + 1, "x", "Anne", clock.now), {
      code: "alarm-shelf-too-long",
    });
  });

  it("leaves an alarm out of service until somebody puts it back", () => {
    list.signal(raise("uncalibrated"), clock.now);
    list.service("uncalibrated", true, "sensor removed", "Eva", clock.now);
    assert.throws(() => list.shelve("uncalibrated", 5, "x", "Anne", clock.now), { code: "alarm-out-of-service" });
    list.signal(clear("uncalibrated"), clock.pass(HOUR_MS));
    list.tick(clock.pass(100 * HOUR_MS));
    assert.deepEqual(states(list), { uncalibrated: "out-of-service" });
    list.service("uncalibrated", false, "sensor back", "Eva", clock.now);
    assert.deepEqual(states(list), {});
  });

  it("suppresses by design what follows from another alarm, and shows it when that is over", () => {
    list.signal(raise("database-away"), clock.now);
    list.signal(raise("backlog-age", { suppressedBy: "database-away" }), clock.pass(1000));
    assert.deepEqual(states(list), { "database-away": "unacknowledged", "backlog-age": "suppressed" });
    assert.equal(list.summary().active, 1);
    list.signal(clear("database-away"), clock.pass(1000));
    assert.deepEqual(states(list), { "backlog-age": "unacknowledged", "database-away": "returned" });
    // And one that stood before its cause.
    list.signal(raise("database-away"), clock.pass(1000));
    assert.equal(states(list)["backlog-age"], "suppressed");
  });

  it("never hides two alarms behind each other", () => {
    list.signal(raise("a", { suppressedBy: "b" }), clock.now);
    list.signal(raise("b", { suppressedBy: "c" }), clock.now);
    list.signal(raise("c", { suppressedBy: "a" }), clock.now);
    assert.deepEqual(states(list), { a: "suppressed", b: "suppressed", c: "unacknowledged" });
  });

  it("keeps the order in which alarms of a group came: the first out is 1", () => {
    for (const code of ["b", "a", "c"]) list.signal(raise(code), clock.pass(10));
    assert.deepEqual(
      list.views().map(({ id, order }) => [id, order]),
      [
        ["b", 1],
        ["a", 2],
        ["c", 3],
      ],
    );
    for (const code of ["a", "b", "c"]) list.acknowledge(code, "Anne", clock.pass(10));
    list.signal(raise("d"), clock.pass(10));
    assert.equal(list.views()[0]?.order, 1);
  });

  it("counts annunciations per position and tells a flood", () => {
    for (let index = 0; index <= FLOOD_PER_10_MIN; index += 1)
      list.signal(raise("device-silent", { subject: `dev-${index}`, priority: "low" }), clock.pass(1000));
    const { ms } = clock.now;
    const alone = list.rate(ms, 1);
    assert.deepEqual(
      [alone.last10Min, alone.flood, alone.peak10Min],
      [FLOOD_PER_10_MIN + 1, true, FLOOD_PER_10_MIN + 1],
    );
    assert.equal(alone.byPriority.low, FLOOD_PER_10_MIN + 1);
    assert.equal(alone.floodShare, 1 / 144);
    assert.equal(list.rate(ms, 2).flood, false);
    const later = list.rate(ms + 11 * 60_000, 1);
    assert.deepEqual([later.last10Min, later.flood, later.lastHour], [0, false, FLOOD_PER_10_MIN + 1]);
    const nextDay = list.rate(ms + 25 * HOUR_MS, 1);
    assert.deepEqual([nextDay.lastDay, nextDay.stale], [0, FLOOD_PER_10_MIN + 1]);
  });

  it("is the same after a restart, with what is left of a shelf", () => {
    list.signal(raise("a"), clock.now);
    list.signal(raise("b"), clock.now);
    list.shelve("b", 60, "known", "Anne", clock.now);
    const saved = structuredClone(list.saved());
    const again = new AlarmList();
    // Another process: its monotonic clock begins anew. Forty minutes have passed.
    again.restore(saved, { ms: clock.now.ms + 40 * 60_000, monoMs: 5 });
    assert.deepEqual(again.views(), list.views());
    assert.deepEqual(again.history(), list.history());
    assert.equal(again.tick({ ms: 0, monoMs: 5 + 20 * 60_000 - 1 }), false);
    assert.ok(again.tick({ ms: 0, monoMs: 5 + 20 * 60_000 }));
  });

  it("refuses more alarms than it can keep, and forgets only normal ones", () => {
    for (let index = 0; index < 500; index += 1) list.signal(raise("a", { subject: `s${index}` }), clock.now);
    assert.throws(() => list.signal(raise("one-more"), clock.now), { code: "alarm-list-full" });
    list.signal({ ...clear("a"), subject: "s7" }, clock.now);
    list.acknowledge("a:s7", "Anne", clock.now);
    list.signal(raise("one-more"), clock.now);
    assert.equal(list.views().length, 500);
  });

  it("never comes to an impossible state, and shows every active alarm that is not hidden for a reason", () => {
    const code = fc.constantFrom("a", "b", "c");
    const input = fc.oneof(
      fc.record({
        kind: fc.constantFrom("alarm-raise", "alarm-clear", "alarm-suppress", "alarm-unsuppress"),
        code,
        by: fc.option(code, { nil: undefined }),
      }),
      fc.record({ kind: fc.constantFrom("ack", "shelve", "unshelve", "out", "in"), code }),
      fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 9 * HOUR_MS }) }),
      fc.record({ kind: fc.constant("restart" as const) }),
    );
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        let tested = new AlarmList();
        const time = new Clock();
        /** The causes as the rules told them, kept apart. */
        const causes = new Map<string, boolean>();
        for (const one of inputs) {
          try {
            const { now } = time;
            if (one.kind === "pass") tested.tick(time.pass(one.ms));
            else if (one.kind === "restart") {
              const saved = structuredClone(tested.saved());
              tested = new AlarmList();
              tested.restore(saved, now);
            } else if (one.kind === "ack") tested.acknowledge(one.code, "p", now);
            else if (one.kind === "shelve") tested.shelve(one.code, 60, "r", "p", now);
            else if (one.kind === "unshelve") tested.unshelve(one.code, "p", now);
            else if (one.kind === "out" || one.kind === "in")
              tested.service(one.code, one.kind === "out", "r", "p", now);
            else {
              const suppressedBy = "by" in one ? one.by : undefined;
              if (one.kind === "alarm-raise") causes.set(one.code, true);
              if (one.kind === "alarm-clear") causes.set(one.code, false);
              tested.signal({ event: one.kind, code: one.code, ...(suppressedBy && { suppressedBy }) }, now);
            }
          } catch (error) {
            assert.ok(error instanceof CodedError && error.code.startsWith("alarm-"), String(error));
          }
          check(tested, causes, time.now);
        }
      }),
      { numRuns: 400 },
    );
  });
});

function check(list: AlarmList, causes: ReadonlyMap<string, boolean>, now: Now): void {
  const views = new Map(list.views().map((view) => [view.id, view]));
  for (const [code, isThere] of causes) {
    if (isThere) assert.ok(views.get(code), `${code} is active and not in the list`);
    assert.equal(views.get(code)?.active ?? false, isThere, `${code} is told otherwise than its rule said`);
  }
  for (const view of views.values()) {
    assert.ok(ALARM_STATES.includes(view.state) && view.state !== "normal");
    assert.deepEqual(possible(view, now), [], `${view.id} is ${view.state}`);
  }
  const told = list
    .saved()
    .alarms.filter((alarm) => alarm.told)
    .map(({ id }) => id);
  for (const view of views.values())
    if (view.state === "suppressed" && !told.includes(view.id))
      assert.ok(
        [...views.values()].some((other) => other.active && other.id !== view.id && other.state !== "suppressed") ||
          told.some((id) => views.get(id)?.active),
        `${view.id} is suppressed and its cause nowhere to be seen`,
      );
  const { active, unacknowledged, worst } = list.summary();
  const shown = [...views.values()].filter(({ state }) => /^(un)?acknowledged$|^returned$/.test(state));
  assert.equal(active, shown.filter((view) => view.active).length);
  assert.equal(unacknowledged, shown.filter(({ state }) => state !== "acknowledged").length);
  assert.equal(worst === undefined, shown.length === 0);
}

/** What contradicts an alarm's state. */
function possible({ state, active, hold, order, ackedBy }: AlarmView, now: Now): string[] {
  const wrong: string[] = [];
  if (
    active !== (state === "unacknowledged" || state === "acknowledged") &&
    !/held|returned|shelved|suppressed|service/.test(state)
  )
    wrong.push("active");
  if (state === "returned" && active) wrong.push("returned while its cause is there");
  if ((hold !== undefined) !== (state === "shelved" || state === "out-of-service")) wrong.push("held");
  if (hold && (hold.by === "" || hold.reason === "")) wrong.push("held without a name or a reason");
  if (hold?.kind === "shelved" && (hold.untilMs ?? Number.POSITIVE_INFINITY) - now.ms > MAX_SHELF_MINUTES * 60_000)
    wrong.push("shelved for too long");
  if (state === "unacknowledged" && (order === undefined || ackedBy !== undefined)) wrong.push("annunciated");
  return wrong;
}

describe("an alarm's gate", () => {
  const spec: GateSpec = { limit: 20, side: "above", deadband: 5, onDelayMs: 1000, offDelayMs: 2000 };

  it("waits before it raises and before it clears, and holds within the deadband", () => {
    const gate = new Gate();
    assert.equal(gate.update(21, spec, 0), false);
    assert.equal(gate.update(19, spec, 500), false);
    assert.equal(gate.update(21, spec, 900), false);
    assert.equal(gate.update(21, spec, 1800), false, "the delay began anew");
    assert.ok(gate.update(21, spec, 1900));
    assert.equal(gate.update(16, spec, 9000), false, "within the deadband");
    assert.equal(gate.update(15, spec, 9100), false);
    assert.ok(gate.update(14, spec, 11_100));
    assert.equal(gate.active, false);
  });

  it("takes a limit below, and a limit of nothing", () => {
    const low = new Gate();
    assert.ok(low.update(19, { ...spec, side: "below", onDelayMs: 0 }, 0));
    assert.equal(low.update(24, { ...spec, side: "below", offDelayMs: 0 }, 1), false);
    assert.ok(low.update(25, { ...spec, side: "below", offDelayMs: 0 }, 2));
    const none = { limit: 0, side: "above", deadband: 0, onDelayMs: 0, offDelayMs: 0 } as const;
    const zero = new Gate();
    assert.equal(zero.update(0, none, 0), false);
    assert.ok(zero.update(1, none, 0));
    assert.ok(zero.update(0, none, 0));
  });

  it("changes no more often than its delays allow, whatever the value does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: 0, max: 40, noNaN: true }), fc.nat(900))), (steps) => {
        const gate = new Gate();
        let atMs = 0;
        let changedMs = 0;
        for (const [value, ms] of steps) {
          atMs += ms;
          if (!gate.update(value, spec, atMs)) continue;
          assert.ok(atMs - changedMs >= (gate.active ? spec.onDelayMs : spec.offDelayMs));
          changedMs = atMs;
        }
      }),
    );
  });
});
