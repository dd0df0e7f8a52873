import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { assertBalance, settledAccounts } from "../support/accounts.ts";
import { Line } from "../support/line.ts";
import { type NumberedLoad, prepareLoad } from "./numbered-load.ts";
import { checkTotalQueue } from "./total-queue.ts";

const SAMPLES = 500;
const POISONED = "1-333";
const DEVICE = "ESP32_MG_WS";

describe("a sample that the database refuses, among 500", function () {
  this.timeout(180_000);
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-refused-"));
  let line: Line;
  let numbered: NumberedLoad | undefined;

  before(async () => {
    line = await Line.create();
    await line.start();
  });
  after(async () => {
    numbered?.load.kill();
    await line?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it("goes to quarantine with its reason and its bytes; the other 499 are stored", async () => {
    await line.query(
      `ALTER TABLE as7341_analysis ADD CONSTRAINT poisoned CHECK (sample_id <> '${POISONED}') NOT VALID`,
    );
    numbered = await prepareLoad(
      line,
      directory,
      [{ transport: "websocket", kind: "sqal", device: DEVICE, window: 64, count: SAMPLES }],
      1,
    );
    numbered.load.start();
    const { acknowledged } = await numbered.load.finished;
    assert.equal(acknowledged, SAMPLES, "the poisoned one is acknowledged like the others");

    const accounts = await settledAccounts(line);
    assert.deepEqual([accounts.stored, accounts.quarantined], [SAMPLES - 1, 1]);
    assert.deepEqual(accounts.quarantinedBy, { "refused-by-database": 1 });
    assertBalance(accounts);

    const found = await checkTotalQueue(line, numbered.journal, numbered.kinds);
    const tables = ["vl53l8ch_raw", "as7341_raw", "vl53l8ch_analysis", "as7341_analysis", "fusion_results"];
    assert.deepEqual(
      found.missing.sort(),
      tables.map((table) => `${table}: ${DEVICE} ${POISONED}`).sort(),
      "all or nothing: no row of the refused sample is in any table",
    );
    assert.deepEqual(found.twice, []);

    const quarantined = await line.query<{ reason: string; detail: string; device_id: string; bytes: Buffer }>(
      "SELECT reason, detail, device_id, bytes FROM quarantine",
    );
    assert.equal(quarantined.length, 1);
    const [record] = quarantined;
    assert.equal(record?.reason, "refused-by-database");
    assert.match(record?.detail ?? "", /poisoned/);
    assert.equal(record?.device_id, DEVICE);
    assert.equal(JSON.parse(String(record?.bytes)).sample_id, POISONED);
  });
});
