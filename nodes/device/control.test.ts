import assert from "node:assert/strict";
import fc from "fast-check";
import { captures } from "../../test/sqal-captures.ts";
import { MAX_CONTROL_BYTES, parseControl } from "./control.ts";

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const hello = { type: "esp32_hello", device_id: "ESP32_LL_01", location: "Ligne A" };

describe("parseControl", () => {
  it("reads every captured hello and heartbeat, and leaves every sample", () => {
    for (const { bytes, message } of captures()) {
      const control = parseControl(bytes);
      const expected = { esp32_hello: "hello", heartbeat: "heartbeat", sensor_data: undefined }[String(message.type)];
      assert.equal(control?.type, expected);
      if (control && control.type !== "ping") assert.equal(control.deviceId, message.device_id);
    }
  });

  it("reads what a hello says", () => {
    const [first] = captures();
    assert.deepEqual(first && parseControl(first.bytes), {
      type: "hello",
      deviceId: "ESP32_LL_01",
      location: "Ligne A",
      lineId: "Ligne-A",
      firmware: "1.0.0",
      mac: "24:0A:C4:EF:23:A1",
      ip: "192.168.1.183",
      sensors: { vl53l8ch: "0x29", as7341: "0x39" },
      timestamp: "2026-11-22T10:23:52.058570Z",
    });
    assert.equal(parseControl(bytes({ ...hello, ack: true }))?.type, "hello");
    assert.deepEqual(parseControl(bytes({ ...hello, ack: true })), {
      ...{ type: "hello", deviceId: "ESP32_LL_01" },
      location: "Ligne A",
      lineId: "Ligne-A",
      wantsAck: true,
    });
    assert.deepEqual(parseControl(bytes({ type: "ping" })), { type: "ping" });
  });

  it("leaves out what is absent or not to be believed, and keeps the rest", () => {
    const heartbeat = {
      type: "heartbeat",
      device_id: "a",
      uptime: -1,
      stats: { sent: 3, note: "x" },
      timestamp: "soon",
    };
    assert.deepEqual(parseControl(bytes(heartbeat)), { type: "heartbeat", deviceId: "a", stats: { sent: 3 } });
    assert.deepEqual(parseControl(bytes({ type: "hello", device_id: "a", location: "…" })), {
      type: "hello",
      deviceId: "a",
      location: "…",
    });
  });

  it("leaves anything it must not take to the way of samples", () => {
    const refused: [why: string, value: unknown][] = [
      ["no device id", { type: "esp32_hello" }],
      ["a bad device id", { ...hello, device_id: "../x" }],
      ["a forbidden key", JSON.parse('{"type":"esp32_hello","device_id":"a","__proto__":{}}')],
      ["too large", { ...hello, padding: "x".repeat(MAX_CONTROL_BYTES) }],
      ["too deep", { ...hello, sensors: { a: { b: { c: { d: {} } } } } }],
      ["a list", [hello]],
      ["a sample", { type: "sensor_data" }],
    ];
    for (const [why, value] of refused) assert.equal(parseControl(bytes(value)), null, why);
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (input) => void parseControl(input)));
    fc.assert(
      fc.property(fc.json(), fc.constantFrom("esp32_hello", "heartbeat", "ping"), (text, type) => {
        parseControl(
          Buffer.from(`{"type":"${type}","device_id":"a","location":${text},"stats":${text},"sensors":${text}}`),
        );
      }),
    );
  });
});
