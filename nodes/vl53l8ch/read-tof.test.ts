import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { cnhContentOf, encodeCnh } from "./cnh-encode.ts";
import { readTof, tofFrameOfRaw } from "./read-tof.ts";
import { toTofFrame } from "./to-tof-frame.ts";
import { toHostOrder } from "./uld.ts";
import { encodeUld } from "./uld-encode.ts";

const shared = path.resolve(import.meta.dirname, "../../../shared/data");
const grid = (zones: number) => Array.from({ length: zones }, (_, zone) => 100 + zone);
const rowsOf = (values: readonly number[], side: number) =>
  Array.from({ length: side }, (_, row) => values.slice(row * side, (row + 1) * side));
const distances = (input: Uint8Array | string) => readTof(input).frames.map(({ physical }) => physical.distanceMm);

function frame(streamCount: number, distanceMm = 300): Buffer {
  const raw = { distance: new Array(16).fill(distanceMm * 4), targetStatus: new Array(16).fill(5) };
  return Buffer.from(encodeUld({ zones: 16, raw, streamCount, frameId: streamCount + 7 }));
}

describe("readTof, bytes", () => {
  const three = Buffer.concat([1, 2, 3].map((count) => frame(count)));
  const counts = (input: Uint8Array | string) => readTof(input).frames.map(({ streamCount }) => streamCount);

  it("tells bytes, hex and base64, one frame or many", () => {
    const hexLines = [1, 2, 3].map((count) => frame(count).toString("hex")).join("\n");
    const commas = Array.from(frame(1), (byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(", ");
    const dump = (
      frame(1)
        .toString("hex")
        .match(/.{1,32}/g) ?? []
    ).join("\r\n");
    const cases: [input: Uint8Array | string, form: string, counts: number[]][] = [
      [frame(1), "bytes", [1]],
      [three, "bytes", [1, 2, 3]],
      [toHostOrder(three), "bytes", [1, 2, 3]],
      [hexLines, "hex", [1, 2, 3]],
      [Buffer.from(hexLines), "hex", [1, 2, 3]],
      [commas, "hex", [1]],
      [dump, "hex", [1]],
      [frame(1).toString("base64"), "base64", [1]],
      [[1, 2].map((count) => frame(count).toString("base64")).join("\n"), "base64", [1, 2]],
    ];
    for (const [input, form, streams] of cases) {
      assert.equal(readTof(input).form, form);
      assert.deepEqual(counts(input), streams);
    }
  });

  it("goes on behind a cut frame and behind foreign bytes", () => {
    const bytes = Buffer.concat([frame(1), Buffer.from("noise"), frame(2).subarray(0, 61), frame(3)]);
    assert.deepEqual(counts(bytes), [1, 2, 3]);
    assert.deepEqual(
      readTof(bytes).frames.map(({ corrupted }) => corrupted),
      [false, true, false],
    );
  });

  it("takes a CNH buffer alone, in either byte order", () => {
    const buffer = encodeCnh(cnhContentOf([[1, 2, 4]], [0.5]));
    for (const bytes of [buffer, toHostOrder(buffer)])
      assert.deepEqual(readTof(bytes).frames[0]?.cnh?.values, [[1, 2, 4]]);
  });

  it("reads the real recordings", function () {
    const file = path.join(shared, "vl53l8ch_real_cnh.json");
    if (!existsSync(file)) this.skip();
    const { cnh_raw_swapped_hex, expected } = JSON.parse(readFileSync(file, "utf8"));
    const { form, frames } = readTof(String(cnh_raw_swapped_hex));
    assert.equal(form, "hex");
    assert.deepEqual(frames[0]?.cnh?.values[3], expected.aggregates[3].hist);
  });

  it("refuses with a code", () => {
    for (const [input, code] of [
      ["", "tof-unknown-form"],
      [Buffer.alloc(0), "tof-unknown-form"],
      [Buffer.alloc(40), "uld-no-start"],
      [Buffer.from([0, 1, 2]), "uld-too-short"],
      ["00 01 02", "uld-too-short"],
      ["hello", "tof-unknown-form"],
      ["{", "tof-not-json"],
      ["[1,2,3]", "tof-no-frame"],
      [JSON.stringify({ distance_mm: grid(16), status: grid(64) }), "tof-bad-shape"],
    ] as const)
      assert.throws(() => readTof(input), { code }, String(input));
  });

  it("never throws anything else, whatever comes", () => {
    const reads = (input: Uint8Array | string) => {
      try {
        for (const found of readTof(input).frames) if (found.side) toTofFrame({ ...found, side: found.side });
      } catch (error) {
        assert.ok(error instanceof CodedError, String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), reads));
    fc.assert(fc.property(fc.string({ maxLength: 200 }), reads));
    fc.assert(fc.property(fc.json(), reads));
    const pieces = fc.constantFrom(
      "Agg, 0, Ambient, 1, Bins, 2",
      "Zone 0: No target",
      "\t1\t2\t3\t4",
      "D",
      "\n",
      "|",
      "-----",
      "1,2,3",
      "X : X",
      "0 1 2 3",
    );
    fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => reads(parts.join("\n"))));
  });
});

