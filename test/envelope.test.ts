import assert from "node:assert/strict";
import path from "node:path";
import mqtt from "mqtt";
import { frameCobs } from "../nodes/broker/cobs.ts";
import { type DeviceEnvelope, encodeEnvelopeCbor, encodeEnvelopeJson } from "../nodes/device/envelope-encode.ts";
import { bytesAsTheyCame } from "../nodes/sample/raw-bytes.ts";
import { openPty, type PseudoTerminal, placeLink } from "../scripts/simulator/pty.ts";
import { WebSocketDevice } from "./support/devices.ts";
import { rawEnvelope, tofBytes } from "./support/envelopes.ts";
import { Line, until } from "./support/line.ts";

const TABLES = ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"] as const;
/** Columns that say how and when a row came rather than what was measured. */
const ARRIVAL = ["entry_id", "received_at", "transport", "site_id", "line_id", "is_historical"];
/** Columns that say which sample it was; each transport is another start of the device. */
const IDENTITY = ["sample_uid", "sample_id", "product_id", "boot_id"];
const LEFT_OUT = new Set([...ARRIVAL, ...IDENTITY]);

type Row = Record<string, unknown>;

describe("a device's envelope, the same product over three transports", function () {
  this.timeout(120_000);
  let line: Line;
  let pty: PseudoTerminal;
  /** Three frames of one product; each start of the device (`boot`) brings a product of its own. */
  const envelopesOf = (boot: number): DeviceEnvelope[] =>
    [0, 1, 2].map((seq) =>
      rawEnvelope({ boot, seq, t: `2026-11-22T10:23:5${seq}.966818Z`, product: `P-${boot}`, location: "Ligne A" }),
    );
  const envelopes = envelopesOf(17);

  before(async function () {
    try {
      pty = openPty();
    } catch {
      this.skip();
    }
    line = await Line.create({ TIMESCALEDB: "0" });
    const link = path.join(line.dataDir, "serial");
    placeLink(link, pty.path);
    line.env.SERIAL_PORT = link;
    await line.start();
  });
  after(async () => {
    await line?.remove();
    pty?.close();
  });

  const count = async (table: string) => Number((await line.query(`SELECT count(*) AS n FROM ${table}`))[0]?.n);
  const accounts = async () => (await fetch(`${line.base}/api/line/accounts`)).json();
  const device = () => WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);

  async function write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const written = pty.write(bytes.subarray(at, at + 4096));
      at += written;
      if (written === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** The rows these samples gave, and none is left behind. */
  async function take(): Promise<Record<string, Row[]>> {
    await until("the samples' rows", async () => (await count("vl53l8ch_raw")) === envelopes.length);
    assert.equal(await count("quarantine"), 0);
    const tables: Record<string, Row[]> = {};
    for (const table of TABLES) {
      const rows = await line.query(`SELECT * FROM ${table} ORDER BY time`);
      tables[table] = rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([name]) => !LEFT_OUT.has(name))),
      );
    }
    assert.equal(tables.fusion_results?.length, 1, "one product, one grade");
    for (const table of TABLES) await line.query(`DELETE FROM ${table}`);
    return tables;
  }

  it("gives the same rows as JSON over WebSocket, CBOR over MQTT and COBS frames over serial", async () => {
    const socket = await device();
    for (const envelope of envelopesOf(1)) await socket.send(encodeEnvelopeJson(envelope));
    const overWebSocket = await take();
    await socket.close();

    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${line.mqttPort}`, { protocolVersion: 4 });
    for (const envelope of envelopesOf(2)) {
      await client.publishAsync("foieflow/site-1/line-1/ESP32_RAW_01/sample", encodeEnvelopeCbor(envelope), { qos: 1 });
    }
    await client.endAsync();
    const overMqtt = await take();

    // As a board does: it boots, says hello, sends; the last frame has nothing after it.
    await write(Buffer.from("rst:0x1 (POWERON_RESET)\r\n"));
    await write(frameCobs(encodeEnvelopeCbor({ v: 1, device: "ESP32_RAW_01", hello: true, location: "Ligne A" })));
    for (const envelope of envelopesOf(3)) await write(frameCobs(encodeEnvelopeCbor(envelope)));
    const overSerial = await take();

    assert.deepEqual(overMqtt, overWebSocket);
    assert.deepEqual(overSerial, overWebSocket);
    const [raw] = overWebSocket.vl53l8ch_raw ?? [];
    assert.ok(Buffer.isBuffer(raw?.raw_bytes));
    assert.deepEqual(await bytesAsTheyCame(raw.raw_bytes, raw.raw_encoding, raw.raw_length), tofBytes());
    assert.equal(raw?.raw_format, "uld");
    for (const table of TABLES)
      assert.equal(overWebSocket[table]?.length, table === "fusion_results" ? 1 : envelopes.length, table);
  });

  it("goes on after a damaged frame, and counts its bytes", async () => {
    const damaged = frameCobs(encodeEnvelopeCbor(rawEnvelope({ seq: 90 })));
    damaged[200] = damaged[200] === 0x55 ? 0x56 : 0x55;
    await write(damaged);
    for (const envelope of envelopesOf(4)) await write(frameCobs(encodeEnvelopeCbor(envelope)));
    await take();
    assert.equal((await accounts()).byTransport.serial.refused["bad-frame"], 1);
  });

  it("acknowledges by boot and number a device that asks, once the sample is safe", async () => {
    const socket = await device();
    await socket.send(encodeEnvelopeCbor({ v: 1, device: "ESP32_RAW_01", hello: true, ack: true }));
    for (const envelope of envelopes) await socket.send(encodeEnvelopeCbor(envelope));
    await until("the acknowledgements", () => socket.received.length === envelopes.length);
    assert.deepEqual(
      socket.received.map((ack) => ({ ...(ack as Row), entryId: typeof (ack as Row).entryId })),
      [0, 1, 2].map((seq) => ({ type: "ack", device: "ESP32_RAW_01", boot: 17, seq, entryId: "string" })),
    );
    await take();
    await socket.close();
  });

  it("quarantines what cannot be read, with its code and its bytes", async () => {
    const bytes = encodeEnvelopeCbor(rawEnvelope({ seq: 91, vl53l8ch: { raw: Buffer.alloc(400) } }));
    await write(frameCobs(bytes));
    const [row] = await until("quarantine", async () => {
      const rows = await line.query("SELECT * FROM quarantine");
      return rows.length > 0 && rows;
    });
    assert.deepEqual([row?.reason, row?.device_id, row?.transport], ["uld-no-start", "ESP32_RAW_01", "serial"]);
    assert.deepEqual(row?.bytes ?? row?.raw_bytes, bytes);
  });
});
