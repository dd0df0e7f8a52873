import assert from "node:assert/strict";
import { encode } from "cborg";
import fc from "fast-check";
import { rawEnvelope, spectralBytes, tofBytes } from "../../test/support/envelopes.ts";
import { readingOfRegisters } from "../as7341/read-spectral.ts";
import { CodedError } from "../host/errors.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import { isSample, quarantineOfSample } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import type { SiteSettings } from "../sample/site.ts";
import { CHANNELS } from "../sample/units.ts";
import { tofFrameOfRaw } from "../vl53l8ch/read-tof.ts";
import { parseControl } from "./control.ts";
import { decodeEntry, quarantineOf } from "./decode-entry.ts";
import { type DeviceEnvelope, encodeEnvelopeCbor, encodeEnvelopeJson } from "./envelope-encode.ts";
import { ServerTimes } from "./server-times.ts";

const site: SiteSettings = {
  siteId: "LL",
  lineId: "Ligne-Z",
  timeZone: "Europe/Paris",
  shifts: [{ name: "jour", start: "06:00" }],
  historicalAfterS: 120,
  futureToleranceS: 300,
};

function entryOf(bytes: Buffer, more: Partial<InboxEntry> = {}): InboxEntry {
  return {
    entryId: "1",
    attempts: 0,
    transport: "mqtt",
    receivedAt: "2026-11-22T10:24:00.000Z",
    siteId: "LL",
    defaultLineId: "Ligne-Z",
    bytes,
    ...more,
  };
}
const decodeBytes = (bytes: Buffer) => decodeEntry(entryOf(bytes), site);
const decoded = (envelope: DeviceEnvelope) => decodeBytes(encodeEnvelopeCbor(envelope));

/** What does not say in which encoding it came. */
function content({ message: _, vl53l8ch, as7341, sampleId, ...rest }: Sample): object {
  const part = (of: { raw?: { format: string } } | undefined) =>
    of && { ...of, raw: of.raw?.format.startsWith("foieflow-") ? "message" : of.raw };
  // Nameless samples are named by their bytes.
  return {
    ...rest,
    sampleUid: "",
    sampleId: sampleId.length === 32 ? "" : sampleId,
    tof: part(vl53l8ch),
    as: part(as7341),
  };
}