describe("readTof, text forms", () => {
  const check = (input: string, form: string, expected: number[][]) => {
    assert.equal(readTof(input).form, form);
    assert.deepEqual(distances(input), expected);
  };

  it("JSON: flat, nested, named, many, one to the line", () => {
    check(JSON.stringify(grid(64)), "json", [grid(64)]);
    check(JSON.stringify(rowsOf(grid(16), 4)), "json", [grid(16)]);
    check(JSON.stringify({ tof: rowsOf(grid(64), 8) }), "json", [grid(64)]);
    check(JSON.stringify({ data: grid(64), t: 1 }), "json", [grid(64)]);
    check([grid(16), grid(16)].map((values) => JSON.stringify({ distance: values })).join("\n"), "json", [
      grid(16),
      grid(16),
    ]);
    check(JSON.stringify([rowsOf(grid(16), 4), rowsOf(grid(16), 4)]), "json", [grid(16), grid(16)]);
    const message = {
      type: "sensor_data",
      vl53l8ch: { distance_matrix: rowsOf(grid(64), 8), status_matrix: rowsOf(new Array(64).fill(5), 8) },
    };
    assert.deepEqual(readTof(JSON.stringify(message)).frames[0]?.physical.targetStatus, new Array(64).fill(5));
  });

  it("lines of 16 or 64 numbers, and rows of a grid", () => {
    check(`${grid(64).join(",")}\n${grid(64).join(",")}\n`, "number-rows", [grid(64), grid(64)]);
    check(`${grid(16).join(" ")} \n`, "number-rows", [grid(16)]);
    const alvik = rowsOf(grid(64), 8).map((row) => `${row.join(" ")} `);
    check(`${alvik.slice(5).join("\n")}\n\n${alvik.join("\n")}\n\n${alvik.join("\n")}\n\n`, "number-rows", [
      grid(64),
      grid(64),
    ]);
  });

  it("numbers behind a banner and a heading", () => {
    const heading = grid(16).map((_, zone) => `z${zone}`);
    check(`VL53L8CX ready\r\n${heading.join(",")}\r\n${grid(16).join(",")}\r\n`, "number-rows", [grid(16)]);
    assert.throws(() => readTof("VL53L8CX ready, 64 zones\n1,2,3\n"), { code: "tof-unknown-form" });
  });

  it("SparkFun's rows, columns put back", () => {
    const printed = rowsOf(grid(64), 8).map((row) =>
      row
        .toReversed()
        .map((value) => `\t${value}`)
        .join(""),
    );
    check(`Initializing\r\n${printed.join("\r\n")}\r\n\r\n`, "sparkfun-rows", [grid(64)]);
  });

  it("ST's lines per zone, and the Arduino library's with histograms", () => {
    const st = grid(16).map(
      (mm, zone) =>
        `Zone : ${String(zone).padStart(3)}, Status : ${"5".padStart(3)}, Distance : ${String(mm).padStart(4)} mm`,
    );
    check(
      `Print data no :   1\r\n${st.join("\r\n")}\r\n\r\nPrint data no :   2\r\n${st.join("\r\n")}\r\n`,
      "labelled-lines",
      [grid(16), grid(16)],
    );
    const zones = grid(16).map((mm, zone) =>
      zone === 3 ? "Zone 3: No target" : `Zone ${zone}: Distance=${mm}mm, Status=9`,
    );
    const aggregates = [0, 1].map((a) => `Aggregate ${a}, Ambient: 1.5, Bins: ${a}.25, -0.5, 3.00`);
    const [first, second] = readTof([...zones, ...aggregates, ...zones, ...aggregates].join("\n")).frames;
    assert.deepEqual(first, second);
    assert.equal(first?.physical.targetStatus?.[3], 255);
    assert.equal(first?.physical.distanceMm?.[4], 104);
    assert.deepEqual(first?.cnh?.values[1], [1.25, -0.5, 3]);
  });

  it("ST's CNH lines (Example 12)", () => {
    const lines = [0, 1, 2].map((a) => `Agg, ${String(a).padStart(2)}, Ambient, 2.91, Bins, 17.91, -4.07, 2.0${a},`);
    const { form, frames } = readTof([...lines, ...lines].join("\r\n"));
    assert.equal(form, "labelled-lines");
    assert.equal(frames.length, 2);
    assert.deepEqual(frames[1]?.cnh, {
      aggregates: 3,
      bins: 3,
      values: [
        [17.91, -4.07, 2],
        [17.91, -4.07, 2.01],
        [17.91, -4.07, 2.02],
      ],
      ambient: [2.91, 2.91, 2.91],
    });
  });

  it("ST's coloured table, from right to left, with signal and ambient or without", () => {
    const bar = " -----------------".repeat(4);
    const empty = `${"|                 ".repeat(4)}|`;
    const table = (hasSignal: boolean) => {
      const rows = rowsOf(grid(16), 4).flatMap((row) => {
        const cells = row.toReversed();
        const shown = cells.map((mm) =>
          mm === 101 ? "|     X  :      X " : `| \u001b[38;5;10m${String(mm).padStart(5)}\u001b[0m  :      5 `,
        );
        const rates = cells.map((mm) =>
          mm === 101 ? "|     X  :      X " : `| ${String(mm * 2).padStart(5)}  :  ${String(mm - 90).padStart(5)} `,
        );
        return [bar, empty, `${shown.join("")}|`, ...(hasSignal ? [`${rates.join("")}|`] : [])];
      });
      return [
        "\u001b[2H53L8A1 Simple Ranging demo application",
        "------------------------------",
        "Cell Format :",
        "",
        ...rows,
        bar,
      ].join("\n");
    };
    const [first, second] = readTof(`${table(false)}\n${table(true)}\n`).frames;
    assert.equal(readTof(table(true)).form, "st-table");
    assert.deepEqual(
      first?.physical.distanceMm,
      grid(16).map((mm) => (mm === 101 ? 0 : mm)),
    );
    assert.deepEqual(first?.physical.targetStatus?.slice(0, 3), [5, 255, 5]);
    assert.equal(first?.physical.signalKcpsPerSpad, undefined);
    assert.deepEqual(second?.physical.signalKcpsPerSpad?.slice(0, 3), [200, 0, 204]);
    assert.deepEqual(second?.physical.ambientKcpsPerSpad?.slice(0, 3), [10, 0, 12]);
  });

  it("a drone's log, where a zone may hold a distance and no target", () => {
    const log = ["1234,0,0", "26,0,255", ...grid(63).map((mm) => `${mm},1,5`)].join("\n");
    const { form, frames } = readTof(`${log}\n${log}\n`);
    assert.equal(form, "drone-log");
    assert.equal(frames.length, 2);
    assert.equal(frames[0]?.deviceTimestamp, 1234);
    assert.deepEqual(frames[0]?.physical.targetStatus?.slice(0, 2), [255, 5]);
  });

  it("aggregates in thousandths", () => {
    const lines = grid(16).map((mm, aggregate) => `${aggregate} 1500 ${mm} 250 -1000 17910`);
    const [first] = readTof(`D\n${lines.join("\n")}\n`).frames;
    assert.equal(readTof(`D\n${lines.join("\n")}\n`).form, "thousandths");
    assert.deepEqual(first?.cnh?.values[7], [0.25, -1, 17.91]);
    assert.deepEqual(first?.physical.distanceMm, grid(16));
  });

  it("the evaluation kit's CSV, nan where there is nothing", () => {
    const zones = Array.from({ length: 16 }, (_, zone) => zone);
    const header = [
      "streamcount",
      "time_stamp",
      "silicon_temp_degc",
      ...zones.map((z) => `target_status_z${z}`),
      ...zones.map((z) => `distance_mm_z${z}`),
      ...zones.map((z) => `range_sigma_estimated_z${z}`),
      "cnh__ambient_level_a0",
      "cnh__hist_bin_0_a0",
      "cnh__hist_bin_1_a0",
    ].join(",");
    const row = [
      "12",
      "99.5",
      "31",
      ...zones.map(() => "5.0"),
      "nan",
      ...zones.slice(1).map((z) => `${z}.25`),
      ...zones.map(() => "0.5"),
      "2.5",
      "1.25",
      "-0.5",
    ].join(",");
    const { form, frames } = readTof(`${header}\r\n${row}\r\n${row}\r\n`);
    assert.equal(form, "evaluation-kit");
    assert.equal(frames.length, 2);
    const [first] = frames;
    assert.deepEqual([first?.streamCount, first?.siliconTempC, first?.deviceTimestamp], [12, 31, 99.5]);
    assert.deepEqual(first?.physical.distanceMm?.slice(0, 3), [0, 1.25, 2.25]);
    assert.deepEqual(first?.cnh, { aggregates: 1, bins: 2, values: [[1.25, -0.5]], ambient: [2.5] });
  });
});

