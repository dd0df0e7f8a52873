import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { cnhBufferBytes, decodeCnh } from "./cnh.ts";
import { cnhContentOf, encodeCnh } from "./cnh-encode.ts";
import { binCentreMm, cnhFeatures, DEVICE_BIN_MM } from "./cnh-features.ts";

const real = path.resolve(import.meta.dirname, "../../../shared/data/vl53l8ch_real_cnh.json");
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const scaler = fc.integer({ min: 0, max: 30 });

const content = fc
  .record({
    aggregates: fc.integer({ min: 1, max: 64 }),
    bins: fc.integer({ min: 1, max: 18 }),
    hasVariance: fc.boolean(),
  })
  .chain(({ aggregates, bins, hasVariance }) => {
    const row = <T>(element: fc.Arbitrary<T>, length: number) =>
      fc.array(element, { minLength: length, maxLength: length });
    const table = (element: fc.Arbitrary<number>) => row(row(element, bins), aggregates);
    return fc.record(
      {
        values: table(i32),
        scalers: table(scaler),
        ambient: row(i32, aggregates),
        ambientScalers: row(scaler, aggregates),
        residual: fc.integer({ min: 0, max: 0xffffffff }),
        ...(hasVariance && { variances: table(i32), varianceScalers: table(scaler) }),
      },
      { noNullPrototype: true },
    );
  });

/** A pulse as wide as the sensor's, seen through a window. */
function pulse(centreDeviceBin: number, startBin: number, subSample: number, bins: number, height = 1): number[] {
  return Array.from({ length: bins }, (_, bin) => {
    const at = startBin + (bin + 0.5) * subSample;
    return height * Math.exp(-0.5 * ((at - centreDeviceBin) / 2.1) ** 2);
  });
}

describe("CNH buffers", () => {
  it("read back what was encoded, ping or pong, with variance or without", () => {
    fc.assert(
      fc.property(content, fc.constantFrom<1 | 2>(1, 2), fc.constantFrom<0 | 1>(0, 1), (raw, buffers, current) => {
        const bytes = encodeCnh(raw, { buffers, current, accumulations: 7 });
        const cnh = decodeCnh(bytes);
        assert.deepEqual(cnh.raw, raw);
        assert.equal(cnh.buffer, buffers === 2 ? current : 0);
        assert.equal(cnh.accumulations, 7);
        assert.equal(cnh.values[0]?.[0], (raw.values[0]?.[0] ?? 0) / 2 ** (raw.scalers[0]?.[0] ?? 0));
        assert.equal(cnh.residual, raw.residual / 2048);
      }),
      { numRuns: 40 },
    );
  });

  it("have the sizes of ST's formula", () => {
    assert.equal(20 + cnhBufferBytes(16, 20, false), 1708);
    assert.equal(20 + cnhBufferBytes(9, 7, false), 392);
    assert.equal(20 + cnhBufferBytes(64, 18, false), 7556 - 1444 - 4);
  });

  it("take any bytes or refuse them with a code", () => {
    const decodes = (bytes: Uint8Array) => {
      try {
        decodeCnh(bytes);
      } catch (error) {
        assert.ok(error instanceof CodedError && error.code.startsWith("cnh-"), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodes));
    const whole = encodeCnh(cnhContentOf([[1, 2, 3]], [4]), { buffers: 2, current: 1 });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(19), fc.nat(255), (length, at, value) => {
        const bytes = whole.slice(0, length);
        if (at < length) bytes[at] = value;
        decodes(bytes);
      }),
    );
    assert.throws(() => decodeCnh(whole.subarray(0, 19)), { code: "cnh-too-short" });
    assert.throws(() => decodeCnh(whole.subarray(0, whole.length - 1)), { code: "cnh-overrun" });
    assert.throws(() => decodeCnh(Buffer.alloc(20)), { code: "cnh-bad-shape" });
  });

  it("keep histograms given as numbers to nine digits, negative bins too", () => {
    const { values, ambient } = decodeCnh(encodeCnh(cnhContentOf([[17.90625, -0.0401, 0, 1e6]], [131.97])));
    for (const [index, wanted] of [17.90625, -0.0401, 0, 1e6].entries())
      assert.ok(Math.abs((values[0]?.[index] ?? Number.NaN) - wanted) <= Math.max(1e-9, 1e-9 * Math.abs(wanted)));
    assert.ok(Math.abs((ambient[0] ?? 0) - 131.97) < 1e-6);
  });

  it("halve the values where an old recording did", () => {
    const bytes = encodeCnh(cnhContentOf([[8]], [2]));
    assert.deepEqual(decodeCnh(bytes, { halved: true }).values, [[4]]);
    assert.deepEqual(decodeCnh(bytes, { halved: true }).ambient, [1]);
  });

  it("of a real VL53L8CH are read as ST's plugin does", function () {
    if (!existsSync(real)) this.skip();
    const { cnh_raw_swapped_hex, config, expected } = JSON.parse(readFileSync(real, "utf8"));
    const cnh = decodeCnh(Buffer.from(cnh_raw_swapped_hex, "hex"));
    assert.equal(cnh.aggregates, config.nb_of_aggregates);
    assert.equal(cnh.bins, config.feature_length);
    assert.equal(cnh.raw.residual, expected.ref_residual);
    expected.aggregates.forEach((aggregate: Record<string, unknown>, index: number) => {
      assert.deepEqual(cnh.raw.values[index], aggregate.hist_raw);
      assert.deepEqual(cnh.raw.scalers[index], aggregate.hist_scaler);
      assert.deepEqual(cnh.values[index], aggregate.hist);
      assert.equal(cnh.raw.ambient[index], aggregate.ambient_raw);
      assert.equal(cnh.ambient[index], aggregate.ambient);
    });
  });
});

