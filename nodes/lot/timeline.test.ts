import assert from "node:assert/strict";
import fc from "fast-check";
import type { Sample } from "../sample/sample.ts";
import type { Assignment } from "./page.ts";
import { LotTimeline, withAssignment } from "./timeline.ts";

const T0 = Date.parse("2026-11-20T06:00:00Z");
const MINUTE = 60_000;

let ids = 0;
const record = (minutes: number, change: Partial<Assignment> = {}): Assignment => ({
  id: String(++ids),
  line: "line-1",
  from: new Date(T0 + minutes * MINUTE).toISOString(),
  lot: `LOT-${minutes}`,
  breeder: "Ferme A",
  provenance: null,
  madeBy: "lea",
  reason: null,
  supersedes: null,
  createdAt: new Date(T0).toISOString(),
  ...change,
});
const sample = (change: Partial<Sample> = {}): Sample => ({
  sampleUid: "u",
  sampleId: "s",
  deviceId: "d",
  siteId: "site",
  lineId: "line-1",
  measuredAt: new Date(T0).toISOString(),
  timeSource: "device",
  receivedAt: new Date(T0).toISOString(),
  transport: "mqtt",
  isHistorical: false,
  shift: "matin",
  productionDay: "2026-11-20",
  ...change,
});

describe("LotTimeline", () => {
  it("gives the record in force at the time of measurement, whatever the order records were written in", () => {
    const timeline = new LotTimeline();
    for (const minutes of [60, 0, 120]) timeline.add(record(minutes));
    const lots = [-1, 0, 59, 60, 119, 120, 9999].map((minutes) => timeline.at("line-1", T0 + minutes * MINUTE)?.lot);
    assert.deepEqual(lots, [undefined, "LOT-0", "LOT-0", "LOT-60", "LOT-60", "LOT-120", "LOT-120"]);
    assert.equal(timeline.at("line-2", T0), undefined);
    assert.equal(timeline.after("line-1", T0)?.lot, "LOT-60");
  });

  it("forgets what was superseded, also when a correction begins at another time", () => {
    const timeline = new LotTimeline();
    const wrong = record(60, { lot: "WRONG" });
    timeline.replace([record(0), wrong]);
    timeline.add(record(30, { lot: "RIGHT", supersedes: wrong.id }));
    assert.equal(timeline.at("line-1", T0 + 29 * MINUTE)?.lot, "LOT-0");
    assert.equal(timeline.at("line-1", T0 + 60 * MINUTE)?.lot, "RIGHT");
  });

  it("answers as a search through all records does, however they came in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ minutes: fc.integer({ min: 0, max: 20 }), supersede: fc.boolean() }), { maxLength: 15 }),
        fc.integer({ min: -1, max: 21 }),
        fc.nat(15),
        (steps, at, loadedAfter) => {
          const timeline = new LotTimeline();
          const all: Assignment[] = [];
          steps.forEach(({ minutes, supersede }, index) => {
            const last = all.at(-1);
            const made = record(minutes, supersede && last ? { supersedes: last.id } : {});
            all.push(made);
            if (index === loadedAfter) timeline.replace([...all].reverse());
            else timeline.add(made);
          });
          const active = all.filter(({ id }) => !all.some(({ supersedes }) => supersedes === id));
          const expected = active
            .filter(({ from }) => Date.parse(from) <= T0 + at * MINUTE)
            .sort((a, b) => Date.parse(a.from) - Date.parse(b.from) || Number(a.id) - Number(b.id))
            .at(-1);
          assert.equal(timeline.at("line-1", T0 + at * MINUTE)?.id, expected?.id);
        },
      ),
    );
  });
});

describe("withAssignment", () => {
  const inForce = record(0, { lot: "L", breeder: "B", provenance: "P" });
  const part = ({ lotAbattage, eleveur, provenance, lotSource, assignmentId }: Sample) => ({
    lotAbattage,
    eleveur,
    provenance,
    lotSource,
    assignmentId,
  });

  it("gives a silent sample all of the record, and says where it comes from", () => {
    assert.deepEqual(part(withAssignment(sample(), inForce)), {
      lotAbattage: "L",
      eleveur: "B",
      provenance: "P",
      lotSource: "line",
      assignmentId: inForce.id,
    });
  });

  it("lets the sample win, and never gives it the breeder of another lot", () => {
    const other = withAssignment(sample({ lotAbattage: "OTHER" }), inForce);
    assert.deepEqual(part(other), { ...part(sample()), lotAbattage: "OTHER", lotSource: "sample" });
    const breeder = withAssignment(sample({ eleveur: "Else" }), inForce);
    assert.deepEqual(part(breeder), { ...part(sample()), eleveur: "Else", lotSource: "sample" });
  });

  it("completes a sample of the same lot", () => {
    const completed = withAssignment(sample({ lotAbattage: "L" }), inForce);
    assert.deepEqual([completed.eleveur, completed.lotSource, completed.assignmentId], ["B", "sample", inForce.id]);
  });

  it("leaves a sample alone where no lot is in force", () => {
    assert.deepEqual(withAssignment(sample(), undefined), sample());
    assert.deepEqual(withAssignment(sample(), record(0, { lot: null, breeder: null })), sample());
  });
});
