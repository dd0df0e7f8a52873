import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { cnhContentOf, encodeCnh } from "./cnh-encode.ts";
import { tofFrameOfRaw } from "./read-tof.ts";
import { decodeUld, toHostOrder } from "./uld.ts";
import { TARGET_INDEX } from "./uld-blocks.ts";
import { encodeUld, rawOfPhysical, type UldContent, type UldEncodeOptions } from "./uld-encode.ts";
import type { RawOutputs } from "./uld-frame.ts";
import { stConverted } from "./uld-scale.ts";

const real = path.resolve(import.meta.dirname, "../../../shared/data/vl53l8cx_real_frames.json");

interface RealFrame {
  frame_hex: string;
  header_id: number;
  expected: {
    streamcount: number;
    silicon_temp_degc: number;
    raw: Record<string, number[]>;
    converted: Record<string, number[]>;
  };
}

function realFrames(): RealFrame[] {
  return existsSync(real) ? JSON.parse(readFileSync(real, "utf8")).frames : [];
}

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u8 = fc.integer({ min: 0, max: 255 });
const i16 = fc.integer({ min: -0x8000, max: 0x7fff });
const many = (element: fc.Arbitrary<number>, length: number) =>
  fc.array(element, { minLength: length, maxLength: length });
const motion = fc.record(
  {
    globalIndicator1: u32,
    globalIndicator2: u32,
    status: u8,
    detectedAggregates: u8,
    aggregates: u8,
    motion: many(u32, 32),
  },
  { noNullPrototype: true },
);

/** Any frame a driver could ask for: family, targets, subset of outputs, CNH or not. */
const encodable: fc.Arbitrary<{ content: UldContent; options: UldEncodeOptions }> = fc
  .record({
    zones: fc.constantFrom<16 | 64>(16, 64),
    targetsPerZone: fc.integer({ min: 1, max: 4 }),
    old: fc.boolean(),
    padTo64: fc.boolean(),
    footer: fc.constantFrom<4 | 12>(4, 12),
    byteOrder: fc.constantFrom<"bus" | "host">("bus", "host"),
  })
  .chain(({ zones, targetsPerZone, old, padTo64, footer, byteOrder }) => {
    const cells = zones * targetsPerZone;
    const raw: fc.Arbitrary<RawOutputs> = fc.record(
      {
        ambientPerSpad: many(u32, zones),
        spadsEnabled: many(u32, zones),
        targetCount: many(fc.integer({ min: 0, max: targetsPerZone }), zones),
        signalPerSpad: many(u32, cells),
        rangeSigma: many(u16, cells),
        distance: many(i16, cells),
        reflectance: many(u8, cells),
        targetStatus: many(fc.constantFrom(0, 4, 5, 6, 9, 255), cells),
        motion,
      },
      { noNullPrototype: true, requiredKeys: targetsPerZone > 1 ? ["distance"] : ["targetStatus"] },
    );
    const histograms = fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 7 }))
      .chain(([aggregates, bins]) =>
        many(fc.double({ min: -1e3, max: 1e6, noNaN: true }), aggregates * bins).map((values) =>
          encodeCnh(
            cnhContentOf(
              Array.from({ length: aggregates }, (_, a) => values.slice(a * bins, (a + 1) * bins)),
              values.slice(0, aggregates).concat(new Array(aggregates).fill(0)).slice(0, aggregates),
            ),
          ),
        ),
      );
    const content = fc.record(
      {
        zones: fc.constant(zones),
        targetsPerZone: fc.constant(targetsPerZone),
        raw,
        streamCount: fc.integer({ min: 0, max: 254 }),
        frameId: u16,
        siliconTempC: fc.integer({ min: -128, max: 127 }),
        deviceTimestamp: u32,
        cnh: histograms,
      },
      { noNullPrototype: true, requiredKeys: ["zones", "targetsPerZone", "raw", "streamCount", "frameId"] },
    );
    const options: UldEncodeOptions = {
      byteOrder,
      ...(old
        ? { ...(targetsPerZone === 1 && { family: "old" as const }), footer: "none" as const }
        : { footer, padTo64: padTo64 && zones === 16 && targetsPerZone === 1 }),
    };
    return content.map((c) => ({ content: c, options }));
  });

/** Decoding may refuse, but only with a code. */
function decodes(bytes: Uint8Array): void {
  try {
    const frame = decodeUld(bytes);
    const zones = frame.zones;
    for (const values of Object.values(frame.raw))
      if (Array.isArray(values)) {
        assert.ok(values.length === zones || values.length === zones * frame.targetsPerZone);
        assert.ok(values.every(Number.isInteger));
      }
    tofFrameOfRaw(bytes);
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code.startsWith("uld-"), String(error));
  }
}

