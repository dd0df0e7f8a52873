import assert from "node:assert/strict";
import fc from "fast-check";
import type { Calibration } from "../sample/calibration.ts";
import { makeRecord, spectralPart, tofPart } from "./fixture.test.ts";
import { Timeline } from "./timeline.ts";
import { currentRecord, inForce, validityOf } from "./validity.ts";

const day = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 86_400_000).toISOString();
const at = (n: number) => Date.parse(day(n));
const record = (version: number, from: number, until: number, parts: Partial<Calibration>) =>
  makeRecord({ version, validFrom: day(from), validUntil: day(until), ...parts });

describe("validity", () => {
  const tare1 = record(1, 0, 10, { tof: tofPart({ sensorHeightMm: 300 }) });
  const white = record(2, 2, 40, { spectral: spectralPart() });
  const tare2 = record(3, 5, 7, { tof: tofPart({ sensorHeightMm: 310 }) });
  const all = [tare2, white, tare1];

  it("takes each part from the newest record that has it", () => {
    assert.equal(inForce(all, at(-1)), undefined);
    assert.equal(inForce(all, at(1))?.calibrationId, tare1.calibrationId);
    assert.equal(inForce(all, at(1))?.spectral, undefined);
    const both = inForce(all, at(6));
    assert.equal(both?.calibrationId, `${tare2.calibrationId}+${white.calibrationId}`);
    assert.equal(both?.tof?.sensorHeightMm, 310);
    assert.deepEqual([both?.version, both?.validFrom, both?.validUntil], [3, day(5), day(7)]);
    assert.ok(both?.spectral);
  });

  it("counts the first moment in and the last out", () => {
    assert.equal(validityOf(all, "tof", at(5) - 1).record?.version, 1);
    assert.equal(validityOf(all, "tof", at(5)).record?.version, 3);
    assert.equal(validityOf(all, "tof", at(7) - 1).state, "valid");
    assert.equal(validityOf(all, "tof", at(7)).state, "expired");
  });

  it("does not go back to a replaced record when the newer one has ended", () => {
    // tare1 is dated to day 10, but tare2 took its place on day 5 and ended on day 7.
    assert.equal(inForce(all, at(8))?.tof, undefined);
    assert.ok(inForce(all, at(8))?.spectral);
  });

  it("says what is missing, and warns before the end", () => {
    assert.equal(validityOf([tare1], "spectral", at(3)).state, "missing");
    assert.equal(validityOf([tare1], "tof", at(8), 86_400_000).state, "valid");
    assert.equal(validityOf([tare1], "tof", at(9), 86_400_000).state, "expiring");
  });

  it("is the same through the timeline's memory, at any moments in any order", () => {
    const days = fc.integer({ min: -2, max: 20 });
    const drafts = fc.array(
      fc.record({
        from: days,
        length: fc.integer({ min: 1, max: 8 }),
        part: fc.constantFrom("tof", "spectral", "both"),
      }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(
        drafts,
        fc.array(fc.double({ min: -3, max: 30, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (list, moments) => {
          const records = list.map(({ from, length, part }, index) =>
            record(index + 1, from, from + length, {
              ...(part !== "spectral" && { tof: tofPart() }),
              ...(part !== "tof" && { spectral: spectralPart() }),
            }),
          );
          const warnMs = 86_400_000;
          const timeline = new Timeline(warnMs);
          timeline.replace(records);
          for (const moment of moments) {
            const { calibration, state } = timeline.at("device-1", at(moment));
            assert.deepEqual(calibration, inForce(records, at(moment)));
            assert.equal(state.tof, validityOf(records, "tof", at(moment), warnMs).state);
            assert.equal(state.spectral, validityOf(records, "spectral", at(moment), warnMs).state);
          }
        },
      ),
    );
  });

  it("has an added record in force at once, and a device without records in none", () => {
    const timeline = new Timeline(0);
    timeline.replace([tare1]);
    assert.equal(timeline.at("device-1", at(6)).calibration?.version, 1);
    timeline.add(tare2);
    assert.equal(timeline.at("device-1", at(6)).calibration?.version, 3);
    assert.equal(timeline.at("other", at(6)).state.tof, "missing");
    assert.equal(currentRecord(timeline.records("device-1"), "tof", at(6))?.version, 3);
  });
});
