import assert from "node:assert/strict";
import { encodeEnvelopeCbor } from "../device/envelope-encode.ts";
import { DeviceNotes } from "./device-notes.ts";

describe("broker/device-notes", () => {
  const sample = (text: string) => Buffer.from(text);

  it("finds the line of a sample's device, or of the only one known", () => {
    const lines = new DeviceNotes<string | undefined>();
    assert.equal(lines.ofSample(sample('{"device_id":"a"}')), undefined);
    lines.note("a", "line-a");
    assert.equal(lines.ofSample(sample("no device")), "line-a");
    assert.equal(lines.ofSample(sample('{"device_id":"b"}')), undefined);
    lines.note("b", "line-b");
    assert.equal(lines.ofSample(sample('{"x":"é","device" : "b","meta":{"device_id":"a"}}')), "line-b");
    assert.equal(lines.ofSample(sample("no device")), undefined);
    lines.note("a", undefined);
    assert.equal(lines.ofSample(sample('{"device_id":"a"}')), undefined);
  });

  it("finds the device of an envelope in CBOR", () => {
    const lines = new DeviceNotes<string | undefined>();
    const long = "x".repeat(30);
    lines.note("a", "line-a");
    lines.note(long, "line-b");
    assert.equal(
      lines.ofSample(encodeEnvelopeCbor({ v: 1, device: "a", vl53l8ch: { raw: Buffer.alloc(99) } })),
      "line-a",
    );
    assert.equal(lines.ofSample(encodeEnvelopeCbor({ v: 1, device: long })), "line-b");
    assert.equal(lines.ofSample(encodeEnvelopeCbor({ v: 1, device: "b" })), undefined);
    for (const text of ["a0", "a1666465766963", "a166646576696365", "a16664657669636578ff61", "a1666465766963656120"])
      assert.equal(lines.ofSample(Buffer.from(text, "hex")), undefined);
  });

  it("forgets the one heard of longest ago", () => {
    const lines = new DeviceNotes<string | undefined>(2);
    lines.note("a", "1");
    lines.note("b", "2");
    lines.note("a", "1");
    lines.note("c", "3");
    assert.deepEqual([lines.of("a"), lines.of("b"), lines.of("c")], ["1", undefined, "3"]);
  });
});
