import assert from "node:assert/strict";
import fc from "fast-check";
import { type Capture, capturedSamples } from "../../test/sqal-captures.ts";
import { CodedError } from "../host/errors.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import type { SiteSettings } from "../sample/site.ts";
import { decodeEntry, quarantineOf } from "./decode-entry.ts";

const site: SiteSettings = {
  siteId: "LL",
  lineId: "Ligne-Z",
  timeZone: "Europe/Paris",
  shifts: [{ name: "jour", start: "06:00" }],
  historicalAfterS: 120,
  futureToleranceS: 300,
};
const [newest, legacy] = ["new", "legacy"].map((generation) => {
  const capture = capturedSamples().find((candidate) => candidate.generation === generation);
  assert.ok(capture);
  return capture;
}) as [Capture, Capture];

function entryOf(message: unknown, more: Partial<InboxEntry> = {}): InboxEntry {
  const bytes = Buffer.isBuffer(message)
    ? message
    : Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
  return {
    entryId: "1",
    attempts: 0,
    transport: "websocket",
    receivedAt: "2026-11-22T10:24:00.000Z",
    siteId: "LL",
    defaultLineId: "Ligne-Z",
    bytes,
    ...more,
  };
}

type Tree = { [key: string]: Tree & unknown[] };
function edited(capture: Capture, edit: (message: Tree) => void): unknown {
  const message = structuredClone(capture.message) as Tree;
  edit(message);
  return message;
}