describe("toTofFrame", () => {
  const ofDistances = (values: number[]) => ({
    side: 4 as const,
    targetsPerZone: 1,
    physical: { distanceMm: values, targetStatus: new Array(16).fill(5) },
    corrupted: false,
  });

  it("turns the grid: flips first, then clockwise quarter turns", () => {
    const turned = (orientation: object) => rowsOf(toTofFrame(ofDistances(grid(16)), { orientation }).distanceMm, 4);
    assert.deepEqual(turned({})[0], [100, 101, 102, 103]);
    assert.deepEqual(turned({ flipX: true })[0], [103, 102, 101, 100]);
    assert.deepEqual(turned({ flipY: true })[0], [112, 113, 114, 115]);
    assert.deepEqual(turned({ quarterTurns: 1 })[0], [112, 108, 104, 100]);
    assert.deepEqual(turned({ quarterTurns: 2 })[0], [115, 114, 113, 112]);
    assert.deepEqual(turned({ quarterTurns: 3 })[0], [103, 107, 111, 115]);
    assert.deepEqual(turned({ flipX: true, quarterTurns: 1 })[0], [115, 111, 107, 103]);
  });

  it("turns histograms' zone map with the zones", () => {
    const zoneMap = grid(16).map((value) => value - 100);
    const cnh = {
      aggregates: 16,
      bins: 1,
      values: grid(16).map((v) => [v]),
      ambient: grid(16),
      config: { startBin: 2, subSample: 3, zoneMap },
    };
    const frame = toTofFrame({ ...ofDistances(grid(16)), cnh }, { orientation: { quarterTurns: 1 } });
    for (const [zone, mm] of frame.distanceMm.entries())
      assert.deepEqual(frame.cnh?.values[frame.cnh.zoneMap?.[zone] ?? -1], [mm]);
    assert.deepEqual([frame.cnh?.startBin, frame.cnh?.subSample], [2, 3]);
  });

  it("takes the first valid target of a zone, and keeps them all", () => {
    const raw = { distance: [400, 800, ...new Array(30).fill(40)], targetStatus: [4, 9, ...new Array(30).fill(5)] };
    const bytes = encodeUld({ zones: 16, targetsPerZone: 2, raw, siliconTempC: 30, streamCount: 4 });
    const frame = tofFrameOfRaw(bytes, { orientation: { flipX: true } });
    assert.deepEqual([frame.distanceMm[3], frame.status[3], frame.distanceMm[2]], [200, 9, 10]);
    assert.deepEqual(frame.targets?.distanceMm?.slice(6, 8), [100, 200]);
    assert.deepEqual([frame.siliconTempC, frame.streamCount, frame.corrupted], [30, 4, false]);
    assert.deepEqual(frame.missing, ["reflectancePercent", "signal", "ambient"]);
    assert.deepEqual(tofFrameOfRaw(bytes, { validStatuses: [5] }).distanceMm[0], 100);
  });

  it("leaves no zone valid in a corrupted frame, nor without statuses", () => {
    const bytes = frame(3);
    bytes[bytes.length - 1] = 0xee;
    const corrupted = tofFrameOfRaw(bytes);
    assert.deepEqual([corrupted.corrupted, corrupted.validStatuses], [true, []]);
    const [reading] = readTof(JSON.stringify(grid(16))).frames;
    assert.ok(reading?.side);
    const without = toTofFrame({ ...reading, side: reading.side });
    assert.deepEqual([without.missing?.includes("status"), without.status[0]], [true, 255]);
    assert.equal(toTofFrame({ ...reading, side: reading.side }, { statusWhenMissing: 5 }).status[0], 5);
  });
});
