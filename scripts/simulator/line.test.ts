import assert from "node:assert/strict";
import { decodeEntry } from "../../nodes/device/decode-entry.ts";
import { BUILTIN_SPECS } from "../../nodes/grade/builtin.ts";
import { parseGradeSpec } from "../../nodes/grade/spec.ts";
import type { InboxEntry } from "../../nodes/sample/inbox.ts";
import type { SiteSettings } from "../../nodes/sample/site.ts";
import { GRADES } from "../../nodes/sample/units.ts";
import { correlation, ranks } from "../statistics.ts";
import { fleet } from "./fleet.ts";
import { judge, parseRows, parseTruth } from "./judgement.ts";
import { type DeviceIdentity, FAULTS, type Generation, heartbeat, hello, sensorData, spoil } from "./message.ts";
import { readOptions, type SimulateOptions, UsageError } from "./options.ts";
import { random } from "./random.ts";
import { SqalSource } from "./sqal-source.ts";
import { Station } from "./station.ts";
import { truthOf } from "./truth.ts";

const SITE: SiteSettings = {
  siteId: "site-1",
  lineId: "line-1",
  timeZone: "Europe/Paris",
  shifts: [{ name: "day", start: "06:00" }],
  historicalAfterS: 60,
  futureToleranceS: 300,
};
const START = Date.UTC(2026, 10, 22, 8);

function device(generation: Generation, claims = true): DeviceIdentity {
  return {
    deviceId: "ESP32_DEMO_LL_01",
    macAddress: "24:0A:C4:01:02:03",
    ipAddress: "192.168.1.101",
    location: "Ligne B",
    generation,
    claims,
  };
}
const entryOf = (text: string, receivedAt: string): InboxEntry => ({
  transport: "websocket",
  receivedAt,
  siteId: "site-1",
  defaultLineId: "line-1",
  bytes: Buffer.from(text),
  entryId: "1",
  attempts: 0,
});
function options(...args: string[]): SimulateOptions {
  const read = readOptions(args, { DATA_DIR: "/tmp/none" }, 1);
  assert.ok(read);
  return read;
}

describe("simulator: messages", () => {
  for (const generation of ["new", "legacy"] as const) {
    for (const claims of [true, false]) {
      it(`decode to what was measured (${generation}, ${claims ? "with" : "without"} claims)`, () => {
        const identity = device(generation, claims);
        const station = new Station(5, identity.deviceId);
        for (let i = 0; i < 5; i++) {
          const taken = station.measure(new Date(START + 2000 * i));
          const text = JSON.stringify(sensorData(identity, taken));
          const sample = decodeEntry(entryOf(text, taken.at.toISOString()), SITE);
          assert.equal(sample.deviceId, identity.deviceId);
          assert.equal(sample.sampleId, taken.sampleId);
          assert.equal(sample.lineId, "Ligne-B");
          assert.equal(sample.eleveur, taken.lot.breeder.name);
          assert.equal(sample.lotAbattage, taken.lot.lotAbattage);
          assert.equal(Date.parse(sample.measuredAt), taken.at.getTime());
          assert.deepEqual(sample.vl53l8ch?.frame.distanceMm, taken.frame.distanceMm);
          assert.deepEqual(sample.vl53l8ch?.frame.signal, taken.frame.amplitude);
          const { validStatuses = [], status = [] } = sample.vl53l8ch?.frame ?? {};
          assert.ok(status.every((code) => validStatuses.includes(code)));
          assert.deepEqual(
            Object.values(sample.as7341?.reading.counts ?? {}).sort(),
            Object.values(taken.counts).sort(),
          );
          const { histogram } = sample.vl53l8ch?.frame ?? {};
          if (generation === "legacy") assert.deepEqual(histogram?.counts, taken.frame.histogram);
          else assert.ok(histogram === undefined && sample.vl53l8ch?.features?.histogramFigures);
          assert.equal(sample.fusionClaim !== undefined, claims);
          assert.match(taken.sampleId, /^(LL|MG)-261122-\d{4}-\d{3}$/);
          assert.ok(
            generation === "legacy" ? text.length > 90_000 && text.length < 200_000 : text.length < 25_000,
            `${text.length}`,
          );
        }
      });
    }
  }

  it("that are spoiled do not decode", () => {
    const identity = device("new");
    const message = sensorData(identity, new Station(5, identity.deviceId).measure(new Date(START)));
    for (const fault of FAULTS)
      assert.throws(
        () => decodeEntry(entryOf(spoil(message, fault), new Date(START).toISOString()), SITE),
        `${fault} decoded`,
      );
  });

  it("repeat for a seed, whatever the clock says", () => {
    const run = (seed: number) => {
      const identity = device("new");
      const station = new Station(seed, identity.deviceId);
      const source = new SqalSource({ identity, station, rate: 1, faults: 0.2, rng: random(seed, "device") });
      return Array.from({ length: 4 }, (_, i) => source.measure(START + i));
    };
    assert.deepEqual(run(8), run(8));
    assert.notDeepEqual(run(8), run(9));
  });

  it("carry one breeder per lot, and lots that change", () => {
    const station = new Station(2, "ESP32_DEMO_LL_01");
    const breeders = new Map<string, string>();
    for (let i = 0; i < 140; i++) {
      const { lot } = station.measure(new Date(START + i));
      assert.equal(breeders.get(lot.lotAbattage) ?? lot.breeder.name, lot.breeder.name);
      breeders.set(lot.lotAbattage, lot.breeder.name);
    }
    assert.ok(breeders.size >= 3, `${breeders.size} lots`);
  });

  it("introduce the device and keep it alive", () => {
    const identity = device("new");
    const greeting = hello(identity, new Date(START));
    assert.equal(greeting.type, "esp32_hello");
    assert.equal(greeting.timestamp, "2026-11-22T08:00:00.000000Z");
    const beat = heartbeat(identity, { sent: 3, buffered: 1, reconnections: 0, uptimeS: 12.7 }, new Date(START));
    assert.equal(beat.uptime, 12);
    assert.equal(beat.buffer_size, 1);
  });
});

