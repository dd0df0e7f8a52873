import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { withStNames } from "./st-names.ts";
import { decodeUld, toHostOrder } from "./uld.ts";
import type { UldFrame } from "./uld-frame.ts";
import { stConverted } from "./uld-scale.ts";

interface ExpectedArrays extends Record<string, unknown> {
  motion?: Record<string, number | number[]>;
}
interface Vector {
  name: string;
  driver: string;
  resolution: number;
  targets_per_zone: number;
  frame_hex: string;
  cnh_config?: { agg: number; feat: number };
  expected: {
    st_status: number;
    streamcount: number;
    silicon_temp_degc: number;
    raw: ExpectedArrays;
    converted: ExpectedArrays;
    cnh?: { ref_residual: number; aggregates: Record<string, number | number[]>[] };
  };
}

const file = new URL("../../test/fixtures/uld/uld_vectors.json", import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(file, "utf8")).vectors;

function check(frame: UldFrame, vector: Vector): void {
  const { expected } = vector;
  assert.equal(frame.zones, vector.resolution);
  assert.equal(frame.targetsPerZone, vector.targets_per_zone);
  assert.equal(frame.corrupted, expected.st_status === 2, frame.problems.join());
  assert.equal(frame.streamCount, expected.streamcount);
  assert.equal(frame.isOldDriver, vector.driver.includes("1.1."));
  // The old driver does not read the temperature, but the sensor sends it.
  if (!frame.isOldDriver) assert.equal(frame.siliconTempC, expected.silicon_temp_degc);
  assert.deepEqual(withStNames(frame.raw), expected.raw);
  const clampNegative = !vector.driver.includes("VL53L8CX");
  assert.deepEqual(withStNames(stConverted(frame.raw, { ...frame, clampNegative })), expected.converted);
  assert.deepEqual(
    frame.cnh?.raw.values.map((_, agg) => ({
      agg,
      hist_raw: frame.cnh?.raw.values[agg],
      hist_scaler: frame.cnh?.raw.scalers[agg],
      ambient_raw: frame.cnh?.raw.ambient[agg],
      ambient_scaler: frame.cnh?.raw.ambientScalers[agg],
      hist: frame.cnh?.values[agg],
      ambient: frame.cnh?.ambient[agg],
    })),
    expected.cnh?.aggregates,
  );
  assert.equal(frame.cnh?.raw.residual, expected.cnh?.ref_residual);
}

describe("decodeUld, ST's results", () => {
  for (const vector of vectors) {
    const bus = Buffer.from(vector.frame_hex, "hex");
    it(`${vector.name}, as on the bus`, () => {
      const frame = decodeUld(bus);
      assert.equal(frame.byteOrder, "bus");
      assert.equal(frame.byteLength, bus.length);
      check(frame, vector);
    });
    it(`${vector.name}, after the reversal`, () => {
      const frame = decodeUld(toHostOrder(bus));
      assert.equal(frame.byteOrder, "host");
      check(frame, vector);
    });
  }
});