describe("the device envelope", () => {
  it("is the same sample in CBOR and JSON, with the sensors' bytes kept", () => {
    const envelope = rawEnvelope();
    const sample = decodeBytes(encodeEnvelopeCbor(envelope));
    const { vl53l8ch, as7341, message, ...rest } = sample;
    assert.deepEqual(rest, {
      sampleUid: sample.sampleUid,
      sampleId: "17-4",
      deviceId: "ESP32_RAW_01",
      bootId: "17",
      seq: 4,
      siteId: "LL",
      lineId: "Ligne-Z",
      measuredAt: "2026-11-22T10:23:52.966818Z",
      timeSource: "device",
      receivedAt: "2026-11-22T10:24:00.000Z",
      transport: "mqtt",
      isHistorical: false,
      shift: "jour",
      productionDay: "2026-11-22",
      lotAbattage: "LOT-7",
      eleveur: "Ferme Éric",
      provenance: "Périgord",
      firmware: "2.1.0",
      metadata: { as7341: { aTime: 29, aStep: 599 } },
    });
    assert.deepEqual(vl53l8ch, {
      raw: { format: "uld", bytes: tofBytes() },
      frame: tofFrameOfRaw(tofBytes()),
      features: { dialect: "foieflow" },
    });
    assert.equal(vl53l8ch?.frame.distanceMm[0], 300.25);
    assert.deepEqual(as7341, {
      raw: { format: "as7341-registers", bytes: Buffer.concat(spectralBytes()) },
      reading: readingOfRegisters(spectralBytes(), { aTime: 29, aStep: 599 }),
    });
    assert.equal(as7341?.reading.gain, 64);
    assert.deepEqual(message, { format: "foieflow-cbor", bytes: encodeEnvelopeCbor(envelope) });
    const json = decodeBytes(encodeEnvelopeJson(envelope));
    assert.equal(json.message?.format, "foieflow-json");
    assert.deepEqual({ ...json, message: undefined }, { ...sample, message: undefined });
  });

  it("keeps the whole message when a sample ends in quarantine later on", () => {
    const bytes = encodeEnvelopeCbor(rawEnvelope());
    assert.deepEqual(quarantineOfSample(decodeBytes(bytes), new Error("x"), "y").bytes, bytes);
  });

  it("takes the frame in either byte order, turned as the device says", () => {
    const [bus, host] = [tofBytes("bus"), tofBytes("host")].map((raw) => decoded(rawEnvelope({ vl53l8ch: { raw } })));
    assert.deepEqual(host?.vl53l8ch?.frame, bus?.vl53l8ch?.frame);
    const orientation = { flipX: true, quarterTurns: 1 };
    const turned = decoded(rawEnvelope({ vl53l8ch: { raw: tofBytes(), orientation } }));
    assert.deepEqual(
      turned.vl53l8ch?.frame,
      tofFrameOfRaw(tofBytes(), { orientation: { flipX: true, quarterTurns: 1 } }),
    );
    assert.equal(turned.vl53l8ch?.frame.status[7], 5);
    assert.deepEqual(turned.metadata?.vl53l8ch, { orientation: { flipX: true, flipY: false, quarterTurns: 1 } });
  });

  it("takes zones and channels the device has read itself", () => {
    const zones = Array.from({ length: 16 }, (_, zone) => 300 + zone / 4);
    const status = zones.map(() => 5);
    const rows = (flat: number[]) => [0, 4, 8, 12].map((from) => flat.slice(from, from + 4));
    const channels = Object.fromEntries(CHANNELS.map((channel, index) => [channel, 1000 + index]));
    const flat: DeviceEnvelope = {
      v: 1,
      device: "d",
      vl53l8ch: { distanceMm: zones, status, rangeSigmaMm: zones.map(() => 1.5) },
      as7341: { channels, gain: 64, atime: 29, astep: 599 },
    };
    const sample = decoded(flat);
    assert.deepEqual(sample.vl53l8ch?.frame, {
      side: 4,
      distanceMm: zones,
      reflectancePercent: zones.map(() => 0),
      signal: zones.map(() => 0),
      ambient: zones.map(() => 0),
      signalUnit: "kcps/SPAD",
      status,
      validStatuses: [5, 9],
      sigmaMm: zones.map(() => 1.5),
      missing: ["reflectancePercent", "signal", "ambient"],
    });
    assert.deepEqual(sample.as7341?.reading.counts, channels);
    assert.equal(sample.as7341?.reading.integrationMs, 30 * 600 * 2.78e-3);
    assert.equal(sample.vl53l8ch?.raw?.format, "foieflow-cbor");
    const nested = decoded({ ...flat, vl53l8ch: { distanceMm: rows(zones), status: rows(status) } });
    assert.deepEqual(nested.vl53l8ch?.frame.distanceMm, zones);
    const other = decoded({ ...flat, as7341: { channels: { f1_415nm: 5, clear: 7 } } });
    assert.deepEqual([other.as7341?.reading.counts.F1, other.as7341?.reading.counts.Clear], [5, 7]);
    assert.deepEqual(other.as7341?.reading.missing, ["gain", "integration-time"]);
  });

  it("takes one sensor alone", () => {
    const { vl53l8ch, as7341, ...none } = rawEnvelope();
    assert.equal(decoded({ ...none, ...(vl53l8ch && { vl53l8ch }) }).as7341, undefined);
    assert.equal(decoded({ ...none, ...(as7341 && { as7341 }) }).vl53l8ch, undefined);
  });

  describe("tells the time and the identity", () => {
    const without = (...keys: (keyof DeviceEnvelope)[]) => {
      const envelope = rawEnvelope();
      for (const key of keys) delete envelope[key];
      return envelope;
    };

    it("from text, ms or µs", () => {
      const times = ["2026-11-22T10:23:52.966818Z", 1_795_343_032_966.818, 1_795_343_032_966_818];
      for (const t of times) assert.equal(decoded(rawEnvelope({ t })).measuredAt, "2026-11-22T10:23:52.966818Z");
      assert.equal(decoded(rawEnvelope({ t: 1_795_343_032_966 })).measuredAt, "2026-11-22T10:23:52.966Z");
      assert.equal(decoded(rawEnvelope({ t: 1500 })).measuredAt, "1970-01-01T00:00:01.500Z");
      assert.equal(decoded(rawEnvelope({ t: 1500 })).isHistorical, true);
    });

    it("from the server where the device has no clock, and the same for a sample sent again", () => {
      const bytes = encodeEnvelopeCbor(without("t"));
      const times = new ServerTimes(2);
      const first = decodeEntry(entryOf(bytes), site, times);
      assert.deepEqual([first.measuredAt, first.timeSource], ["2026-11-22T10:24:00.000Z", "server"]);
      const later = { receivedAt: "2026-11-22T10:25:00.000Z" };
      const again = decodeEntry(entryOf(bytes, later), site, times);
      assert.deepEqual([again.measuredAt, again.sampleUid], [first.measuredAt, first.sampleUid]);
      for (const seq of [5, 6]) decodeEntry(entryOf(encodeEnvelopeCbor({ ...without("t"), seq })), site, times);
      assert.equal(decodeEntry(entryOf(bytes, later), site, times).measuredAt, later.receivedAt, "bounded");
    });

    it("by boot and number, whatever else changes; by time without either", () => {
      const uid = (envelope: DeviceEnvelope) => decoded(envelope).sampleUid;
      assert.equal(uid(rawEnvelope()), uid(rawEnvelope({ t: "2026-11-22T10:23:59Z", lot: "other" })));
      for (const change of [{ boot: 18 }, { seq: 5 }, { device: "other" }]) {
        assert.notEqual(uid(rawEnvelope()), uid(rawEnvelope(change)));
      }
      const timed = without("boot");
      assert.equal(uid(timed), uid({ ...timed }));
      assert.notEqual(uid(timed), uid({ ...timed, t: "2026-11-22T10:23:53Z" }));
      assert.equal(decoded({ ...timed, sample: "mine" }).sampleId, "mine");
    });

    it("of the product: a name is the site's, a number this boot's", () => {
      const product = (more: Partial<DeviceEnvelope>) => decoded(rawEnvelope(more)).productId;
      assert.equal(product({}), undefined);
      assert.equal(product({ product: "P-1" }), "P-1");
      assert.match(product({ product: 3 }) ?? "", /^[0-9a-f]{32}$/);
      assert.equal(product({ product: 3 }), product({ product: 3, seq: 9 }));
      assert.notEqual(product({ product: 3 }), product({ product: 3, boot: 18 }));
    });

    it("and the line, and keeps what it does not know", () => {
      assert.equal(decoded(rawEnvelope({ location: "Ligne B" })).lineId, "Ligne-B");
      assert.deepEqual(decodeBytes(encodeEnvelopeJson({ ...rawEnvelope(), ...{ batch: [1] } })).metadata?.batch, [1]);
    });
  });

  describe("refuses with a code that names what is wrong", () => {
    const tof = (vl53l8ch: unknown) => ({ ...rawEnvelope(), vl53l8ch });
    const spectrum = (as7341: unknown) => ({ ...rawEnvelope(), as7341 });
    const zones = (length: number, value: unknown = 300) => new Array(length).fill(value);
    const cases: [string, object][] = [
      ["bad-version", { ...rawEnvelope(), v: 2 }],
      ["bad-version", { ...rawEnvelope(), v: "1" }],
      ["unknown-type", { device: "d" }],
      ["bad-id", { ...rawEnvelope(), device: "a b" }],
      ["bad-id", { ...rawEnvelope(), device: undefined }],
      ["bad-id", { ...rawEnvelope(), boot: "x".repeat(41) }],
      ["bad-id", { ...rawEnvelope(), boot: -1 }],
      ["bad-id", { ...rawEnvelope(), sample: "" }],
      ["bad-field", { ...rawEnvelope(), seq: 1.5 }],
      ["out-of-range", { ...rawEnvelope(), seq: -1 }],
      ["bad-field", { ...rawEnvelope(), boot: undefined, product: 3 }],
      ["bad-timestamp", { ...rawEnvelope(), t: "yesterday" }],
      ["bad-timestamp", { ...rawEnvelope(), t: -1 }],
      ["bad-timestamp", { ...rawEnvelope(), t: 1e16 }],
      ["future-time", { ...rawEnvelope(), t: "2026-11-22T10:30:00Z" }],
      ["out-of-range", { ...rawEnvelope(), humidityPercent: 101 }],
      ["no-sensor", { ...rawEnvelope(), vl53l8ch: undefined, as7341: undefined }],
      ["bad-field", tof([])],
      ["bad-bytes", tof({ raw: 7 })],
      ["bad-bytes", tof({ raw: "" })],
      ["bad-bytes", tof({ raw: "a*b=" })],
      ["bad-bytes", tof({ raw: Buffer.alloc(20_000) })],
      ["bad-format", tof({ raw: tofBytes(), format: "hex" })],
      ["bad-field", tof({ raw: tofBytes(), orientation: { quarterTurns: 1.5 } })],
      ["bad-field", tof({ raw: tofBytes(), orientation: { flipX: 1 } })],
      ["uld-too-short", tof({ raw: Buffer.alloc(8) })],
      ["uld-no-start", tof({ raw: Buffer.alloc(400) })],
      ["bad-matrix", tof({ distanceMm: zones(63) })],
      ["bad-matrix", tof({ distanceMm: zones(64, "1") })],
      ["bad-matrix", tof({ distanceMm: zones(16), status: zones(64, 5) })],
      ["bad-matrix", tof({ distanceMm: [zones(4), zones(4), zones(4), zones(3)] })],
      ["bad-matrix", tof({})],
      ["out-of-range", tof({ distanceMm: zones(16, 1e6) })],
      ["bad-bytes", spectrum({ raw: [] })],
      ["bad-bytes", spectrum({ raw: [...spectralBytes(), ...spectralBytes()] })],
      ["as7341-bad-length", spectrum({ raw: [Buffer.alloc(11)] })],
      ["as7341-bad-gain", spectrum({ raw: [Buffer.alloc(12)], gain: 3 })],
      ["bad-channels", spectrum({})],
      ["out-of-range", spectrum({ channels: { F1: -1 } })],
      ["bad-field", spectrum({ channels: { F1: "5" } })],
      ["as7341-no-channels", spectrum({ channels: { x: 5 } })],
    ];
    const usual: object = rawEnvelope();
    for (const [code, message] of cases) {
      const odd = Object.entries({ ...usual, ...message }).filter(
        ([key, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(usual, key)),
      );
      it(`${code}: ${odd.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join()}`.slice(0, 90), () => {
        const bytes = Buffer.from(encode(message, { ignoreUndefinedProperties: true }));
        const refused = (error: unknown) => error instanceof CodedError && error.code === code;
        assert.throws(() => decodeBytes(bytes), refused);
        const json = encodeEnvelopeJson(message as DeviceEnvelope);
        assert.throws(() => decodeBytes(json), refused);
        const record = quarantineOf(entryOf(bytes), new CodedError(code, "x"));
        assert.deepEqual([record.reason, record.bytes], [code, bytes]);
      });
    }

    it("quarantines the whole sample when one of two sensors cannot be read", () => {
      assert.throws(() => decoded(rawEnvelope({ vl53l8ch: { raw: Buffer.alloc(400) } })), /start/i);
    });

    it("under the name the credential proves", () => {
      const entry = entryOf(encodeEnvelopeCbor(rawEnvelope()), { provenDeviceId: "other" });
      assert.throws(
        () => decodeEntry(entry, site),
        (error) => error instanceof CodedError && error.code === "identity-mismatch",
      );
      assert.equal(quarantineOf(entryOf(encodeEnvelopeCbor(rawEnvelope())), new Error("x")).deviceId, "ESP32_RAW_01");
    });
  });

  it("knows hellos, heartbeats and pings in both encodings, and takes no sample for one", () => {
    const hello = {
      v: 1,
      device: "d",
      hello: true,
      location: "Ligne A",
      firmware: "2",
      mac: "aa:bb",
      ip: "10.0.0.7",
      sensors: { vl53l8ch: "0x29" },
      ack: true,
      t: "2026-11-22T10:23:52Z",
    } as const;
    const heartbeat = {
      v: 1,
      device: "d",
      heartbeat: true,
      uptimeS: 9,
      stats: { sent: 3 },
      buffered: 2,
      t: 1500,
    } as const;
    for (const encodeMessage of [encodeEnvelopeCbor, encodeEnvelopeJson]) {
      assert.deepEqual(parseControl(encodeMessage(hello)), {
        type: "hello",
        deviceId: "d",
        location: "Ligne A",
        lineId: "Ligne-A",
        firmware: "2",
        mac: "aa:bb",
        ip: "10.0.0.7",
        sensors: { vl53l8ch: "0x29" },
        wantsAck: true,
        timestamp: "2026-11-22T10:23:52.000Z",
      });
      assert.deepEqual(parseControl(encodeMessage(heartbeat)), {
        type: "heartbeat",
        deviceId: "d",
        uptimeS: 9,
        stats: { sent: 3 },
        bufferSize: 2,
        timestamp: "1970-01-01T00:00:01.500Z",
      });
      assert.equal(parseControl(encodeMessage(rawEnvelope())), null);
      assert.equal(parseControl(encodeMessage(rawEnvelope({ lot: "hello" }))), null);
    }
    assert.deepEqual(parseControl(Buffer.from('{"v":1,"ping":true}')), { type: "ping" });
    for (const bad of [
      { v: 2, device: "d", hello: true },
      { v: 1, device: "", hello: true },
      { v: 1, hello: true },
    ]) {
      assert.equal(parseControl(Buffer.from(encode(bad))), null);
    }
  });
});

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
const line = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(..."aéœ 7-") });
const list = (min: number, max: number) => (zones: number) =>
  fc.array(fc.double({ min, max, noNaN: true }), { minLength: zones, maxLength: zones });
