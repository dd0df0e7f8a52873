import assert from "node:assert/strict";
import fc from "fast-check";
import { frameCobs } from "./cobs.ts";
import { type SerialFault, SerialFramer } from "./serial-framer.ts";

function frame(chunks: (string | Uint8Array)[], maxBytes = 2000) {
  const faults: [SerialFault, number][] = [];
  const framer = new SerialFramer(maxBytes, (fault, bytes) => faults.push([fault, bytes]));
  const messages = chunks.flatMap((chunk) => framer.push(Buffer.from(chunk)));
  return { framer, faults, messages, texts: messages.map(String) };
}

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

const payload = fc.uint8Array({ minLength: 1, maxLength: 600 }).map((bytes) => Buffer.from(bytes));
const jsonLine = fc
  .dictionary(fc.string({ maxLength: 5 }), fc.oneof(fc.string(), fc.integer()), { maxKeys: 4 })
  .map((value) => Buffer.from(JSON.stringify(value)));
/** Bytes as a wrong baud rate or a plugged cable leaves them. */
const noise = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes));

describe("broker/serial-framer", () => {
  it("takes lines of JSON at their newline, as before", () => {
    const { texts, faults, framer } = frame(["ets Jun  8 2016\r\n", '{"a":1}\r\n{"b"', ":2}\n"]);
    assert.deepEqual(texts, ['{"a":1}', '{"b":2}']);
    assert.deepEqual(faults, [["noise", 15]]);
    assert.equal(framer.counts.lines, 2);
    assert.equal(framer.pendingBytes, 0);
  });

  it("takes frames, the first one too when no zero precedes it", () => {
    const one = frameCobs(Buffer.from("one"));
    const two = frameCobs(Buffer.from([0xa1, 0, 0x0a, 0x7b, 0]));
    const { messages, faults, framer } = frame([one.subarray(1), two, one.subarray(1)]);
    assert.deepEqual(messages, [Buffer.from("one"), Buffer.from([0xa1, 0, 0x0a, 0x7b, 0]), Buffer.from("one")]);
    assert.deepEqual(faults, []);
    assert.deepEqual([framer.counts.frames, framer.counts.droppedBytes], [3, 0]);
    assert.equal(framer.pendingBytes, 0);
  });

  it("takes frames after boot messages, and lines after frames", () => {
    const one = frameCobs(Buffer.from("one"));
    const { texts, faults } = frame(["rst:0x1\r\n", one, 'I (12) wifi: up\r\n{"a":1}\n', '{"b":1}\n', one, one]);
    assert.deepEqual(texts, ["one", '{"a":1}', '{"b":1}', "one", "one"]);
    assert.deepEqual(faults, [
      ["noise", 7],
      ["noise", 15],
    ]);
  });

  it("finds a line after a stray zero, whether its newline or another zero ends it", () => {
    assert.deepEqual(frame([Buffer.from([0, 255, 7]), '{"a":1}\n']).texts, ['{"a":1}']);
    assert.deepEqual(frame(['\0{"a":1}\0', '{"b":1}\n']).texts, ['{"a":1}', '{"b":1}']);
  });

  it("drops a damaged frame, counts its bytes, and takes the next", () => {
    const bad = frameCobs(Buffer.from("one"));
    bad[2] = 0x20;
    const { texts, faults, framer } = frame([frameCobs(Buffer.from("zero")), bad, frameCobs(Buffer.from("two"))]);
    assert.deepEqual(texts, ["zero", "two"]);
    assert.deepEqual(faults, [["bad-frame", bad.length - 3]]);
    assert.deepEqual([framer.counts.badFrames, framer.counts.droppedBytes], [1, bad.length - 3]);
  });

  it("takes nothing for a message in the rest of a frame, for a reader that came late", () => {
    // A newline, a brace, no text; what the registers of a sensor held looks like that now and then.
    const first = frameCobs(
      Buffer.from([1, 0xc3, 0x0a, 0x91, 0x7b, 0x41, 0xff, 0x80, 0x0a, 0x05, 0x7b, 0x93, 0x0a, 7]),
    );
    const next = frameCobs(Buffer.from('{"good":1}'));
    for (let from = 1; from < first.length; from += 1)
      assert.deepEqual(frame([first.subarray(from), next]).texts, ['{"good":1}'], `from byte ${from}`);
  });

  it("gives up a frame that stopped", () => {
    const { framer, faults } = frame([frameCobs(Buffer.from("one")), "\u0005tor"]);
    framer.expire();
    framer.expire();
    assert.deepEqual(faults, [["partial-line", 4]]);
    assert.deepEqual(framer.push(frameCobs(Buffer.from("two"))).map(String), ["two"]);
  });

  it("never holds more than the bound, and finds its step again after what is too long", () => {
    const { framer, faults } = frame([Buffer.concat([Buffer.of(0), Buffer.alloc(5000, 1)])], 1000);
    assert.equal(framer.pendingBytes, 0);
    assert.deepEqual(faults, [["oversize", 5000]]);
    assert.deepEqual(
      [frameCobs(Buffer.from("one")), frameCobs(Buffer.from("two"))].flatMap((each) => framer.push(each)).map(String),
      ["one", "two"],
    );
  });

  it("gives the same messages however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), cuts, (payloads, sizes) => {
        const { messages, faults } = frame(cut(Buffer.concat(payloads.map(frameCobs)), sizes));
        assert.deepEqual(messages, payloads);
        assert.deepEqual(faults, []);
      }),
    );
    fc.assert(
      fc.property(fc.array(jsonLine, { maxLength: 6 }), cuts, (lines, sizes) => {
        const { messages } = frame(cut(Buffer.from(lines.map((line) => `${line}\n`).join("")), sizes));
        assert.deepEqual(messages, lines);
      }),
    );
  });

  it("loses no frame to the noise between frames", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, payload), { maxLength: 6 }), cuts, (parts, sizes) => {
        const bytes = Buffer.concat(parts.flatMap(([before, each]) => [before, frameCobs(each)]));
        const { messages, framer } = frame(cut(bytes, sizes));
        const wanted = parts.map(([, each]) => each.toString("hex"));
        const got = messages.map((each) => each.toString("hex"));
        assert.deepEqual(
          got.filter((each) => wanted.includes(each)),
          wanted,
        );
        assert.equal(framer.counts.frames, wanted.length);
      }),
    );
  });

  it("finds the next good line and frame after any noise, within the bound", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), cuts, fc.boolean(), (bytes, sizes, frames) => {
        const framer = new SerialFramer(64);
        for (const chunk of cut(Buffer.from(bytes), sizes)) {
          framer.push(chunk);
          assert.ok(framer.pendingBytes <= 64);
        }
        if (frames)
          return assert.ok(
            framer
              .push(frameCobs(Buffer.from("ok")))
              .map(String)
              .includes("ok"),
          );
        framer.push(Buffer.from("\n"));
        assert.equal(framer.push(Buffer.from('{"ok":1}\n')).map(String).at(-1), '{"ok":1}');
      }),
    );
  });
});
