import assert from "node:assert/strict";
import fc from "fast-check";
import mqttPacket from "mqtt-packet";
import { PacketScanner } from "./packet-guard.ts";

const connect = mqttPacket.generate({
  cmd: "connect",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  clientId: "c",
  keepalive: 0,
});
const publish = (size: number) =>
  mqttPacket.generate({ cmd: "publish", topic: "t", payload: Buffer.alloc(size), qos: 0, dup: false, retain: false });

/** Pushes in pieces; returns the first fault and the offset of the piece that showed it. */
function scan(bytes: Buffer, sizes: number[], limit = 1000) {
  const scanner = new PacketScanner(100, limit);
  for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const fault = scanner.push(bytes.subarray(from, from + size));
    if (fault) return { fault, from };
    from += size;
  }
  return undefined;
}

const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 });

describe("broker/packet-guard", () => {
  it("lets every packet within the limit through, however fragmented", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(900), { maxLength: 8 }), sizes, (payloads, pieces) => {
        assert.equal(scan(Buffer.concat([connect, ...payloads.map(publish)]), pieces), undefined);
      }),
    );
  });

  it("finds the packet that is too long at its header, however fragmented", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(900), { maxLength: 5 }),
        fc.integer({ min: 998, max: 3000 }),
        sizes,
        (before, size, pieces) => {
          const head = Buffer.concat([connect, ...before.map(publish)]);
          const found = scan(Buffer.concat([head, publish(size), publish(1)]), pieces);
          assert.equal(found?.fault, "oversize");
          // Noticed before its body has begun: at most the header lies before the piece that showed it.
          assert.ok((found?.from ?? Number.POSITIVE_INFINITY) <= head.length + 4);
        },
      ),
    );
  });

  it("needs a CONNECT first, a small one, and a length of four bytes at most", () => {
    assert.equal(new PacketScanner(100, 1000).push(publish(1)), "malformed");
    assert.equal(new PacketScanner(100, 1000).push(Buffer.from([0x10, 101])), "oversize");
    const lax = new PacketScanner(2 ** 40, 2 ** 40);
    assert.equal(lax.push(Buffer.from([0x10, 0x80, 0x80, 0x80])), undefined);
    assert.equal(lax.push(Buffer.from([0x80])), "malformed");
  });
});
