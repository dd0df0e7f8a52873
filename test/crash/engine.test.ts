import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../nodes/sample/inbox.ts";
import { type Database, openDatabase } from "../../nodes/timescaledb/database.ts";
import { makeSample } from "../../nodes/timescaledb/fixture.test.ts";
import { Writer } from "../../nodes/timescaledb/writer.ts";
import { random } from "../../scripts/simulator/random.ts";
import { until } from "../support/line.ts";
import { isLong } from "../support/long.ts";

const ENDS = isLong ? 40 : 4;
const PER_BATCH = 100;
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 2 ** 31);
const TABLES = ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"];

describe(`the embedded engine ended ${ENDS} times in the middle of a batch (CRASH_SEED=${SEED})`, function () {
  this.timeout(ENDS * 30_000 + 60_000);
  const dataDir = mkdtempSync(path.join(tmpdir(), "foieflow-engine-"));
  let database: Database;

  before(async () => {
    database = await openDatabase({ dataDir, jobsEveryMs: 0 });
  });
  after(async () => {
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("loses no row, doubles none, and settles every entry as stored, in order", async () => {
    const rng = random(SEED, "engine");
    const settled: [string, Outcome["kind"]][] = [];
    const writer = new Writer<undefined>({
      database: Promise.resolve(database),
      settle: (entryId, { kind }) => settled.push([entryId, kind]),
      maxRows: PER_BATCH,
      maxAgeMs: 5,
      backoffFactor: 0.1,
    });
    let given = 0;
    const give = () => {
      for (let n = 0; n < PER_BATCH; n += 1) {
        given += 1;
        writer.add({ entryId: String(given), payload: makeSample({ sampleId: `s-${given}` }), context: undefined });
      }
    };
    let inTheMiddle = 0;
    for (let end = 0; end < ENDS; end += 1) {
      give();
      give();
      await sleep(rng.uniform(5, 120));
      if (database.pool.totalCount > database.pool.idleCount) inTheMiddle += 1;
      await database.embedded?.terminateEngine();
    }
    await until("every entry to be settled", () => settled.length >= given, 60_000);
    assert.deepEqual(await writer.close(15_000), []);

    assert.deepEqual(
      settled,
      Array.from({ length: given }, (_, n) => [String(n + 1), "stored"]),
    );
    for (const table of TABLES) {
      const { rows } = await database.pool.query(
        `SELECT count(*)::int AS rows, count(DISTINCT entry_id)::int AS entries FROM ${table}`,
      );
      assert.deepEqual(rows, [{ rows: given, entries: given }], table);
    }
    console.log(
      `      ${inTheMiddle} of ${ENDS} ends fell into a transaction; recoveries ${database.embedded?.stats().recoveries}`,
    );
    assert.ok(inTheMiddle > 0, "none of the ends fell into a transaction");
  });
});
