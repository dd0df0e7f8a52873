import assert from "node:assert/strict";
import { DEFAULT_RETENTION, parseRetention, REFRESH_POLICIES } from "./retention.ts";

describe("retention settings", () => {
  it("prefers what is given over the environment, and that over the defaults", () => {
    assert.deepEqual(parseRetention(), DEFAULT_RETENTION);
    const env = { RETENTION_RAW_DAYS: "14", COMPRESS_AFTER_DAYS: "0" };
    assert.deepEqual(parseRetention({ rawDays: "7", analysisDays: "" }, env), {
      rawDays: 7,
      analysisDays: 365,
      alarmDays: 730,
      compressAfterDays: 0,
    });
  });

  for (const value of ["2", "-1", "1.5", "thirty", "1e9", {}]) {
    it(`refuses to keep raw rows for ${JSON.stringify(value)} days`, () => {
      assert.throws(() => parseRetention({ rawDays: value }), { code: "bad-retention" });
    });
  }

  it("keeps the alarms' history as long as it is told", () => {
    assert.equal(parseRetention({}, { RETENTION_ALARM_DAYS: "1095" }).alarmDays, 1095);
    assert.equal(parseRetention({ alarmDays: "0" }, { RETENTION_ALARM_DAYS: "1095" }).alarmDays, 0);
    assert.throws(() => parseRetention({}, { RETENTION_ALARM_DAYS: "1" }), { code: "bad-retention" });
  });

  it("refuses to drop results", () => {
    assert.throws(() => parseRetention({}, { RETENTION_FUSION_DAYS: "90" }), { code: "retention-forbidden" });
    assert.throws(() => parseRetention({ fusionDays: 90 }), { code: "retention-forbidden" });
  });

  it("keeps raw rows longer than any refresh looks back, at the shortest", () => {
    const { rawDays } = parseRetention({ rawDays: 3 });
    for (const { view, startHours } of REFRESH_POLICIES) assert.ok(startHours < rawDays * 24, view);
  });
});
