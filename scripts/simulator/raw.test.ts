import assert from "node:assert/strict";
import { decodeEntry } from "../../nodes/device/decode-entry.ts";
import type { InboxEntry } from "../../nodes/sample/inbox.ts";
import type { Sample } from "../../nodes/sample/sample.ts";
import { decodeUld } from "../../nodes/vl53l8ch/uld.ts";
import { BeltStation, type StillScene } from "./belt.ts";
import { BeltOptics } from "./belt-optics.ts";
import { BeltSource } from "./belt-source.ts";
import { CNH_CONFIG, cnhBuffer, histograms } from "./cnh.ts";
import type { DeviceIdentity } from "./message.ts";
import { readOptions, UsageError } from "./options.ts";
import { random } from "./random.ts";
import { uldBytes } from "./raw-message.ts";
import type { Wire } from "./source.ts";
import type { BeltTruthLine } from "./truth.ts";

const SITE = {
  siteId: "site-1",
  lineId: "line-1",
  timeZone: "Europe/Paris",
  shifts: [],
  historicalAfterS: 60,
  futureToleranceS: 300,
};
const IDENTITY: DeviceIdentity = {
  deviceId: "ESP32_DEMO_RAW_01",
  macAddress: "24:0A:C4:01:02:03",
  ipAddress: "192.168.1.101",
  location: "Ligne A",
  generation: "raw",
  claims: false,
};
const START = Date.UTC(2026, 10, 22, 8);

function sourceOf(encoding: "cbor" | "json", more: { trigger?: boolean; scene?: StillScene; cnh?: boolean } = {}) {
  const station = new BeltStation(11, IDENTITY.deviceId, { startMs: START });
  const { trigger = false, cnh = true, scene } = more;
  const rng = random(11, "device");
  const options = { identity: IDENTITY, station, encoding, boot: 5, trigger, cnh, faults: 0, rng };
  return new BeltSource({ ...options, ...(scene && { scene }) });
}
function decoded(body: Wire): Sample {
  const entry: InboxEntry = {
    transport: "mqtt",
    receivedAt: new Date(START + 10_000).toISOString(),
    siteId: "site-1",
    defaultLineId: "line-1",
    bytes: Buffer.from(body),
    entryId: "1",
    attempts: 0,
  };
  return decodeEntry(entry, SITE);
}

describe("simulator: register bytes", () => {
  it("decode to exactly what was modelled", () => {
    const station = new BeltStation(11, IDENTITY.deviceId);
    for (let i = 0; i < 60; i++) {
      const { frame } = station.next();
      const { physical, raw, corrupted, ...rest } = decodeUld(uldBytes(frame, i));
      assert.equal(corrupted, false);
      assert.equal(rest.siliconTempC, frame.siliconTempC);
      assert.equal(rest.streamCount, i % 255);
      assert.deepEqual(physical.distanceMm, frame.distanceMm);
      assert.deepEqual(physical.rangeSigmaMm, frame.sigmaMm);
      assert.deepEqual(physical.signalKcpsPerSpad, frame.signal);
      assert.deepEqual(physical.ambientKcpsPerSpad, frame.ambient);
      assert.deepEqual(physical.reflectancePercent, frame.reflectancePercent);
      assert.deepEqual(physical.targetStatus, frame.status);
      assert.deepEqual(physical.targetCount, frame.targetCount);
    }
  });

  it("hold histograms as wide and as far as the real part's", () => {
    const light = new BeltOptics({ heightMm: 300, tiltXDeg: 0, tiltYDeg: 0 }).light([], 0.35);
    const modelled = histograms(light, 2);
    const { cnh } = decodeUld(uldBytes(new BeltStation(1, "RAW").next().frame, 1, cnhBuffer(light, 2)));
    assert.ok(cnh);
    assert.deepEqual([cnh.aggregates, cnh.bins, cnh.ambient[0]], [16, 20, 2]);
    for (const [aggregate, bins] of modelled.entries()) {
      const total = bins.reduce((a, b) => a + b, 0);
      const centroid = bins.reduce((a, count, i) => a + count * (i + 0.5), 0) / total;
      assert.ok(Math.abs(centroid * 37.5348 - 365) < 45, `aggregate ${aggregate}: ${centroid * 37.5348} mm`);
      const wide = bins.filter((count) => count > 0.01 * Math.max(...bins)).length;
      assert.ok(wide >= 8 && wide <= 13, `${wide} bins`);
      for (const [bin, count] of bins.entries())
        assert.ok(Math.abs(count - (cnh.values[aggregate]?.[bin] ?? Number.NaN)) < 1e-6);
    }
    assert.equal(CNH_CONFIG.zoneMap.length, 64);
    assert.deepEqual(new Set(CNH_CONFIG.zoneMap).size, 16);
  });

  it("of a white tile, the dark and a grey card are what they should be", () => {
    const clear = (scene: StillScene) =>
      decoded(sourceOf("cbor", { scene }).measure(START).body).as7341?.reading.counts.Clear ?? Number.NaN;
    assert.ok(clear("white") > 1.8 * clear("grey") && clear("grey") > 20 * clear("dark"));
    assert.ok(clear("white") < 10_000);
  });
});