const frame = fc.constantFrom(16, 64).chain((zones) =>
  fc.record(
    {
      distanceMm: list(0, 4000)(zones),
      status: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: zones, maxLength: zones }),
      reflectancePercent: list(0, 100)(zones),
      signal: list(0, 1e5)(zones),
      ambient: list(0, 1e5)(zones),
      rangeSigmaMm: list(0, 100)(zones),
    },
    { requiredKeys: ["distanceMm", "status"] },
  ),
);
const counts = fc.record({
  channels: fc.record(Object.fromEntries(CHANNELS.map((channel) => [channel, fc.integer({ min: 0, max: 65_535 })]))),
  gain: fc.constantFrom(0.5, 64, 512),
  atime: fc.integer({ min: 0, max: 255 }),
  astep: fc.integer({ min: 0, max: 65_534 }),
});
const anyEnvelope: fc.Arbitrary<DeviceEnvelope> = fc.record(
  {
    v: fc.constant(1 as const),
    device: id,
    boot: fc.oneof(id, fc.maxSafeNat()),
    seq: fc.maxSafeNat(),
    t: fc.oneof(
      fc.constant("2026-11-22T10:23:52Z"),
      fc.integer({ min: 0, max: 1_795_343_032_000 }),
      fc.integer({ min: 1e14, max: 1_795_343_032_000_000 }),
    ),
    product: id,
    sample: id,
    location: line,
    lot: line,
    eleveur: line,
    firmware: line,
    temperatureC: fc.double({ min: -40, max: 85, noNaN: true }),
    vl53l8ch: fc.oneof(frame, fc.constant({ raw: tofBytes() })),
    as7341: fc.oneof(counts, fc.constant({ raw: spectralBytes(), atime: 29, astep: 599 })),
  },
  { requiredKeys: ["v", "device", "vl53l8ch"] },
);

