import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Transport } from "../../nodes/sample/units.ts";
import { Line, until } from "../support/line.ts";
import { prepareLoad, serialLinkIn } from "./numbered-load.ts";
import { canTrace, type Exchange, flushedBeforeAcknowledged, parseTrace, Tracer } from "./system-calls.ts";

const SAMPLES = 20;

describe("the reading of a trace", () => {
  const socket: Exchange = {
    on: (on) => on.includes(":1883->"),
    isAcknowledgement: (data) => data.includes("\\x40\\x02"),
  };
  const READ = '7 read(20<TCP:[127.0.0.1:1883->127.0.0.1:5]>, "\\x32"..., 65536) = 2911';
  const FLUSH_BEGINS = "9 fdatasync(31</d/entries.sqlite-wal> <unfinished ...>";
  const FLUSH_ENDS = "9 <... fdatasync resumed>)      = 0";
  const ACK = '7 write(20<TCP:[127.0.0.1:1883->127.0.0.1:5]>, "\\x40\\x02\\x00\\x01", 4) = 4';
  const judge = (...lines: string[]) => flushedBeforeAcknowledged(parseTrace(lines.join("\n")), socket);

  it("is content with a flush between the sample and its acknowledgement", () =>
    assert.deepEqual(judge(READ, FLUSH_BEGINS, FLUSH_ENDS, ACK), [true]));

  it("is not when the flush ends too late, begins too early, fails, or is another file's", () => {
    assert.deepEqual(judge(READ, FLUSH_BEGINS, ACK, FLUSH_ENDS), [false]);
    assert.deepEqual(judge(FLUSH_BEGINS, READ, FLUSH_ENDS, ACK), [false]);
    assert.deepEqual(judge(READ, FLUSH_BEGINS, FLUSH_ENDS.replace("= 0", "= -1 EIO"), ACK), [false]);
    assert.deepEqual(judge(READ, FLUSH_BEGINS.replace("entries", "other"), FLUSH_ENDS, ACK), [false]);
  });
});

const suite = canTrace() ? describe : describe.skip;

suite("the system calls of a running line", function () {
  this.timeout(180_000);
  let directory: string;
  let line: Line;

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-trace-"));
    line = await Line.create({ SERIAL_PORT: serialLinkIn(directory) });
  });
  after(async () => {
    await line?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it("have a completed flush between a sample's bytes and its acknowledgement, on every transport", async () => {
    const transports: Transport[] = ["mqtt", "websocket", "serial"];
    const { load } = await prepareLoad(
      line,
      directory,
      transports.map((transport) => ({
        transport,
        kind: "raw",
        device: `ESP32_RAW_${transport}`,
        // One at a time, so that each acknowledgement needs a flush of its own.
        window: 1,
        ratePerS: 10,
      })),
      1,
    );
    // The terminal has to be there before the line looks for it.
    load.start();
    await line.start();
    const tracer = await Tracer.attach(line.pid, path.join(directory, "trace"));
    const before = { ...load.progress.byTransport };
    await until(
      "acknowledgements on every transport",
      () => transports.every((each) => (load.progress.byTransport[each] ?? 0) >= (before[each] ?? 0) + SAMPLES),
      60_000,
    );
    const calls = await tracer.stop();
    load.kill();
    const exchanges: Record<Transport, Exchange> = {
      mqtt: {
        on: (on) => on.includes(`:${line.mqttPort}->`),
        isAcknowledgement: (data) => data.includes("\\x40\\x02"),
      },
      websocket: { on: (on) => on.includes(`:${line.port}->`), isAcknowledgement: (data) => data.includes("ack") },
      // strace writes bytes that are no text in hexadecimal: "ack".
      serial: {
        on: (on) => on.startsWith("/dev/pts/"),
        isAcknowledgement: (data) => data.includes("\\x61\\x63\\x6b"),
      },
    };
    for (const transport of transports) {
      const flushed = flushedBeforeAcknowledged(calls, exchanges[transport]);
      console.log(
        `      ${transport}: ${flushed.filter(Boolean).length} of ${flushed.length} acknowledgements after a flush`,
      );
      assert.ok(flushed.length > 0, `no acknowledgement seen on ${transport}`);
      assert.ok(flushed.every(Boolean), `an acknowledgement on ${transport} without a flush before it`);
    }
  });
});