describe("decodeUld", () => {
  it("gives back what was encoded, in every family, subset and byte order", () => {
    fc.assert(
      fc.property(encodable, ({ content, options }) => {
        const bytes = encodeUld(content, options);
        const frame = decodeUld(bytes);
        assert.deepEqual(frame.problems, []);
        assert.equal(frame.corrupted, false);
        assert.equal(frame.byteOrder, options.byteOrder);
        assert.equal(frame.byteLength, bytes.length);
        assert.deepEqual(frame.raw, content.raw);
        assert.equal(frame.targetsPerZone, content.targetsPerZone);
        assert.equal(frame.streamCount, content.streamCount);
        assert.equal(frame.siliconTempC, content.siliconTempC);
        assert.equal(frame.isOldDriver, options.footer === "none");
        assert.equal(frame.cnh !== undefined, content.cnh !== undefined);
        if (options.footer !== "none") {
          assert.deepEqual(rawOfPhysical({ ...frame.physical, targetStatus: content.raw.targetStatus ?? [] }), {
            ...content.raw,
            targetStatus: content.raw.targetStatus ?? [],
          });
        }
      }),
      { numRuns: 60 },
    );
  });

  it("decodes any byte string or refuses it with a code, whatever it stands in", () => {
    const start = fc.constantFrom(Buffer.from("0000000d", "hex"), Buffer.from("0d000000", "hex"));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodes));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        start,
        fc.uint8Array({ maxLength: 600 }),
        (a, b, c) => decodes(Buffer.concat([a, b, c])),
      ),
    );
  });

  it("decodes mutated frames or refuses them with a code, and reads nothing outside", () => {
    const whole = encodeUld({
      zones: 64,
      raw: { distance: new Array(64).fill(400), targetStatus: new Array(64).fill(5) },
    });
    const frames = [
      whole,
      ...realFrames()
        .slice(0, 3)
        .map(({ frame_hex }) => Buffer.from(frame_hex, "hex")),
    ];
    const mutation = fc.tuple(fc.nat(), u8);
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(mutation, { maxLength: 8 }),
        fc.nat(),
        fc.boolean(),
        (frame, mutations, cut, isCut) => {
          // In the middle of other bytes: reading past either end would show in the values of the second decoding.
          const length = isCut ? cut % (frame.length + 1) : frame.length;
          const embed = (fill: number) => {
            const around = Buffer.alloc(length + 64, fill);
            const inside = around.subarray(32, 32 + length);
            inside.set(frame.subarray(0, length));
            for (const [at, value] of mutations) if (length > 0) inside[at % Math.min(length, 64)] = value;
            return inside;
          };
          decodes(embed(0));
          const outcome = (bytes: Uint8Array) => {
            try {
              return decodeUld(bytes);
            } catch (error) {
              return String(error);
            }
          };
          assert.deepEqual(outcome(embed(0)), outcome(embed(0xff)));
        },
      ),
    );
  });

  it("marks cut frames, whatever is cut", () => {
    const frame = encodeUld({
      zones: 16,
      raw: { distance: new Array(16).fill(400), targetStatus: new Array(16).fill(5) },
    });
    for (let length = 24; length < frame.length; length += 1) {
      const { corrupted, valid } = decodeUld(frame.subarray(0, length));
      assert.ok(corrupted, `cut to ${length}`);
      assert.ok(!valid.includes(true));
    }
    assert.throws(() => decodeUld(frame.subarray(0, 15)), { code: "uld-too-short" });
    assert.throws(() => decodeUld(frame.subarray(0, 20)), { code: "uld-no-zones" });
    assert.throws(() => decodeUld(Buffer.alloc(100)), { code: "uld-no-start" });
  });

  it("skips blocks nobody documents and knows zones without the common block", () => {
    const raw = { distance: new Array(16).fill(-7), targetStatus: new Array(16).fill(9) };
    const bytes = encodeUld(
      { zones: 16, raw },
      { byteOrder: "host", extraBlocks: [{ index: 0xa2a8, bytes: Buffer.alloc(128, 7) }] },
    );
    const frame = decodeUld(bytes);
    assert.deepEqual(frame.unknownBlocks, [0xa2a8]);
    assert.deepEqual(frame.raw, raw);
    assert.equal(frame.physical.distanceMm?.[0], -1.75);
    const common = Buffer.from(bytes).indexOf(Buffer.from("4000c054", "hex"));
    bytes.set(Buffer.from("4000ffff", "hex"), common);
    const without = decodeUld(bytes);
    assert.equal(without.zones, 16);
    assert.equal(without.corrupted, false);
  });

  it("gives a zone without target the status 255 and keeps its distance", () => {
    const raw = {
      targetCount: [0, ...new Array(15).fill(1)],
      distance: new Array(16).fill(104),
      targetStatus: new Array(16).fill(5),
    };
    const { physical, valid } = decodeUld(encodeUld({ zones: 16, raw }));
    assert.deepEqual(
      [physical.targetStatus?.[0], physical.distanceMm?.[0], valid[0], valid[1]],
      [255, 26, false, true],
    );
  });

  it("does not halve the old driver's reflectance, with one target or more", () => {
    for (const targetsPerZone of [1, 2]) {
      const raw = {
        distance: new Array(16 * targetsPerZone).fill(8),
        reflectance: new Array(16 * targetsPerZone).fill(35),
      };
      const old = targetsPerZone === 1 ? { family: "old" as const } : { footer: "none" as const };
      assert.equal(decodeUld(encodeUld({ zones: 16, targetsPerZone, raw }, old)).physical.reflectancePercent?.[0], 35);
      assert.equal(decodeUld(encodeUld({ zones: 16, targetsPerZone, raw })).physical.reflectancePercent?.[0], 17.5);
    }
  });

  it("reports blocks of two families, short blocks and the sensor's own error", () => {
    const raw = { distance: new Array(64).fill(8), targetStatus: new Array(64).fill(5) };
    const bytes = Buffer.from(encodeUld({ zones: 64, raw }, { byteOrder: "host" }));
    const status = bytes.indexOf(Buffer.from([0x01, 0x04, 0x84, 0xe0]));
    const mixed = Buffer.from(bytes);
    mixed.writeUInt16LE(TARGET_INDEX.targetStatus.old, status + 2);
    assert.deepEqual(decodeUld(mixed).problems, ["mixed-families"]);
    const short = Buffer.from(bytes);
    short.writeUInt16LE(0xdf44, status + 2);
    assert.deepEqual(decodeUld(short).problems, ["short-block"]);
    bytes[0] = 0x91;
    bytes[1] = 66;
    assert.equal(decodeUld(bytes).deviceError, 66);
  });

  it("takes the statuses that count as valid from the options", () => {
    const bytes = encodeUld({ zones: 16, raw: { targetStatus: Array.from({ length: 16 }, (_, i) => i) } });
    const valid = (statuses?: number[]) =>
      decodeUld(bytes, statuses ? { validStatuses: statuses } : {}).valid.flatMap((isValid, i) => (isValid ? [i] : []));
    assert.deepEqual(valid(), [5, 9]);
    assert.deepEqual(valid([5]), [5]);
  });

  it("reads the frames of a real VL53L8CX as ST does, in either byte order", function () {
    const frames = realFrames();
    if (frames.length === 0) this.skip();
    for (const { frame_hex, header_id, expected } of frames) {
      const bus = Buffer.from(frame_hex, "hex");
      for (const bytes of [bus, toHostOrder(bus)]) {
        const frame = decodeUld(bytes);
        assert.deepEqual(frame.problems, []);
        assert.equal(frame.frameId, header_id);
        assert.equal(frame.byteLength, bus.length);
        assert.equal(frame.streamCount, expected.streamcount);
        assert.equal(frame.siliconTempC, expected.silicon_temp_degc);
        const st = stConverted(frame.raw, { ...frame, clampNegative: false });
        for (const [outputs, wanted] of [
          [frame.raw, expected.raw],
          [st, expected.converted],
        ] as const) {
          assert.deepEqual(outputs.distance, wanted.distance_mm);
          assert.deepEqual(outputs.signalPerSpad, wanted.signal_per_spad);
          assert.deepEqual(outputs.rangeSigma, wanted.range_sigma_mm);
          assert.deepEqual(outputs.reflectance, wanted.reflectance);
          assert.deepEqual(outputs.targetStatus, wanted.target_status);
          assert.deepEqual(outputs.targetCount, wanted.nb_target_detected);
          assert.deepEqual(outputs.ambientPerSpad, wanted.ambient_per_spad);
          assert.deepEqual(outputs.spadsEnabled, wanted.nb_spads_enabled);
        }
      }
    }
  });
});