describe("the device envelope, whatever it says", () => {
  it("comes back from both encodings as the same sample, with every value it had", () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const [cbor, json] = [encodeEnvelopeCbor, encodeEnvelopeJson].map((to) => decodeBytes(to(envelope)));
        assert.ok(cbor && json && isSample(cbor));
        assert.deepEqual(content(cbor), content(json));
        assert.equal(cbor.deviceId, envelope.device);
        assert.equal(cbor.seq, envelope.seq);
        assert.equal(cbor.timeSource, envelope.t === undefined ? "server" : "device");
        if (envelope.vl53l8ch && "distanceMm" in envelope.vl53l8ch) {
          assert.deepEqual(cbor.vl53l8ch?.frame.distanceMm, envelope.vl53l8ch.distanceMm);
        }
        if (envelope.as7341 && "channels" in envelope.as7341) {
          assert.deepEqual(cbor.as7341?.reading.counts, { ...envelope.as7341.channels });
        }
      }),
    );
  });

  it("is a sample or is refused with a code, whatever bytes come in its place", () => {
    const decodesOrRefuses = (bytes: Buffer) => {
      try {
        assert.ok(isSample(decodeBytes(bytes)));
      } catch (error) {
        assert.ok(error instanceof CodedError, String(error));
        assert.notEqual(error.code, "");
        quarantineOf(entryOf(bytes), error);
      }
      parseControl(bytes);
    };
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(anyEnvelope, fc.array(change, { maxLength: 4 }), fc.nat(), (envelope, changes, cut) => {
        for (const to of [encodeEnvelopeCbor, encodeEnvelopeJson]) {
          const bytes = Buffer.from(to(envelope));
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          decodesOrRefuses(bytes);
          decodesOrRefuses(bytes.subarray(0, cut % bytes.length));
        }
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (vl53l8ch, as7341) => {
        decodesOrRefuses(Buffer.from(encode({ v: 1, device: "d", vl53l8ch, as7341 })));
      }),
    );
  });
});
