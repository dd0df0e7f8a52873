import assert from "node:assert/strict";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { capturedLines, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";

describe("a start after a power cut that damaged files", function () {
  this.timeout(180_000);
  let line: Line;
  const place = (file: string) => path.join(line.dataDir, file);
  before(async () => {
    line = await Line.create();
    await line.start();
    await line.stop("SIGKILL");
  });
  after(() => line.remove());

  it("comes up, says what it set aside, and takes samples", async () => {
    const secrets = readFileSync(place("secrets.json"), "utf8");
    await line.start(); // a second start keeps a copy of what it found whole
    await line.stop("SIGKILL");
    truncateSync(place("secrets.json"), 40);
    truncateSync(place("node-red/.config.nodes.json"), 1000);
    writeFileSync(place("node-red/.config.runtime.json"), Buffer.alloc(40));
    writeFileSync(place("node-red/package.json"), "");
    truncateSync(place("flows/20-grade.json"), 300);
    writeFileSync(place("database/lock.sqlite"), "not a lock");
    writeFileSync(place("database/maintenance.json"), "{");
    await line.start();
    for (const file of [
      "secrets.json",
      "node-red/.config.nodes.json",
      "node-red/.config.runtime.json",
      "node-red/package.json",
      "flow 20-grade.json",
      "database/lock.sqlite",
    ])
      assert.ok(line.output.includes(`FoieFlow: ${file} was damaged: moved to damaged/`), `${file}\n${line.output}`);
    assert.equal(readFileSync(place("secrets.json"), "utf8"), secrets, "the copy is in place");
    const moved = /secrets\.json was damaged: moved to (\S+);/.exec(line.output)?.[1] ?? "";
    assert.equal(readFileSync(place(moved), "utf8"), secrets.slice(0, 40));

    const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    await device.send(samplesOf(capturedLines().current)[0] ?? "");
    await until("the sample", async () => (await line.query("SELECT 1 FROM fusion_results")).length === 1);
    await device.close();
  });

  it("says nothing of it at the next start", async () => {
    assert.equal(await line.stop(), 0);
    await line.start();
    assert.doesNotMatch(line.output, /damaged/);
    assert.ok(existsSync(place("damaged")));
  });
});
