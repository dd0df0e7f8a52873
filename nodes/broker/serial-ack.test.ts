import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { decode } from "cborg";
import { encodeEnvelopeCbor } from "../device/envelope-encode.ts";
import { frameCobs } from "./cobs.ts";
import { SerialFramer } from "./serial-framer.ts";
import { SerialReception } from "./serial-reception.ts";
import { attachment, GatedInbox, pause, until } from "./support.test.ts";

const envelope = (device: string, seq: number) => ({
  v: 1 as const,
  device,
  boot: 17,
  seq,
  vl53l8ch: { raw: Buffer.alloc(40) },
});
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const line = (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("\n")]);
const hello = (device: string) => json({ v: 1, device, hello: true, ack: true });

describe("broker: serial acknowledgements", () => {
  let inbox: GatedInbox;
  let door: SerialReception;
  /** What came out of the port, as the door wrote it. */
  let written: Buffer[];

  beforeEach(() => open());
  afterEach(() => door.close());

  function open(limits?: ConstructorParameters<typeof GatedInbox>[0], maxPendingBytes?: number): void {
    inbox = new GatedInbox(limits);
    door = new SerialReception(maxPendingBytes === undefined ? {} : { maxPendingBytes });
    door.reception.attach(attachment(inbox));
    written = [];
    door.sendTo((bytes) => written.push(bytes) > 0);
  }

  const push = (...pieces: Buffer[]) => door.push(Buffer.concat(pieces));

  it("answers in the framing and encoding of the sample, with its numbers, the entry and the bytes' CRC", async () => {
    const cbor = Buffer.from(encodeEnvelopeCbor(envelope("dev-1", 4)));
    const text = json(envelope("dev-1", 5));
    const other = json(envelope("dev-1", 6));
    await push(frameCobs(hello("dev-1")), frameCobs(cbor), frameCobs(text), line(other), line(json({ x: 1 })));
    const [first, second, third, fourth] = written;
    assert.equal(written.length, 4);
    const about = { type: "ack", device: "dev-1", boot: 17 };
    const framer = new SerialFramer(4096);
    const [ofCbor, ofText] = framer.push(Buffer.concat([first ?? cbor, second ?? cbor]));
    assert.deepEqual(decode(ofCbor ?? cbor), { ...about, seq: 4, crc: crc32(cbor), entryId: inbox.ids[0] });
    assert.deepEqual(JSON.parse(String(ofText)), { ...about, seq: 5, crc: crc32(text), entryId: inbox.ids[1] });
    assert.equal(String(third), `${JSON.stringify({ ...about, seq: 6, crc: crc32(other), entryId: inbox.ids[2] })}\n`);
    // No device can be read in it: the only one on the port is asked for.
    assert.deepEqual(JSON.parse(String(fourth)), { type: "ack", crc: crc32(json({ x: 1 })), entryId: inbox.ids[3] });
  });

  it("says nothing to a device that does not ask, nor to another one on the same port", async () => {
    await push(line(json(envelope("silent", 0))));
    await push(line(json({ v: 1, device: "silent", hello: true })), line(json(envelope("silent", 1))));
    await push(line(hello("asks")), line(json(envelope("silent", 2))), line(json(envelope("asks", 0))));
    assert.deepEqual(
      written.map((bytes) => JSON.parse(String(bytes)).device),
      ["asks"],
    );
    await push(line(json({ v: 1, device: "asks", hello: true })), line(json(envelope("asks", 1))));
    assert.equal(written.length, 1);
    assert.equal(inbox.taken.length, 5);
  });

  it("says nothing before the inbox has the sample", async () => {
    await push(line(hello("dev-1")));
    inbox.hold();
    const under = push(line(json(envelope("dev-1", 0))));
    await pause();
    assert.equal(written.length, 0);
    inbox.letThrough();
    await under;
    assert.equal(written.length, 1);
  });

  it("stays silent while the inbox is full, takes a sample sent again once, and answers when there is room", async () => {
    open({ maxEntries: 1 });
    const [first, second] = [0, 1].map((seq) => line(json(envelope("dev-1", seq))));
    assert.ok(first && second);
    await push(line(hello("dev-1")), first);
    const waiting = push(second);
    await pause(80);
    await push(second, second);
    assert.equal(written.length, 1);
    inbox.attach((entry) => inbox.settle(entry.entryId, { kind: "stored" }));
    await waiting;
    await until(() => inbox.taken.length === 2);
    assert.equal(written.length, 2);
    // Sent again after its answer was lost: taken again (the store knows it by its numbers) and answered again.
    await push(second);
    assert.deepEqual(
      written.map((bytes) => JSON.parse(String(bytes)).seq),
      [0, 1, 1],
    );
  });

  it("refuses what no longer fits without an answer, so that the device sends it again", async () => {
    const sample = line(json(envelope("dev-1", 0)));
    open({}, sample.length + 20);
    await push(line(hello("dev-1")));
    inbox.hold();
    const held = push(sample);
    await push(line(json(envelope("dev-1", 1))));
    assert.deepEqual([written.length, inbox.refused()["inbox-full"]], [0, 1]);
    inbox.letThrough();
    await held;
    await push(line(json(envelope("dev-1", 1))));
    assert.deepEqual(
      written.map((bytes) => JSON.parse(String(bytes)).seq),
      [0, 1],
    );
  });

  it("counts acknowledgements that no port takes, and goes on", async () => {
    const release = door.sendTo(() => false);
    await push(line(hello("dev-1")), line(json(envelope("dev-1", 0))));
    assert.equal(inbox.refused()["acks-unsent"], 1);
    release();
    await push(line(json(envelope("dev-1", 1))));
    assert.deepEqual([inbox.taken.length, inbox.refused()["acks-unsent"]], [2, 1]);
  });
});