describe("decodeEntry", () => {
  it("takes the door's word that an entry belongs into quarantine, whatever it holds", () => {
    const entry = entryOf(newest.bytes, { problem: "bad-topic" });
    assert.throws(
      () => decodeEntry(entry, site),
      (error) => error instanceof CodedError && error.code === "bad-topic",
    );
  });

  it("decodes a message of the new simulator", () => {
    const sample = decodeEntry(entryOf(newest.bytes), site);
    const { vl53l8ch, as7341, metadata, fusionClaim, ...rest } = sample;
    assert.deepEqual(rest, {
      sampleUid: sample.sampleUid,
      sampleId: "MG-261122-5948-149",
      deviceId: "ESP32_LL_01",
      siteId: "LL",
      lineId: "Ligne-A",
      productId: sample.sampleUid,
      measuredAt: "2026-11-22T10:23:52.966818Z",
      timeSource: "device",
      receivedAt: "2026-11-22T10:24:00.000Z",
      transport: "websocket",
      isHistorical: false,
      shift: "jour",
      productionDay: "2026-11-22",
      lotAbattage: "LOT-20261122--149",
      eleveur: "Ferme Martin",
      provenance: "Périgord, France",
      firmware: "1.0.0",
      temperatureC: 18.26142283409642,
      humidityPercent: 45,
    });
    assert.match(sample.sampleUid, /^[0-9a-f]{32}$/);
    assert.equal(vl53l8ch?.frame.distanceMm.length, 64);
    assert.deepEqual(vl53l8ch?.frame.validStatuses, [0]);
    assert.equal(vl53l8ch?.features?.zoneSideMm, 37.5);
    assert.equal(vl53l8ch?.features?.histogramFigures?.peakBin.length, 64);
    assert.equal(vl53l8ch?.frame.histogram, undefined);
    assert.deepEqual(as7341?.reading, {
      counts: {
        F1: 1488,
        F2: 2278,
        F3: 1971,
        F4: 7771,
        F5: 3594,
        F6: 2316,
        F7: 4112,
        F8: 2757,
        Clear: 25310,
        NIR: 2440,
      },
      gain: 4,
      integrationMs: 100,
      temperatureC: 18.26142283409642,
      reconstructed: ["Clear", "NIR"],
      saturated: [],
    });
    assert.equal(vl53l8ch?.raw?.format, "sqal-json");
    assert.deepEqual(vl53l8ch?.raw?.bytes, newest.bytes);
    assert.ok(fusionClaim);
    assert.doesNotMatch(JSON.stringify(metadata), /user_guide/);
    assert.match(JSON.stringify(metadata), /input_params/);
  });

  it("decodes a message of the legacy simulator: raw counts, histograms and the true lot", () => {
    const { vl53l8ch, as7341, ...rest } = decodeEntry(entryOf(legacy.bytes), site);
    assert.equal(rest.lotAbattage, "LL-261122-6816");
    assert.equal(rest.eleveur, "Maison Rougie");
    assert.equal(rest.provenance, "Pays de la Loire");
    assert.deepEqual([vl53l8ch?.frame.histogram?.bins, vl53l8ch?.frame.histogram?.counts.length], [128, 64]);
    assert.equal(vl53l8ch?.features?.dialect, "sqal-legacy");
    assert.equal(vl53l8ch?.features?.histogramFigures, undefined);
    assert.deepEqual(vl53l8ch?.frame.validStatuses, [5, 9]);
    assert.deepEqual([as7341?.reading.counts.Clear, as7341?.reading.counts.NIR], [20210, 2779]);
    assert.deepEqual(as7341?.reading.reconstructed, []);
  });

  it("rebuilds in every legacy capture, from the ratios alone, the Clear and NIR that its raw counts hold", () => {
    for (const capture of capturedSamples().filter(({ generation }) => generation === "legacy")) {
      const { as7341: truth } = decodeEntry(entryOf(capture.bytes), site);
      const { as7341 } = decodeEntry(entryOf(edited(capture, (message) => delete message.as7341_raw)), site);
      assert.deepEqual(as7341?.reading.counts, truth?.reading.counts);
      assert.deepEqual(as7341?.reading.reconstructed, ["Clear", "NIR"]);
    }
  });

  it("keeps a Clear and NIR that are not SQAL's constants", () => {
    const { as7341 } = decodeEntry(
      entryOf(edited(newest, ({ as7341 }) => Object.assign(as7341?.channels ?? {}, { Clear: 4321, NIR: 801 }))),
      site,
    );
    assert.deepEqual(
      [as7341?.reading.counts.Clear, as7341?.reading.counts.NIR, as7341?.reading.reconstructed],
      [4321, 801, []],
    );
  });

  it("takes the line from the entry, else the message, else the configuration", () => {
    const without = edited(newest, (message) => delete message.location);
    assert.equal(decodeEntry(entryOf(newest.bytes, { lineId: "L7" }), site).lineId, "L7");
    assert.equal(decodeEntry(entryOf(newest.bytes), site).lineId, "Ligne-A");
    assert.equal(decodeEntry(entryOf(without), site).lineId, "Ligne-Z");
  });

  it("calls late what is late, and gives the same identity again", () => {
    const late = decodeEntry(entryOf(newest.bytes, { receivedAt: "2026-11-22T10:26:00.000Z" }), site);
    assert.equal(late.isHistorical, true);
    assert.equal(late.sampleUid, decodeEntry(entryOf(newest.bytes), site).sampleUid);
  });

  it("is in time by either setting of a server's clock that was set meanwhile, and in the future by neither", () => {
    // Measured at 10:23:52.
    const received = (receivedAt: string, otherwiseAt: string) =>
      decodeEntry(entryOf(newest.bytes, { receivedAt, otherwiseAt }), site);
    const right = "2026-11-22T10:23:53.000Z";
    assert.equal(received("2026-11-22T11:23:53.000Z", right).isHistorical, false, "set forward");
    assert.equal(received("2026-11-22T09:23:53.000Z", right).isHistorical, false, "set back");
    assert.equal(received(right, "2026-11-22T09:23:53.000Z").isHistorical, false, "set right");
    assert.equal(received("2026-11-22T11:23:53.000Z", "2026-11-22T09:23:53.000Z").isHistorical, true);
    assert.throws(() => received("2026-11-22T08:23:53.000Z", "2026-11-22T09:23:53.000Z"), { code: "future-time" });
  });

  it("takes one sensor alone", () => {
    assert.equal(decodeEntry(entryOf(edited(newest, (message) => delete message.vl53l8ch)), site).vl53l8ch, undefined);
    assert.equal(decodeEntry(entryOf(edited(newest, (message) => delete message.as7341)), site).as7341, undefined);
  });

  const text = JSON.stringify(newest.message);
  const refused: [why: string, code: string, message: unknown, path: RegExp, entry?: Partial<InboxEntry>][] = [
    ["not JSON", "not-json", "hello", /JSON/],
    ["a NaN literal", "not-json", text.replace("18.26142283409642", "NaN"), /JSON/],
    [
      "1e309 among the claims",
      "not-finite",
      text.replace(/"final_score":[^,]*/, '"final_score":1e309'),
      /fusion\.final_score/,
    ],
    ["__proto__ anywhere", "forbidden-key", text.replace('"final_score"', '"__proto__"'), /fusion/],
    ["a list", "unknown-type", [1], /not a JSON object/],
    ["an unknown type", "unknown-type", { type: "weather" }, /weather/],
    ["no type", "unknown-type", {}, /none/],
    [
      "7 columns",
      "bad-matrix",
      edited(newest, ({ vl53l8ch }) => Object.assign(vl53l8ch?.distance_matrix ?? [], { 3: [1, 2, 3, 4, 5, 6, 7] })),
      /distance_matrix\[3\]/,
    ],
    ["7 rows", "bad-matrix", edited(newest, ({ vl53l8ch }) => vl53l8ch?.amplitude_matrix?.pop()), /amplitude_matrix/],
    [
      "text in a matrix",
      "bad-matrix",
      edited(newest, ({ vl53l8ch }) => Object.assign(vl53l8ch?.status_matrix?.[0] ?? [], { 1: "5" })),
      /status_matrix\[0\]\[1\]/,
    ],
    [
      "a hole in a matrix",
      "bad-matrix",
      edited(newest, ({ vl53l8ch }) => Object.assign(vl53l8ch?.ambient_matrix?.[7] ?? [], { 7: null })),
      /ambient_matrix\[7\]\[7\]/,
    ],
    [
      "no matrix",
      "bad-matrix",
      edited(newest, ({ vl53l8ch }) => delete vl53l8ch?.reflectance_matrix),
      /reflectance_matrix is missing/,
    ],
    [
      "a distance of 5 m",
      "out-of-range",
      edited(newest, ({ vl53l8ch }) => Object.assign(vl53l8ch?.distance_matrix?.[0] ?? [], { 0: 5000 })),
      /distance_matrix\[0\]\[0\] is 5000/,
    ],
    [
      "a histogram map short of a row",
      "bad-matrix",
      edited(newest, ({ vl53l8ch }) => vl53l8ch?.bins_analysis?.texture_score?.pop()),
      /bins_analysis\.texture_score/,
    ],
    [
      "histograms of unequal length",
      "bad-histogram",
      edited(legacy, (message) => Object.assign(message.vl53l8ch_raw?.bins_matrix?.[1] ?? [], { 2: [1, 2, 3] })),
      /bins_matrix\[1\]\[2\]/,
    ],
    [
      "a negative bin",
      "bad-histogram",
      edited(legacy, (message) =>
        Object.assign(message.vl53l8ch_raw?.bins_matrix?.[0] ?? [], { 0: Array(128).fill(-1) }),
      ),
      /bins_matrix\[0\]\[0\]/,
    ],
    ["no channels", "bad-channels", edited(newest, ({ as7341 }) => delete as7341?.channels), /as7341\.channels/],
    [
      "a channel missing",
      "bad-channels",
      edited(newest, ({ as7341 }) => delete as7341?.channels?.F4_515nm),
      /F4_515nm/,
    ],
    [
      "a channel past full scale",
      "out-of-range",
      edited(newest, ({ as7341 }) => Object.assign(as7341?.channels ?? {}, { F1_415nm: 65536 })),
      /F1_415nm/,
    ],
    [
      "a Clear that cannot be",
      "out-of-range",
      edited(newest, ({ as7341 }) => Object.assign(as7341?.spectral_ratios ?? {}, { normalized_clear: 1.1 })),
      /normalized_clear/,
    ],
    [
      "neither sensor",
      "no-sensor",
      { type: "sensor_data", device_id: "a", sample_id: "b", timestamp: "2026-11-22T10:23:52Z" },
      /neither/,
    ],
    [
      "a sensor that is text",
      "bad-field",
      edited(newest, (message) => Object.assign(message, { as7341: "x" })),
      /as7341/,
    ],
    ["no device id", "bad-id", edited(newest, (message) => delete message.device_id), /device_id/],
    [
      "a device id with a slash",
      "bad-id",
      edited(newest, (message) => Object.assign(message, { device_id: "a/b", meta: null })),
      /device_id/,
    ],
    ["no sample id", "bad-id", edited(newest, (message) => delete message.sample_id), /sample_id/],
    ["no time", "bad-timestamp", edited(newest, (message) => delete message.timestamp), /timestamp/],
    [
      "a time of 1969",
      "bad-timestamp",
      edited(newest, (message) => Object.assign(message, { timestamp: "1969-12-31T23:59:50Z" })),
      /timestamp/,
    ],
    ["a time to come", "future-time", newest.bytes, /future/, { receivedAt: "2026-11-22T10:18:52.000Z" }],
    [
      "another device than proven",
      "identity-mismatch",
      newest.bytes,
      /ESP32_LL_01.*ESP32_LL_02/,
      { provenDeviceId: "ESP32_LL_02" },
    ],
    [
      "two device ids",
      "identity-mismatch",
      edited(newest, (message) => Object.assign(message.meta ?? {}, { device_id: "x" })),
      /meta\.device_id/,
    ],
    [
      "a fever",
      "out-of-range",
      edited(newest, (message) => Object.assign(message.meta ?? {}, { temperature_c: 86 })),
      /meta\.temperature_c/,
    ],
    [
      "a lot of two lines",
      "bad-field",
      edited(newest, (message) => Object.assign(message, { lot_abattage: "a\nb" })),
      /lot_abattage/,
    ],
  ];
  for (const [why, code, message, path, entry] of refused) {
    it(`refuses ${why} as ${code}`, () => {
      assert.throws(
        () => decodeEntry(entryOf(message, entry), site),
        (error) => {
          assert.ok(error instanceof CodedError, String(error));
          assert.equal(error.code, code);
          assert.match(error.message, path);
          return true;
        },
      );
    });
  }

  it("makes of the refused a record that keeps the bytes, the reason and, where it can be read, the device", () => {
    const entry = entryOf(edited(newest, ({ vl53l8ch }) => vl53l8ch?.distance_matrix?.pop()));
    const record = quarantineOf(entry, new CodedError("bad-matrix", "x".repeat(1000)));
    assert.deepEqual(
      { ...record, detail: record.detail.length },
      {
        quarantine: true,
        reason: "bad-matrix",
        detail: 500,
        transport: "websocket",
        receivedAt: entry.receivedAt,
        siteId: "LL",
        deviceId: "ESP32_LL_01",
        bytes: entry.bytes,
      },
    );
    assert.equal(quarantineOf(entryOf("{"), new Error("x")).deviceId, undefined);
    assert.equal(quarantineOf(entryOf("{"), new Error("x")).reason, "decode-failed");
  });
});

