import assert from "node:assert/strict";
import { createRequire } from "node:module";
import type { NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { openPty, type PseudoTerminal } from "../../scripts/simulator/pty.ts";
import { closeServices, openServices } from "../host/service.ts";
import inboxNode from "../inbox/inbox.ts";
import siteNode from "../inbox/site.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import serialNode from "./serial-door.ts";
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

  before(function () {
    try {
      terminal = openPty();
    } catch {
      this.skip();
    }
    return helper.startServer();
  });
  after(() => {
    terminal?.close();
    return helper.stopServer();
  });
  afterEach(async () => {
    await helper.unload();
    await closeServices(openServices());
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
});
