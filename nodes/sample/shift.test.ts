import assert from "node:assert/strict";
import { shiftOf } from "./shift.ts";

const paris = {
  timeZone: "Europe/Paris",
  shifts: [
    { name: "matin", start: "05:00" },
    { name: "apres-midi", start: "13:00" },
    { name: "nuit", start: "21:00" },
  ],
};

describe("shiftOf", () => {
  const cases: [why: string, iso: string, shift: string, day: string][] = [
    ["winter morning", "2026-11-22T04:00:00.000001Z", "matin", "2026-11-22"],
    ["a second before the morning", "2026-11-22T03:59:59Z", "nuit", "2026-11-21"],
    ["the night before midnight", "2026-11-22T22:59:59Z", "nuit", "2026-11-22"],
    ["the night after midnight belongs to the day it started", "2026-11-22T23:00:00Z", "nuit", "2026-11-22"],
    ["summer time is two hours ahead", "2026-07-14T19:00:00Z", "nuit", "2026-07-14"],
    ["New Year's night", "2026-12-31T23:30:00Z", "nuit", "2026-12-31"],
    ["clocks put forward: 04:59 local", "2026-03-29T02:59:00Z", "nuit", "2026-03-28"],
    ["clocks put forward: 05:00 local", "2026-03-29T03:00:00Z", "matin", "2026-03-29"],
    ["clocks put back: 04:59 local", "2026-10-25T03:59:00Z", "nuit", "2026-10-24"],
    ["clocks put back: 05:00 local", "2026-10-25T04:00:00Z", "matin", "2026-10-25"],
  ];
  for (const [why, iso, shift, productionDay] of cases) {
    it(`${iso}: ${why}`, () => assert.deepEqual(shiftOf(iso, paris), { shift, productionDay }));
  }

  it("starts a shift inside the skipped hour when the clock jumps over it", () => {
    const site = {
      timeZone: "Europe/Paris",
      shifts: [
        { name: "a", start: "02:30" },
        { name: "b", start: "14:30" },
      ],
    };
    assert.deepEqual(shiftOf("2026-03-29T00:59:59Z", site), { shift: "b", productionDay: "2026-03-28" });
    assert.deepEqual(shiftOf("2026-03-29T01:00:00Z", site), { shift: "a", productionDay: "2026-03-29" });
  });

  it("reads the shifts in any order, and the date alone where there are none", () => {
    const shifts = [...paris.shifts].reverse();
    assert.equal(shiftOf("2026-11-22T12:00:00Z", { ...paris, shifts }).shift, "apres-midi");
    assert.deepEqual(shiftOf("2026-11-22T23:30:00Z", { ...paris, shifts: [] }), {
      shift: "",
      productionDay: "2026-11-23",
    });
  });

  it("refuses what is not a time, a zone or a start", () => {
    assert.throws(() => shiftOf("yesterday", paris), RangeError);
    assert.throws(() => shiftOf("2026-11-22T12:00:00Z", { ...paris, timeZone: "Gascony" }), RangeError);
    assert.throws(
      () => shiftOf("2026-11-22T12:00:00Z", { ...paris, shifts: [{ name: "x", start: "24:00" }] }),
      RangeError,
    );
  });
});
