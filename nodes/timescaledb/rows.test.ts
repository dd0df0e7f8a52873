import assert from "node:assert/strict";
import { rests } from "../host/rests.ts";
import type { Sample, SpectralAnalysis } from "../sample/sample.ts";
import { makeSample } from "./fixture.test.ts";
import { SAMPLE_ROWS } from "./rows.ts";
import { onTheWire } from "./table.ts";

/** Cells of a sample's row in a table, by column. */
function cellsOf(name: string, sample: Sample): Record<string, unknown> {
  const table = SAMPLE_ROWS.find((one) => one.name === name);
  const columns = /\(([^)]*)\)/.exec(table?.insert ?? "")?.[1]?.split(", ") ?? [];
  const cells = table?.row({ entryId: "1", sample }) ?? [];
  return Object.fromEntries(columns.map((column, index) => [column, cells[index]]));
}

function withReading(change: object, analysis?: Partial<SpectralAnalysis>): Sample {
  const sample = makeSample();
  const { as7341 } = sample;
  assert.ok(as7341?.analysis);
  return {
    ...sample,
    as7341: { ...as7341, reading: { ...as7341.reading, ...change }, analysis: { ...as7341.analysis, ...analysis } },
  };
}

describe("rows of a spectral reading", () => {
  it("are null where a figure needs a calibration that is not there", () => {
    const color = {
      l: Number.NaN,
      a: Number.NaN,
      b: Number.NaN,
      deltaE: Number.NaN,
      referenceId: "r",
      calibrated: false,
    };
    const cells = cellsOf(
      "as7341_analysis",
      withReading(
        {},
        { color, oxidationIndex: Number.NaN, calibrated: false, uncalibratedReasons: ["no-calibration"] },
      ),
    );
    const { color_l, delta_e, oxidation_index, blood_index, reflectance, calibrated, uncalibrated_reasons } = cells;
    assert.deepEqual(
      [color_l, delta_e, oxidation_index, blood_index, reflectance, calibrated, uncalibrated_reasons],
      [null, null, null, null, null, false, '["no-calibration"]'],
    );
  });

  it("are null for channels that the device does not have", () => {
    const cells = cellsOf("as7341_raw", withReading({ absent: ["Clear", "NIR"], aTime: 29, moved: true }));
    assert.deepEqual([cells.clear, cells.nir, cells.absent], [null, null, '["Clear","NIR"]']);
    assert.deepEqual([typeof cells.f1, cells.atime, cells.moved, cells.flicker_hz], ["number", 29, true, null]);
  });
});

describe("rows of a sample", () => {
  it("keep the histogram figures we computed, and those of the device once: in its message, else among its features", () => {
    const sample = makeSample();
    const { vl53l8ch } = sample;
    assert.ok(vl53l8ch?.analysis);
    const { analysis } = vl53l8ch;
    const { histogram } = analysis;
    assert.ok(histogram);
    const from = (source: typeof histogram.source): Sample => ({
      ...sample,
      vl53l8ch: {
        ...vl53l8ch,
        features: { histogramFigures: histogram.figures },
        analysis: { ...analysis, histogram: { ...histogram, source } },
      },
    });
    const computed = cellsOf("vl53l8ch_analysis", from("histogram"));
    assert.deepEqual(JSON.parse(String(computed.histogram_figures)), JSON.parse(JSON.stringify(histogram.figures)));
    const device = cellsOf("vl53l8ch_analysis", from("device"));
    assert.deepEqual([device.histogram_figures, device.histogram_source], [null, "device"]);
    assert.equal(device.histogram_texture, histogram.means.texture);
    const withMessage = from("device");
    assert.ok(withMessage.vl53l8ch?.raw && withMessage.vl53l8ch.features);
    withMessage.vl53l8ch.features.zoneSideMm = 37.5;
    assert.deepEqual(JSON.parse(String(cellsOf("vl53l8ch_raw", withMessage).features)), { zoneSideMm: 37.5 });
    const { raw: _raw, ...withoutMessage } = withMessage.vl53l8ch;
    const { features } = cellsOf("vl53l8ch_raw", { ...withMessage, vl53l8ch: withoutMessage });
    assert.deepEqual(JSON.parse(String(features)).histogramFigures, JSON.parse(JSON.stringify(histogram.figures)));
  });

  it("keep the id of the calibration that its figures were made with", () => {
    const sample = makeSample();
    const calibration = {
      calibrationId: "D1-v7+D1-v4",
      deviceId: "D1",
      version: 7,
      validFrom: "2026-01-01T00:00:00Z",
      validUntil: "2027-01-01T00:00:00Z",
      madeBy: "A. Martin",
      reason: "shift",
    };
    for (const table of ["vl53l8ch_analysis", "as7341_analysis", "fusion_results"]) {
      assert.equal(cellsOf(table, { ...sample, calibration }).calibration_id, calibration.calibrationId, table);
      assert.equal(cellsOf(table, sample).calibration_id, null, table);
    }
  });
});

describe("parameters of many rows", () => {
  it("are made with rests, in which sockets and timers have their turn", async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    const [table] = SAMPLE_ROWS;
    const row = table?.row({ entryId: "1", sample: makeSample() });
    assert.ok(table && row);
    const parameters = await onTheWire(table.parameters(new Array(5000).fill(row)), rests());
    clearInterval(timer);
    assert.ok(parameters.length > 20);
    assert.ok(turns > 1, `${turns} turns`);
  });
});
