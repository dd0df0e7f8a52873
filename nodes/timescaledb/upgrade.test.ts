import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { openDatabase } from "./database.ts";
import { startEmbedded } from "./embedded/start.ts";
import { makeSample, onlyValue } from "./fixture.test.ts";
import { createExtension, migrate } from "./migrate.ts";
import { inTransaction } from "./transaction.ts";
import { Writer } from "./writer.ts";

const TABLES = ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"];
const MIGRATIONS = path.join(import.meta.dirname, "migrations");
const FIRST_SCHEMA = /^00[123]\./;

/** Something for each column that must not be null. */
const FILL = `CASE data_type
  WHEN 'timestamp with time zone' THEN 'now() - interval ''3 days'''
  WHEN 'jsonb' THEN '''[]''' WHEN 'boolean' THEN 'false' WHEN 'date' THEN 'current_date' WHEN 'text' THEN '''old''' ELSE '0' END`;

describe("a database of the first schema", function () {
  this.timeout(60_000);
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "foieflow-upgrade-"));
  const firstMigrations = path.join(dataDir, "first-migrations");
  after(() => rmSync(dataDir, { recursive: true, force: true }));

  it("is brought to this one with its chunks compressed, keeps its rows and takes new ones", async () => {
    mkdirSync(firstMigrations);
    for (const file of readdirSync(MIGRATIONS).filter((name) => FIRST_SCHEMA.test(name)))
      copyFileSync(path.join(MIGRATIONS, file), path.join(firstMigrations, file));
    const engine = await startEmbedded({ dataDir, extension: true, fsync: false });
    const pool = new pg.Pool({ stream: () => engine.stream(), ssl: false, max: 1 });
    assert.equal(await inTransaction(pool, createExtension), undefined);
    await inTransaction(pool, (client) => migrate(client, firstMigrations));
    for (const table of TABLES) {
      const { rows } = await pool.query<{ names: string; values: string }>(
        `SELECT string_agg(column_name, ', ') AS names, string_agg(${FILL}, ', ') AS values
         FROM information_schema.columns WHERE table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL`,
        [table],
      );
      await pool.query(`INSERT INTO ${table} (${rows[0]?.names}) VALUES (${rows[0]?.values})`);
      await pool.query(`SELECT compress_chunk(chunk) FROM show_chunks('${table}') chunk`);
    }
    await pool.end();
    await engine.close();

    const database = await openDatabase({ dataDir, jobsEveryMs: 0, embedded: { fsync: false } });
    const settled: string[] = [];
    const writer = new Writer<undefined>({
      database: Promise.resolve(database),
      settle: (_, { kind }) => settled.push(kind),
      onBatch: () => undefined,
    });
    writer.add({ entryId: "new", payload: makeSample(), context: undefined });
    await writer.close(20_000);
    assert.deepEqual(settled, ["stored"]);
    for (const table of TABLES) assert.equal(await onlyValue(database, `SELECT count(*) FROM ${table}`), 2, table);
    assert.equal(await onlyValue(database, "SELECT count(*) FROM vl53l8ch_raw WHERE corrupted IS NULL"), 2);
    await database.runJobs({ all: true });
    assert.equal(await onlyValue(database, "SELECT total_samples FROM get_recent_stats(1)"), 1);
    await database.close();
  });
});
