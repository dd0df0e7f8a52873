import assert from "node:assert/strict";
import { SteadyClock } from "./steady-clock.ts";

const HOUR_MS = 3_600_000;

describe("steady clock", () => {
  let wallMs: number;
  let monotonicMs: number;
  let clock: SteadyClock;
  const pass = (ms: number) => {
    wallMs += ms;
    monotonicMs += ms;
    return clock.read();
  };

  beforeEach(() => {
    wallMs = Date.parse("2026-03-01T12:00:00Z");
    monotonicMs = 5000;
    clock = new SteadyClock(
      () => wallMs,
      () => monotonicMs,
    );
  });

  it("is the wall clock while nobody sets that, small corrections included", () => {
    for (let n = 0; n < 10; n += 1) {
      wallMs += 1500;
      const { wallMs: wall, steadyMs } = pass(60_000);
      assert.equal(steadyMs, wall);
    }
  });

  for (const set of [HOUR_MS, -HOUR_MS])
    it(`goes on when the clock is set ${set > 0 ? "forward" : "back"} an hour, and comes together when it is set right`, () => {
      pass(1000);
      wallMs += set;
      const during = pass(10_000);
      assert.equal(during.wallMs - during.steadyMs, set);
      wallMs -= set;
      const after = pass(10_000);
      assert.equal(after.wallMs, after.steadyMs);
    });

  it("takes a setting that lasts an hour for the right one", () => {
    wallMs += 2 * HOUR_MS;
    pass(1000);
    const almost = pass(HOUR_MS - 1000);
    assert.equal(almost.wallMs - almost.steadyMs, 2 * HOUR_MS);
    const then = pass(2000);
    assert.equal(then.wallMs, then.steadyMs);
  });
});
