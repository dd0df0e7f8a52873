import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { decode, encode } from "cborg";
import { readingOfRegisters } from "../nodes/as7341/read-spectral.ts";
import { frameCobs } from "../nodes/broker/cobs.ts";
import { SerialFramer } from "../nodes/broker/serial-framer.ts";
import { SerialReception } from "../nodes/broker/serial-reception.ts";
import { attachment, GatedInbox } from "../nodes/broker/support.test.ts";
import { parseControl } from "../nodes/device/control.ts";
import { decodeEntry } from "../nodes/device/decode-entry.ts";
import { tofFrameOfRaw } from "../nodes/vl53l8ch/read-tof.ts";
import { spectralBytes, tofBytes } from "./support/envelopes.ts";

const examples = path.resolve(import.meta.dirname, "../examples/esp32");
const site = {
  siteId: "LL",
  lineId: "Ligne-Z",
  timeZone: "Europe/Paris",
  shifts: [{ name: "jour", start: "06:00" }],
  historicalAfterS: 120,
  futureToleranceS: 300,
};

function hasCompiler(): boolean {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("the C encoder for ESP32", function () {
  this.timeout(60_000);
  let directory: string;

  before(function () {
    if (!hasCompiler()) this.skip();
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-c-"));
  });
  after(() => directory && rmSync(directory, { recursive: true, force: true }));

  function compile(name: string, ...definitions: string[]): string {
    const program = path.join(directory, name);
    const strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", ...definitions];
    execFileSync("cc", [...strict, path.join(examples, `${name}.c`), "-o", program], { stdio: "pipe" });
    return program;
  }

  function run(tof: Buffer): Buffer[] {
    const program = compile("host_test");
    const files = [path.join(directory, "tof.bin"), path.join(directory, "as7341.bin")];
    writeFileSync(files[0] ?? "", tof);
    writeFileSync(files[1] ?? "", Buffer.concat(spectralBytes()));
    const framer = new SerialFramer(1 << 16);
    const messages = framer.push(execFileSync(program, files));
    assert.deepEqual([framer.counts.frames, framer.counts.droppedBytes, framer.pendingBytes], [messages.length, 0, 0]);
    return messages;
  }

  const sampleOf = (bytes: Buffer) =>
    decodeEntry(
      {
        entryId: "1",
        attempts: 0,
        transport: "serial",
        receivedAt: "2026-11-22T10:24:00.000Z",
        siteId: "LL",
        defaultLineId: "Ligne-Z",
        bytes,
      },
      site,
    );

  it("compiles without a warning, and what it writes is read back, value for value", () => {
    const [hello, heartbeat, plain, full, ...none] = run(tofBytes());
    assert.ok(hello && heartbeat && plain && full && none.length === 0);
    assert.deepEqual(parseControl(hello), {
      type: "hello",
      deviceId: "ESP32_C_01",
      location: "Ligne A",
      lineId: "Ligne-A",
      firmware: "2.1.0",
      wantsAck: true,
    });
    assert.deepEqual(parseControl(heartbeat), {
      type: "heartbeat",
      deviceId: "ESP32_C_01",
      uptimeS: 3600,
      bufferSize: 7,
    });

    const first = sampleOf(plain);
    assert.deepEqual(
      [first.sampleId, first.bootId, first.seq, first.measuredAt, first.timeSource, first.productId],
      ["4000000000-23", "4000000000", 23, "2026-11-22T10:24:00.000Z", "server", undefined],
    );
    assert.deepEqual(first.vl53l8ch?.raw, { format: "uld", bytes: tofBytes() });
    assert.deepEqual(first.vl53l8ch?.frame, tofFrameOfRaw(tofBytes()));
    assert.deepEqual(first.as7341?.reading, readingOfRegisters(spectralBytes(), { aTime: 29, aStep: 599 }));

    const second = sampleOf(full);
    assert.equal(second.measuredAt, "2026-11-22T10:23:16.123456Z");
    assert.match(second.productId ?? "", /^[0-9a-f]{32}$/);
    const { lineId, lotAbattage, eleveur, provenance, firmware, temperatureC } = second;
    assert.deepEqual([lineId, lotAbattage, eleveur], ["Ligne-A", "LOT-1", "Ferme Éric"]);
    assert.deepEqual([provenance, firmware, temperatureC], ["Périgord", "2.1.0", -3.25]);
    assert.deepEqual(second.as7341?.reading.gain, 0.5);
    assert.equal(second.as7341?.raw?.bytes.length, 24);
    const zoneMap = [...Array(15).keys(), -1];
    const orientation = { flipX: true, flipY: false, quarterTurns: 3 } as const;
    assert.deepEqual(second.metadata?.vl53l8ch, { orientation, cnh: { startBin: 4, subSample: 2, zoneMap } });
    assert.deepEqual(second.vl53l8ch?.frame, tofFrameOfRaw(tofBytes(), { orientation }));
    assert.notDeepEqual(second.vl53l8ch?.frame, first.vl53l8ch?.frame);
  });

  it("frames messages long and full of zeros", () => {
    for (const size of [1, 253, 254, 255, 5000]) {
      const tof = Buffer.alloc(size, size === 5000 ? 0 : 0xff);
      const [, , plain] = run(tof);
      assert.ok(plain?.includes(tof), `${size} bytes`);
    }
  });

  it("keeps samples until they are acknowledged, over a line that loses bytes both ways and a door that starts anew", async () => {
    const program = compile("host_ack", "-DFF_RESEND_FIRST_MS=20u", "-DFF_RESEND_LAST_MS=80u");
    const count = 200;
    const device = spawn(program, [String(count)], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(device, "exit");
    device.stdin.on("error", () => undefined); // the last answers find nobody
    const inbox = new GatedInbox();
    const open = () => {
      const door = new SerialReception();
      door.reception.attach(attachment(inbox));
      door.sendTo((bytes) => {
        answers += 1;
        // Some are lost, some damaged, some preceded by noise and by another device's.
        if (answers % 5 === 0) return true;
        const sent = Buffer.from(bytes);
        if (answers % 7 === 0) sent[6] = (sent[6] ?? 0) ^ 0x10;
        const other = frameCobs(Buffer.from(encode({ type: "ack", device: "other", boot: 7, seq: 150, crc: 1 })));
        device.stdin.write(answers % 11 === 0 ? Buffer.concat([Buffer.from("noise\x00\x03"), other, sent]) : sent);
        return true;
      });
      return door;
    };
    let answers = 0;
    let door = open();
    let chunks = 0;
    for await (const chunk of device.stdout) {
      chunks += 1;
      if (chunks % 6 === 0) continue;
      if (chunks === 20) door = open(); // knows of no hello
      await door.push(chunk);
    }
    assert.deepEqual(await ended, [0, null]);
    const seqs = inbox.taken.map(({ bytes }) => Number(decode(bytes).seq));
    assert.equal(new Set(seqs).size, count);
    assert.ok(seqs.length > count, "some were sent again");
  });
});