describe("simulator: the line as a whole", () => {
  it("gives every grade, and grades that follow the truth", function () {
    this.timeout(60_000);
    const spec = parseGradeSpec(BUILTIN_SPECS.get("sqal"));
    const identities = fleet(options("--seed", "42")).map((member) => member.identity);
    const stations = identities.map((identity) => new Station(42, identity.deviceId));
    const truths: string[] = [];
    const rows: unknown[] = [];
    for (let i = 0; i < 360; i++) {
      const identity = identities[i % 3];
      const taken = stations[i % 3]?.measure(new Date(START + 700 * i));
      assert.ok(identity && taken);
      const sample = decodeEntry(entryOf(JSON.stringify(sensorData(identity, taken)), taken.at.toISOString()), SITE);
      const { vl53l8ch, as7341, deviceId } = sample;
      assert.ok(vl53l8ch && as7341);
      vl53l8ch.analysis = spec.analyseShape(vl53l8ch.frame, vl53l8ch.features ?? {}, { deviceId });
      as7341.analysis = spec.analyseSpectrum(as7341.reading, { deviceId });
      const { grade, score } = spec.grade(sample);
      truths.push(JSON.stringify(truthOf(identity, taken)));
      rows.push({
        device_id: deviceId,
        sample_id: sample.sampleId,
        time: sample.measuredAt,
        final_grade: grade,
        final_quality_score: String(score),
        volume_mm3: vl53l8ch.analysis.volumeMm3,
      });
    }
    const result = judge(parseTruth(truths.join("\n")), parseRows(rows));
    assert.equal(result.matched, 360);
    assert.equal(result.duplicates + result.missing, 0);
    const share = (grade: (typeof GRADES)[number]) =>
      Object.values(result.confusion).reduce((total, row) => total + row[grade], 0) / 360;
    const limits = {
      "A+": [0.15, 0.4],
      A: [0.25, 0.5],
      B: [0.08, 0.3],
      C: [0.02, 0.15],
      REJECT: [0.03, 0.16],
    } as const;
    for (const grade of GRADES)
      assert.ok(share(grade) >= limits[grade][0] && share(grade) <= limits[grade][1], `${grade}: ${share(grade)}`);
    assert.ok((result.pearson ?? 0) > 0.7, `correlation ${result.pearson}`);
    assert.ok((result.spearman ?? 0) > 0.7, `rank correlation ${result.spearman}`);
    const { premium, defective } = result.confusion;
    assert.ok(premium["A+"] > premium.B + premium.C + premium.REJECT);
    assert.equal(defective["A+"] + defective.A, 0);
    assert.ok(Math.abs(result.volumeError?.p50 ?? 1) < 0.08, `volume ${result.volumeError?.p50}`);
  });
});

