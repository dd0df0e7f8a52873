import assert from "node:assert/strict";
import type { Sample } from "../sample/sample.ts";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { Lateness } from "./lateness.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const at = (secondsAgo: number) => new Date(NOW_MS - 1000 * secondsAgo).toISOString();
/** Of a device that does not number its samples. */
const sample = (measuredAgoS: number, receivedAgoS = measuredAgoS, deviceId = "d"): Sample => {
  const { seq, bootId, ...rest } = makeSample({
    deviceId,
    measuredAt: at(measuredAgoS),
    receivedAt: at(receivedAgoS),
  });
  return rest;
};
const numbered = (seq: number, measuredAgoS: number, receivedAgoS = 0, bootId = "1") => ({
  ...sample(measuredAgoS, receivedAgoS),
  seq,
  bootId,
});
const now = { attempts: 0, nowMs: NOW_MS };

describe("lateness of samples", () => {
  it("takes a sample given for the first time and at once for the present", () => {
    const lateness = new Lateness();
    assert.equal(lateness.isLate(sample(1), now, 120), false);
    assert.equal(lateness.isLate(sample(119), now, 120), false);
  });

  it("calls historical what was given before, what waited, and what its stamps call so", () => {
    const lateness = new Lateness();
    assert.equal(lateness.isLate(sample(1), { ...now, attempts: 1 }, 120), true);
    assert.equal(lateness.isLate(sample(500), now, 120), true, "waited in the inbox or in quarantine");
    assert.equal(lateness.isLate({ ...sample(1), isHistorical: true }, now, 120), true);
  });

  it("calls historical what was measured well before a newer one of the same device", () => {
    const lateness = new Lateness();
    assert.equal(lateness.isLate(sample(-200, 0), now, 120), false, "its clock is ahead");
    assert.equal(lateness.isLate(sample(0), now, 120), true);
    assert.equal(lateness.isLate(sample(-150, 0), now, 120), false, "a little out of order");
    assert.equal(lateness.isLate(sample(0, 0, "other"), now, 120), false);
  });

  it("goes by the number where there is one, whatever the device's clock does", () => {
    const lateness = new Lateness();
    assert.equal(lateness.isLate(numbered(1, -250), now, 120), false);
    assert.equal(lateness.isLate(numbered(2, 0), now, 120), false, "its clock was set back");
    assert.equal(lateness.isLate(numbered(3, -250), now, 120), false, "and forward again");
    assert.equal(lateness.isLate(numbered(2, 0), now, 120), true, "an earlier one, sent late");
    assert.equal(lateness.isLate(numbered(4, 0), now, 120), false);
    assert.equal(lateness.isLate(numbered(1, -250, 0, "2"), now, 120), false);
    assert.equal(lateness.isLate(numbered(9, 0), now, 120), true, "of the start before");
  });

  it("goes on after the server's clock was set back, with and without numbers", () => {
    const hour = 3600;
    const later = { ...now, nowMs: NOW_MS + hour * 1000 };
    for (const make of [sample, (ofS: number) => numbered(1, ofS, ofS, "2")]) {
      const lateness = new Lateness();
      assert.equal(lateness.isLate(make(-hour), later, 120), false);
      assert.equal(lateness.isLate(make(0), now, 120), false, "an hour before the one before");
      assert.equal(lateness.isLate(make(-1), now, 120), false);
    }
    const lateness = new Lateness();
    lateness.isLate(sample(0), now, 120);
    assert.equal(lateness.isLate(sample(hour), now, 120), true, "that one has only waited");
  });

  it("forgets the devices heard of longest ago", () => {
    const lateness = new Lateness(2);
    for (const device of ["a", "b", "c"]) lateness.isLate(sample(-200, 0, device), now, 120);
    assert.equal(lateness.isLate(sample(0, 0, "c"), now, 120), true);
    assert.equal(lateness.isLate(sample(0, 0, "a"), now, 120), false, "not known any more");
  });
});
