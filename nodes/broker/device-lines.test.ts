import assert from "node:assert/strict";
import { DeviceLines } from "./device-lines.ts";

describe("broker/device-lines", () => {
  const sample = (text: string) => Buffer.from(text);

  it("finds the line of a sample's device, or of the only one known", () => {
    const lines = new DeviceLines();
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

  it("forgets the one heard of longest ago", () => {
    const lines = new DeviceLines(2);
    lines.note("a", "1");
    lines.note("b", "2");
    lines.note("a", "1");
    lines.note("c", "3");
    assert.deepEqual([lines.of("a"), lines.of("b"), lines.of("c")], ["1", undefined, "3"]);
  });
});