describe("simulator: judging", () => {
  const truth = (n: number, more = {}) =>
    JSON.stringify({
      sampleId: `s${n}`,
      deviceId: "d",
      measuredAt: `2026-11-22T08:00:0${n}.000000Z`,
      qualityClass: "good",
      quality: n / 10,
      volumeMm3: 100,
      ...more,
    });
  const row = (n: number, more = {}) => ({
    device_id: "d",
    sample_id: `s${n}`,
    time: `2026-11-22T08:00:0${n}+00:00`,
    final_grade: "A",
    final_quality_score: `${0.5 + n / 20}`,
    volume_mm3: 110,
    ...more,
  });

  it("counts what is missing, doubled or stored though spoiled", () => {
    const truths = parseTruth(
      [truth(1), truth(2), truth(3), truth(4), truth(5, { fault: "not-json" }), '{"sampleId":"cut'].join("\n"),
    );
    const result = judge(truths, parseRows([row(1), row(1), row(2), row(3), row(5), { device_id: 7 }]));
    assert.deepEqual(
      [result.truths, result.matched, result.missing, result.spoiled, result.spoiledStored, result.duplicates],
      [5, 3, 1, 1, 1, 1],
    );
    assert.equal(result.confusion.good.A, 3);
    assert.ok(Math.abs((result.pearson ?? 0) - 1) < 1e-12);
    assert.ok(Math.abs((result.volumeError?.mean ?? 0) - 0.1) < 1e-12);
  });

  it("ranks with ties and correlates", () => {
    assert.deepEqual(ranks([5, 1, 5, 3]), [3.5, 1, 3.5, 2]);
    assert.equal(correlation([1, 2], [1, 2]), null);
    assert.equal(correlation([1, 1, 1], [1, 2, 3]), null);
    assert.ok(Math.abs((correlation([1, 2, 3], [3, 2, 1]) ?? 0) + 1) < 1e-12);
  });
});

describe("simulator: options", () => {
  it("fall back on the environment", () => {
    const read = readOptions(
      [],
      { HOST: "0.0.0.0", PORT: "1999", MQTT_PORT: "1884", SITE: "auch", DEVICE_TOKEN: "t", DATA_DIR: "/tmp/none" },
      5,
    );
    assert.equal(read?.websocketUrl, "ws://127.0.0.1:1999/ws/sensors/");
    assert.equal(read?.mqttUrl, "mqtt://127.0.0.1:1884");
    assert.equal(read?.siteId, "auch");
    assert.equal(read?.token, "t");
    assert.equal(read?.seed, 5);
    assert.equal(read?.serialLink, "/tmp/none/simulation/serial");
    assert.equal(read?.truthPath, "/tmp/none/simulation/truth.ndjson");
  });

  it("are refused with the reason", () => {
    for (const args of [
      ["--rate", "0"],
      ["--rate", ""],
      ["--transport", "pigeon"],
      ["--devices", "1.5"],
      ["--seed", "-1"],
      ["--nonsense"],
      ["--generation", "old"],
      ["--site", "a b"],
    ])
      assert.throws(() => readOptions(args, {}, 1), UsageError, args.join(" "));
    assert.equal(readOptions(["--help"], {}, 1), undefined);
  });

  it("spread devices over lines and transports", () => {
    const members = fleet(options("--devices", "5", "--transport", "websocket,serial", "--serial-link", "/tmp/x"));
    assert.deepEqual(
      members.map(({ transport }) => transport),
      ["websocket", "serial", "websocket", "serial", "websocket"],
    );
    assert.deepEqual(
      members.map(({ lineId }) => lineId),
      ["Ligne-A", "Ligne-B", "Ligne-C", "Ligne-A", "Ligne-B"],
    );
    assert.equal(members[1]?.serialLink, "/tmp/x");
    assert.equal(members[3]?.serialLink, "/tmp/x-2");
    assert.equal(new Set(members.map(({ identity }) => identity.deviceId)).size, 5);
  });
});
