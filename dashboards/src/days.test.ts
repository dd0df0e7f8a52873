import assert from "node:assert/strict";
import { dayStart } from "./days.ts";

describe("dayStart", () => {
  it("is midnight on the plant's clock, in summer, in winter and on the days between", () => {
    assert.equal(dayStart("2026-01-15", "Europe/Paris"), "2026-01-14T23:00:00.000Z");
    assert.equal(dayStart("2026-07-15", "Europe/Paris"), "2026-07-14T22:00:00.000Z");
    assert.equal(dayStart("2026-03-29", "Europe/Paris"), "2026-03-28T23:00:00.000Z");
    assert.equal(dayStart("2026-03-29", "Europe/Paris", 1), "2026-03-29T22:00:00.000Z");
    assert.equal(dayStart("2026-10-25", "Europe/Paris", 1), "2026-10-25T23:00:00.000Z");
    assert.equal(dayStart("2026-12-31", "Pacific/Auckland", 1), "2026-12-31T11:00:00.000Z");
  });
});
