import assert from "node:assert/strict";
import fc from "fast-check";
import { type FramerFault, LineFramer } from "./line-framer.ts";

function frame(chunks: (string | Buffer)[], maxLineBytes = 1000) {
  const faults: [FramerFault, number][] = [];
  const framer = new LineFramer(maxLineBytes, (fault, bytes) => faults.push([fault, bytes]));
  const lines = chunks.flatMap((chunk) => framer.push(Buffer.from(chunk))).map((line) => line.toString());
  return { framer, faults, lines };
}

/** Cuts bytes at arbitrary places. */
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return chunks;
}

describe("broker/line-framer", () => {
  it("cuts lines, whatever their end and the chunks", () => {
    const { lines, faults, framer } = frame(['{"a":1}\r\n{"b"', ":2}\n", "\n \r\n", '{"c":3} \n{"d"']);
    assert.deepEqual(lines, ['{"a":1}', '{"b":2}', '{"c":3}']);
    assert.deepEqual(faults, []);
    assert.equal(framer.pendingBytes, 4);
  });

  it("drops boot messages and noise before an object, and says how many bytes", () => {
    const { lines, faults, framer } = frame([
      "ets Jun  8 2016\r\n",
      Buffer.from([0, 255, 7]),
      '{"a":1}\n',
      "rst:0x1\n",
    ]);
    assert.deepEqual(lines, ['{"a":1}']);
    assert.deepEqual(faults, [
      ["noise", 15],
      ["noise", 3],
      ["noise", 7],
    ]);
    assert.equal(framer.counts.droppedBytes, 25);
    assert.equal(framer.counts.noise, 3);
  });

  it("gives up the second of two lines glued together, and keeps what it cannot part", () => {
    assert.deepEqual(frame(['{"type":"sensor_da{"type":"heartbeat","x":{"y":1}}\n']).lines, [
      '{"type":"heartbeat","x":{"y":1}}',
    ]);
    const broken = '{"type":"sensor_data","a":[{"type":"x"}';
    assert.deepEqual(frame([`${broken}\n`]).lines, [broken]);
  });

  it("drops an over-long line to its end, once, and goes on", () => {
    const { lines, faults } = frame([`{"a":"${"x".repeat(2000)}`, "y".repeat(500), '"}\n{"b":1}\n'], 100);
    assert.deepEqual(lines, ['{"b":1}']);
    assert.deepEqual(
      faults.map(([fault]) => fault),
      ["oversize"],
    );
    assert.equal(frame([`${"x".repeat(101)}`], 100).framer.pendingBytes, 0);
  });

  it("gives up a line that stopped", () => {
    const { framer, faults } = frame(['{"a":']);
    framer.expire();
    framer.expire();
    assert.deepEqual(faults, [["partial-line", 5]]);
    assert.deepEqual(framer.push(Buffer.from('{"b":1}\n')).map(String), ['{"b":1}']);
  });

  it("gives the same lines however the bytes are cut, and accounts for every byte", () => {
    const value = fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(fc.string(), fc.integer()), { maxKeys: 4 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), cuts, (values, sizes) => {
        const texts = values.map((each) => JSON.stringify(each));
        const { lines, faults } = frame(cut(Buffer.from(texts.map((text) => `${text}\n`).join("")), sizes));
        assert.deepEqual(lines, texts);
        assert.deepEqual(faults, []);
      }),
    );
  });

  it("never throws, never holds more than a line, and finds the next good line after any noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), cuts, (noise, sizes) => {
        const framer = new LineFramer(64);
        for (const chunk of cut(Buffer.from(noise), sizes)) {
          framer.push(chunk);
          assert.ok(framer.pendingBytes <= 64);
        }
        framer.push(Buffer.from("\n"));
        assert.deepEqual(framer.push(Buffer.from('{"ok":1}\n')).map(String), ['{"ok":1}']);
      }),
    );
  });
});