describe("CNH features", () => {
  it("put the centre of a bin in the middle of the device bins it adds up", () => {
    assert.equal(binCentreMm(0, { startBin: 0, subSample: 1 }), DEVICE_BIN_MM / 2);
    assert.equal(binCentreMm(3, { startBin: 10, subSample: 2 }), 17 * DEVICE_BIN_MM);
  });

  it("find the centroid of one pulse to a tenth of a bin, whatever the window", () => {
    for (const [startBin, subSample] of [
      [0, 1],
      [2, 2],
      [1, 3],
    ] as const) {
      const config = { startBin, subSample };
      const [features] = cnhFeatures([pulse(14.3, startBin, subSample, 30 / subSample)], [0.5], config);
      assert.ok(Math.abs((features?.centroidMm ?? 0) - 14.3 * DEVICE_BIN_MM) < 0.1 * DEVICE_BIN_MM);
      assert.ok(Math.abs((features?.widthMm ?? 0) - 2.1 * DEVICE_BIN_MM) < 0.5 * DEVICE_BIN_MM);
      assert.equal(features?.secondReturn, undefined);
      assert.ok((features?.tailShare ?? 1) < 0.02);
    }
  });

  it("tell a second return, its place and its share", () => {
    const main = pulse(8, 0, 1, 32);
    const second = pulse(22, 0, 1, 32, 0.3);
    const [features] = cnhFeatures([main.map((value, bin) => value + (second[bin] ?? 0))], [1], {
      startBin: 0,
      subSample: 1,
    });
    assert.ok(features?.secondReturn);
    assert.ok(Math.abs(features.secondReturn.bin - 21.5) <= 0.5);
    assert.ok(Math.abs(features.secondReturn.share - 0.3) < 0.02);
    assert.ok(features.tailShare > 0.2);
  });

  it("do not take the light of a closer step for a second return", () => {
    const main = pulse(8, 0, 1, 32);
    const step = pulse(9.3, 0, 1, 32, 0.8);
    const [features] = cnhFeatures([main.map((value, bin) => value + (step[bin] ?? 0))], [1]);
    assert.equal(features?.secondReturn, undefined);
  });

  it("say nothing of an empty window", () => {
    assert.deepEqual(cnhFeatures([[0, -1, 0]], [0]), [
      {
        energy: -1,
        peakBin: 0,
        peak: 0,
        centroidBin: null,
        widthBins: null,
        tailShare: 0,
        energyOverAmbient: null,
      },
    ]);
  });
});
