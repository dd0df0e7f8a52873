import assert from "node:assert/strict";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { Lateness } from "./lateness.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const at = (secondsAgo: number) => new Date(NOW_MS - 1000 * secondsAgo).toISOString();
const sample = (measuredAgoS: number, receivedAgoS = measuredAgoS, deviceId = "d") =>
  makeSample({ deviceId, measuredAt: at(measuredAgoS), receivedAt: at(receivedAgoS) });
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

  it("forgets the devices heard of longest ago", () => {
    const lateness = new Lateness(2);
    for (const device of ["a", "b", "c"]) lateness.isLate(sample(-200, 0, device), now, 120);
    assert.equal(lateness.isLate(sample(0, 0, "c"), now, 120), true);
    assert.equal(lateness.isLate(sample(0, 0, "a"), now, 120), false, "not known any more");
  });
});