describe("simulator: the device envelope", () => {
  it("carries the same sample as CBOR and as JSON, and decodes to what was measured", () => {
    const [cbor, json] = [sourceOf("cbor"), sourceOf("json")];
    const station = new BeltStation(11, IDENTITY.deviceId, { startMs: START });
    for (let i = 0; i < 30; i++) {
      const at = START + i * 66.6875;
      const taken = station.next(at);
      const body = cbor.measure(at).body;
      assert.ok(body instanceof Uint8Array && body.length < 4000, `${body.length} bytes`);
      const { raw: _, ...sample } = decoded(body).vl53l8ch ?? assert.fail();
      const text = json.measure(at).body;
      assert.equal(typeof text, "string");
      const other = decoded(text);
      assert.deepEqual(other.vl53l8ch?.frame, sample.frame);
      assert.deepEqual(sample.frame.distanceMm, taken.frame.distanceMm);
      assert.deepEqual(other.as7341?.reading.counts, taken.reading.counts);
      assert.deepEqual(other.as7341?.reading.basicCounts, taken.reading.basicCounts);
      assert.equal(other.seq, i);
      assert.equal(other.bootId, "5");
      assert.equal(Date.parse(other.measuredAt), Math.floor(at));
      assert.equal(other.lineId, "Ligne-A");
    }
  });

  it("names the product in view when the device has a light barrier, and tells the truth when it has left", () => {
    const source = sourceOf("cbor", { trigger: true, cnh: false });
    const seen = new Set<string | undefined>();
    const truths: BeltTruthLine[] = [];
    for (let i = 0; truths.length < 2; i++) {
      const { body, truths: lines } = source.measure(START + (i * 1000) / 15);
      seen.add(decoded(body).productId);
      for (const line of lines) if ("kind" in line) truths.push(line);
    }
    assert.ok(seen.has(undefined) && seen.size >= 3, [...seen].join());
    const name = (number: number) => `${IDENTITY.deviceId}-5-${number}`;
    assert.deepEqual(
      truths.map(({ product, productId }) => [product, productId]),
      [1, 2].map((number) => [number, name(number)]),
    );
    assert.ok(seen.has(name(1)) && seen.has(name(2)));
    for (const truth of truths) assert.ok(truth.enteredAt < truth.centredAt && truth.centredAt < truth.leftAt);
    assert.equal(JSON.parse(JSON.stringify(truths[0])).massG, truths[0]?.massG);
  });
});

describe("simulator: options of raw devices", () => {
  const read = (...args: string[]) => readOptions(["--generation", "raw", ...args], { DATA_DIR: "/tmp/none" }, 1);

  it("are read", () => {
    const belt = read(
      "--tilt=-1.5,2",
      "--height-error",
      "2",
      "--encoding",
      "json",
      "--trigger",
      "--scene",
      "white",
    )?.belt;
    assert.deepEqual(belt, {
      encoding: "json",
      trigger: true,
      cnh: true,
      scene: "white",
      heightErrorMm: 2,
      tiltXDeg: -1.5,
      tiltYDeg: 2,
      speedMmS: 250,
    });
  });

  it("are refused with the reason", () => {
    for (const args of [
      ["--tilt", "3"],
      ["--tilt", "a,b"],
      ["--encoding", "xml"],
      ["--scene", "moon"],
      ["--belt-speed", "0"],
    ])
      assert.throws(() => read(...args), UsageError, args.join(" "));
  });
});
