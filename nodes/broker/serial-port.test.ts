import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { openPty, type PseudoTerminal } from "../../scripts/simulator/pty.ts";
import { ownDataDir } from "../../test/support/data-dir.ts";
import { closeServices, openServices, servicesOpened } from "../host/service.ts";
import inboxNode from "../inbox/inbox.ts";
import { currentInbox } from "../inbox/service.ts";
import siteNode from "../inbox/site.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import serialNode from "./serial-door.ts";
import { MAX_UNWRITTEN_BYTES } from "./serial-out.ts";
import { until } from "./support.test.ts";

const require = createRequire(import.meta.url);
helper.init(require.resolve("node-red"));

/** The one setting of the stock node that keeps every byte, in order, whatever the length of a line. */
const PORT = {
  id: "port",
  type: "serial-port",
  serialbaud: "921600",
  databits: "8",
  parity: "none",
  stopbits: "1",
  waitfor: "",
  newline: "\\n",
  out: "char",
  bin: "bin",
  addchar: "",
};

describe("broker: the stock serial node and the serial door", () => {
  let terminal: PseudoTerminal;
  const stock: NodeInitializer = require("node-red-node-serialport/25-serial.js");

  before(() => helper.startServer());
  after(() => helper.stopServer());
  ownDataDir();
  beforeEach(function () {
    try {
      terminal = openPty();
    } catch {
      this.skip();
    }
  });
  afterEach(async () => {
    await helper.unload();
    await closeServices(openServices());
    terminal?.close();
  });

  async function write(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const taken = terminal.write(bytes.subarray(from));
      from += taken;
      if (taken === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  it("brings lines of 140 KB over a pseudo-terminal, every byte, in order", async () => {
    await helper.load(
      [stock, siteNode, inboxNode, serialNode],
      [
        { id: "tab", type: "tab", label: "serial" },
        { ...PORT, serialport: terminal.path },
        { id: "site", type: "foieflow-site" },
        { id: "in", z: "tab", type: "serial in", serial: "port", wires: [["door"]] },
        { id: "door", z: "tab", type: "foieflow-serial", site: "site", wires: [[]] },
        { id: "inbox", z: "tab", type: "foieflow-inbox", site: "site", wires: [["entries"]] },
        { id: "entries", z: "tab", type: "helper" },
      ],
      {},
    );
    const entries: InboxEntry[] = [];
    helper.getNode("entries").on("input", (message) => entries.push(message.payload as InboxEntry));
    await until(() => openServices().includes("door:serial:door"));
    const lines = Array.from({ length: 12 }, (_, index) =>
      JSON.stringify({ type: "sensor_data", index, filler: String(index % 10).repeat(140_000) }),
    );
    await write(Buffer.from(lines.map((line) => `${line}\r\n`).join("")));
    await until(() => entries.length === lines.length);
    assert.deepEqual(
      entries.map(({ bytes }) => bytes.toString()),
      lines,
    );
  });

  /** The stock nodes on the terminal, the door between them, and the entries of the inbox. */
  async function loadWithOutput(): Promise<InboxEntry[]> {
    await helper.load(
      [stock, siteNode, inboxNode, serialNode],
      [
        { id: "tab", type: "tab", label: "serial" },
        { ...PORT, serialport: terminal.path },
        { id: "site", type: "foieflow-site" },
        { id: "in", z: "tab", type: "serial in", serial: "port", wires: [["door"]] },
        { id: "door", z: "tab", type: "foieflow-serial", site: "site", wires: [[], ["out"]] },
        { id: "out", z: "tab", type: "serial out", serial: "port", wires: [] },
        { id: "inbox", z: "tab", type: "foieflow-inbox", site: "site", wires: [["entries"]] },
        { id: "entries", z: "tab", type: "helper" },
      ],
      {},
    );
    const entries: InboxEntry[] = [];
    helper.getNode("entries").on("input", (message) => {
      const entry = message.payload as InboxEntry;
      entries.push(entry);
      currentInbox()?.settle(entry.entryId, { kind: "stored" });
    });
    await until(() => openServices().includes("door:serial:door"));
    await servicesOpened(10_000);
    // What is written before the port is open would be lost with its flush.
    await until(() => {
      const port: unknown = Reflect.get(Object(Reflect.get(helper.getNode("out"), "port")), "serial");
      return Reflect.get(Object(port), "isOpen") === true;
    });
    await sleep(100); // the door's node attaches, the port's settings are in force
    return entries;
  }

  const HELLO = '{"v":1,"device":"dev-1","hello":true,"ack":true}\n';
  const sample = (seq: number) => JSON.stringify({ v: 1, device: "dev-1", boot: 1, seq });

  it("sends a device its acknowledgements down the same port", async function () {
    this.timeout(60_000);
    const entries = await loadWithOutput();
    const answered: Buffer[] = [];
    terminal.onData((bytes) => answered.push(bytes));
    await write(Buffer.from(HELLO));
    await write(Buffer.from([0, 1, 2].map((seq) => `${sample(seq)}\n`).join("")));
    await until(() => Buffer.concat(answered).toString().split("\n").length > 3 && entries.length === 3);
    const acks = Buffer.concat(answered)
      .toString()
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    assert.deepEqual(
      acks.map(({ type, device, boot, seq, entryId }) => [type, device, boot, seq, entryId]),
      entries.map(({ entryId }, seq) => ["ack", "dev-1", 1, seq, entryId]),
    );
  });

  it("bounds what waits for a device that asks for acknowledgements and does not read them", async function () {
    this.timeout(180_000);
    const entries = await loadWithOutput();
    await write(Buffer.from(HELLO));
    const port: unknown = Reflect.get(Reflect.get(helper.getNode("out"), "port"), "serial");
    const unwritten = () => Number(Reflect.get(Object(port), "writableLength"));
    const count = 4000;
    let most = 0;
    // A port whose output is blocked may be read on or not (the driver decides): until all is taken, or nothing moves.
    const sent = Buffer.from(Array.from({ length: count }, (_, seq) => `${sample(seq)}\n`).join(""));
    let taken = 0;
    for (let idle = 0; idle < 100 && taken < sent.length; ) {
      const now = terminal.write(sent.subarray(taken, taken + 1024));
      taken += now;
      idle = now === 0 ? idle + 1 : 0;
      most = Math.max(most, unwritten());
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    // Each acknowledgement waits for the disk: those of what was taken come until one finds no room.
    const unsent = () => currentInbox()?.stats().refused["acks-unsent"] ?? 0;
    await until(() => {
      most = Math.max(most, unwritten());
      // On a slow machine the first acknowledgements come after all that could be written was.
      return most > 0 && entries.length > 0 && (unsent() > 0 || taken < sent.length);
    });
    assert.ok(most > 0 && most < 2 * MAX_UNWRITTEN_BYTES, `${most} bytes waited`);
    assert.ok(entries.length > 0);
  });
});
