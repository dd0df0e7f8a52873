import assert from "node:assert/strict";
import { DEFAULT_SITE, parseSite } from "./site-settings.ts";

describe("inbox/site-settings", () => {
  it("gives the defaults for an empty environment", () => {
    const { settings, problems } = parseSite({ siteId: "", lineId: `\${LINE}`, timeZone: undefined, shifts: "  " });
    assert.deepEqual(settings, DEFAULT_SITE);
    assert.deepEqual(problems, []);
  });

  it("reads every field", () => {
    const { settings, limits, problems } = parseSite({
      siteId: "LL",
      lineId: "Ligne A",
      timeZone: "America/Montreal",
      shifts: "nuit 22:00, matin 6:30\njour=14:00",
      historicalAfterS: "60",
      futureToleranceS: 0,
      inboxMiB: "16",
      inboxEntries: 10,
      inboxInFlight: 20,
      claimWithinS: "30",
      minFreeMiB: 1,
    });
    assert.deepEqual(problems, []);
    assert.equal(settings.siteId, "LL");
    assert.equal(settings.lineId, "Ligne-A");
    assert.doesNotThrow(() => new Intl.DateTimeFormat("fr", { timeZone: settings.timeZone }));
    assert.deepEqual(settings.shifts, [
      { name: "matin", start: "06:30" },
      { name: "jour", start: "14:00" },
      { name: "nuit", start: "22:00" },
    ]);
    assert.equal(settings.historicalAfterS, 60);
    assert.equal(settings.futureToleranceS, 0);
    assert.deepEqual(limits, {
      maxBytes: 16 * 1024 * 1024,
      maxEntries: 10,
      maxInFlight: 20,
      claimWithinMs: 30_000,
      minFreeBytes: 1024 * 1024,
    });
  });

  it("takes shifts as a list of objects", () => {
    assert.deepEqual(parseSite({ shifts: [{ name: "Équipe 1", start: "05:00" }] }).settings.shifts, [
      { name: "Equipe-1", start: "05:00" },
    ]);
  });

  it("names each field that is wrong and keeps its default", () => {
    const wrong: [Parameters<typeof parseSite>[0], string][] = [
      [{ siteId: "!!!" }, "id"],
      [{ timeZone: "Mars/Olympus" }, "time-zone"],
      [{ timeZone: "+02:00" }, "time-zone"],
      [{ shifts: "matin 25:00" }, "shifts"],
      [{ shifts: "matin" }, "shifts"],
      [{ shifts: "a 05:00, a 06:00" }, "shifts"],
      [{ shifts: "a 05:00, b 5:00" }, "shifts"],
      [{ shifts: [{ name: 1, start: "05:00" }] }, "shifts"],
      [{ shifts: [] }, "shifts"],
      [{ historicalAfterS: "soon" }, "number"],
      [{ inboxEntries: -1 }, "number"],
    ];
    for (const [config, key] of wrong) {
      const { settings, problems } = parseSite(config);
      assert.deepEqual(
        problems.map((problem) => problem.key),
        [key],
        JSON.stringify(config),
      );
      assert.deepEqual(settings, DEFAULT_SITE);
    }
  });
});