describe("decodeEntry, whatever the bytes", () => {
  const decodesOrRefuses = (bytes: Buffer) => {
    try {
      decodeEntry(entryOf(bytes), site);
    } catch (error) {
      assert.ok(error instanceof CodedError, String(error));
      quarantineOf(entryOf(bytes), error);
    }
  };

  it("random bytes and random JSON", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decodesOrRefuses(Buffer.from(bytes))));
    fc.assert(fc.property(fc.json(), (json) => decodesOrRefuses(Buffer.from(json))));
  });

  it("a real message with bytes changed", () => {
    const edit = fc.tuple(fc.nat(newest.bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const bytes = Buffer.from(newest.bytes);
        for (const [at, value] of edits) bytes[at] = value;
        decodesOrRefuses(bytes);
      }),
      { numRuns: 150 },
    );
  });

  it("a real message with any member replaced by any value", () => {
    const paths = pathsOf(newest.message).filter((path) => !/user_guide/.test(path.join(".")));
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
        const message = structuredClone(newest.message);
        const last = path.at(-1) ?? "";
        let target: unknown = message;
        for (const key of path.slice(0, -1)) target = Reflect.get(Object(target), key);
        Reflect.set(Object(target), last, value);
        decodesOrRefuses(Buffer.from(JSON.stringify(message)));
      }),
      { numRuns: 300 },
    );
  });
});

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return path.length > 0 ? [path] : [];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key])),
  ];
}
