import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const script = path.join(import.meta.dirname, "decode.ts");
const vectors = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../test/fixtures/uld/uld_vectors.json"), "utf8"),
).vectors;

function decode(args: string[], input: string | Buffer = "") {
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], { input, encoding: "utf8" });
  return { status, stderr, json: stdout.startsWith("{") ? JSON.parse(stdout) : undefined };
}

describe("npm run decode", () => {
  const { frame_hex, expected } = vectors.find((vector: { name: string }) => vector.name === "l8ch_cnh_8x8_m2_20b");

  it("prints a frame of standard input: physical, raw, converted, status, histograms", () => {
    const { status, json } = decode(["vl53l8ch", "-", "--start-bin", "10", "--sub-sample", "2"], frame_hex);
    assert.equal(status, 0);
    assert.equal(json.form, "hex");
    const [frame] = json.frames;
    assert.equal(frame.corrupted, false);
    assert.deepEqual(frame.raw, expected.raw);
    assert.equal(frame.physical.distanceMm[5], expected.raw.distance_mm[5] / 4);
    assert.deepEqual(frame.physical.targetStatus, expected.converted.target_status);
    assert.deepEqual(frame.cnh.values[2], expected.cnh.aggregates[2].hist);
    assert.equal(typeof frame.cnh.features[2].centroidMm, "number");
  });

  it("reads bytes and base64 from a file", () => {
    const directory = mkdtempSync(path.join(tmpdir(), "foieflow-decode-"));
    try {
      const bytes = Buffer.from(frame_hex, "hex");
      for (const [form, content] of [
        ["bytes", bytes],
        ["base64", bytes.toString("base64")],
      ] as const) {
        const file = path.join(directory, form);
        writeFileSync(file, content);
        const { json } = decode(["vl53l8ch", file]);
        assert.equal(json.form, form);
        assert.deepEqual(json.frames[0].raw.distance_mm, expected.raw.distance_mm);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("reads the spectral sensor's registers and says what settings lack", () => {
    const { status, json } = decode(["as7341", "-"], "F1 415nm : 10\nF2 445nm : 20\nF3 480nm : 30\nF4 515nm : 40\n");
    assert.equal(status, 0);
    assert.equal(json.frames[0].counts.F4, 40);
  });

  it("ends with status 1 and a code where it can't", () => {
    for (const [args, input, code] of [
      [["vl53l8ch", "-"], Buffer.alloc(64), "uld-no-start"],
      [["vl53l8ch", "-", "--start-bin", "x"], frame_hex, "bad-option"],
      [["vl53l8ch", path.join(import.meta.dirname, "absent.bin")], "", "ENOENT"],
      [["as7341", "-"], "hello", "as7341-unknown-form"],
    ] as const) {
      const { status, json, stderr } = decode([...args], input);
      assert.deepEqual([status, json.error], [1, code]);
      assert.match(stderr, new RegExp(code));
    }
  });

  it("explains its use", () => {
    assert.equal(decode([]).status, 2);
    assert.match(decode(["vl53l5"]).stderr, /usage:/);
  });
});
