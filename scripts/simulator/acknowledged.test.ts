import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReadStream } from "node:tty";
import { ackIdentity } from "../../nodes/broker/ack.ts";
import { SerialReception } from "../../nodes/broker/serial-reception.ts";
import { attachment, GatedInbox, until } from "../../nodes/broker/support.test.ts";
import { WebSocketDoor } from "../../nodes/broker/websocket-server.ts";
import { BeltStation } from "./belt.ts";
import { BeltSource } from "./belt-source.ts";
import { Device } from "./device.ts";
import type { Link } from "./link.ts";
import { random } from "./random.ts";
import { SerialLink } from "./serial-link.ts";
import { WebSocketLink } from "./websocket-link.ts";

/** A device that asks, numbers its samples, and stops after `count` of them. */
function device(link: Link, encoding: "json" | "cbor", count: number): Device {
  const identity = {
    deviceId: "ESP32_DEMO_RAW_01",
    macAddress: "24:0A:C4:01:02:03",
    ipAddress: "192.168.1.101",
    location: "Ligne A",
    generation: "raw",
    claims: false,
    ack: true,
  } as const;
  const station = new BeltStation(1, identity.deviceId, { startMs: 0 });
  const common = { identity, station, encoding, boot: 1, trigger: false, cnh: false, faults: 0 };
  return new Device({
    source: new BeltSource({ ...common, scene: "empty", rng: random(1) }),
    link,
    count,
    onTruth: () => undefined,
  });
}

/** The numbers of the samples that the inbox has, as they came. */
function numbers(inbox: GatedInbox): number[] {
  return inbox.taken.map(({ bytes }) => ackIdentity(bytes).seq ?? Number.NaN);
}

const COUNT = 20;
const all = Array.from({ length: COUNT }, (_, number) => number);

describe("simulator: devices that ask for acknowledgements", function () {
  this.timeout(60_000);

  it("send again over WebSocket what was not acknowledged when the door died", async () => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    let inbox = new GatedInbox();
    const open = () => {
      const door = new WebSocketDoor({ server });
      door.reception.attach(attachment(inbox));
      return door;
    };
    let door = open();
    const link = new WebSocketLink(`ws://127.0.0.1:${port}/ws/sensors/`, undefined, true);
    const sending = device(link, "json", COUNT);
    sending.start();
    await until(() => inbox.taken.length >= 3);
    inbox.hold();
    await until(() => sending.status.measured >= 10);
    const before = inbox.taken.length;
    // A crash: what is in the inbox is safe, what is on its way to it is gone.
    const safe = numbers(inbox);
    const crashed = inbox;
    inbox = new GatedInbox();
    await door.close();
    crashed.close();
    crashed.letThrough();
    door = open();
    await until(() => sending.done);
    assert.deepEqual(
      [...new Set([...safe, ...numbers(inbox)])].sort((a, b) => a - b),
      all,
    );
    assert.equal(sending.status.sent, COUNT);
    assert.ok(before < COUNT && inbox.taken.length > 0);
    await sending.stop();
    await door.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it("send again over a serial line what got no answer, and say hello to a door opened anew", async function () {
    const directory = mkdtempSync(join(tmpdir(), "foieflow-ack-"));
    const link = new SerialLink(join(directory, "serial"), 4_000_000, true, 100);
    try {
      link.open(() => undefined);
      await link.close();
    } catch {
      this.skip();
    }
    const inbox = new GatedInbox();
    const asking = new SerialLink(join(directory, "serial"), 4_000_000, true, 100);
    const sending = device(asking, "cbor", COUNT);
    sending.start();
    const port = openSync(asking.path ?? "", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    const input = new ReadStream(port);
    // As the serial library sets it; Node's own raw mode writes a newline as two bytes.
    execFileSync("stty", ["-F", asking.path ?? "", "raw", "-echo"]);
    let answers = 0;
    const open = () => {
      const reception = new SerialReception();
      reception.reception.attach(attachment(inbox));
      reception.sendTo((bytes) => {
        answers += 1;
        if (answers % 3 !== 0) writeSync(port, bytes); // every third is lost
        return true;
      });
      return reception;
    };
    let door = open();
    input.on("data", (bytes) => void door.push(bytes));
    await until(() => inbox.taken.length >= 6);
    door.close();
    door = open();
    await until(() => sending.done);
    assert.deepEqual(
      [...new Set(numbers(inbox))].sort((a, b) => a - b),
      all,
    );
    assert.ok(inbox.taken.length > COUNT, "some came twice");
    await sending.stop();
    door.close();
    input.destroy();
    rmSync(directory, { recursive: true, force: true });
  });
});
