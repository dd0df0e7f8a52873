import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { EngineProcess } from "./engine-process.ts";
import { embeddedPaths } from "./paths.ts";
import { query } from "./protocol.ts";
import { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from "./start.ts";

const MODULE = JSON.stringify(new URL("./start.ts", import.meta.url).href);
const PG = JSON.stringify(import.meta.resolve("pg"));

/** Whether a process is there and not merely waiting for its new parent to take note of its end. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe("the embedded database's data", function () {
  this.timeout(60_000);
  const root = mkdtempSync(join(tmpdir(), "foieflow-durable-"));
  const fresh = (name: string): string => {
    const dataDir = join(root, name);
    // Making a database takes seconds: one is made, closed, and copied.
    cpSync(join(root, "template"), dataDir, { recursive: true });
    return dataDir;
  };
  const lines: string[] = [];
  const started: EmbeddedDatabase[] = [];
  const start = async (options: EmbeddedOptions): Promise<{ database: EmbeddedDatabase; pool: pg.Pool }> => {
    const database = await startEmbedded({ fsync: false, log: (line) => lines.push(line), ...options });
    started.push(database);
    const pool = new pg.Pool({ stream: () => database.stream(), ssl: false, max: 4 });
    pool.on("error", () => {});
    return { database, pool };
  };
  const children: ChildProcess[] = [];
  /** Runs JavaScript in another process, with `database` open and a `pg.Pool` on it. */
  const child = (dataDir: string, body: string) => {
    const source = `import { startEmbedded } from ${MODULE}; import pg from ${PG};
      try {
        const database = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log: (line) => console.log(line) });
        const pool = new pg.Pool({ stream: () => database.stream(), ssl: false });
        ${body}
      } catch (error) { console.log(error.code, error.message); process.exit(3); }`;
    const process_ = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(process_);
    return { process: process_, lines: createInterface({ input: process_.stdout }), exited: once(process_, "exit") };
  };

  before(async () => {
    const { database } = await start({ dataDir: join(root, "template"), fsync: true });
    await database.close();
  });
  afterEach(async () => {
    for (const process_ of children.splice(0)) process_.kill("SIGKILL");
    await Promise.all(started.splice(0).map((database) => database.close()));
    lines.length = 0;
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("still counts compressed rows after a restart, and takes new ones", async () => {
    const dataDir = fresh("compressed");
    const first = await start({ dataDir });
    assert.match(first.database.timescaledb ?? "", /^2\./);
    await first.pool.query("CREATE TABLE m (time timestamptz NOT NULL, v int)");
    await first.pool.query("SELECT create_hypertable('m', by_range('time', INTERVAL '1 day'))");
    await first.pool.query("ALTER TABLE m SET (timescaledb.compress)");
    await first.pool.query(
      "INSERT INTO m SELECT '2026-01-01Z'::timestamptz + i * INTERVAL '1 min', i FROM generate_series(1, 5000) i",
    );
    await first.pool.query("SELECT compress_chunk(c) FROM show_chunks('m') c");
    await first.pool.end();
    await first.database.close();
    assert.ok(!lines.some((line) => line.startsWith("recovering")));

    const second = await start({ dataDir });
    assert.equal((await second.pool.query("SELECT count(*)::int AS n FROM m")).rows[0].n, 5000);
    await second.pool.query("INSERT INTO m VALUES ('2026-01-01 00:00:30Z', 0)");
    // The library must be there again also after the engine died.
    await second.database.terminateEngine();
    assert.equal((await second.pool.query("SELECT count(*)::int AS n FROM m")).rows[0].n, 5001);
    await second.pool.end();
    await second.database.close();
    await assert.rejects(startEmbedded({ dataDir, extension: false }), { code: "embedded-extension" });
  });

  it("loses no acknowledged row to kill -9, and says that it recovers", async () => {
    const dataDir = fresh("killed");
    const writer = child(
      dataDir,
      `await pool.query("CREATE TABLE IF NOT EXISTS t (id bigserial PRIMARY KEY, n int UNIQUE)");
       for (let n = 0; ; n += 50) {
         await pool.query("INSERT INTO t (n) SELECT generate_series($1::int, $1::int + 49)", [n]);
         console.log("stored " + (n + 50));
         if (n % 500 === 0) await database.checkpoint();
       }`,
    );
    let acknowledged = 0;
    for await (const line of writer.lines) {
      const stored = /^stored (\d+)$/.exec(line)?.[1];
      if (stored) acknowledged = Number(stored);
      if (acknowledged >= 2000) writer.process.kill("SIGKILL");
    }
    await writer.exited;
    const { pool } = await start({ dataDir });
    assert.ok(lines.some((line) => line.startsWith("recovering the database")));
    const { rows } = await pool.query("SELECT count(*)::int AS n, max(n) + 1 AS next FROM t");
    assert.equal(rows[0].n, rows[0].next, "gaps or duplicates");
    assert.ok(rows[0].n >= acknowledged, `${rows[0].n} of ${acknowledged} acknowledged rows`);
    await pool.end();
  });

  it("starts over when the first start was killed half-way", async () => {
    const dataDir = join(root, "half");
    const paths = embeddedPaths(dataDir);
    mkdirSync(paths.cluster, { recursive: true });
    writeFileSync(paths.creating, "");
    writeFileSync(join(paths.cluster, "PG_VERSION"), "17\n");
    const { pool } = await start({ dataDir, extension: false });
    assert.ok(lines.some((line) => line.startsWith("creating the database")));
    assert.equal((await pool.query("SELECT 1 AS one")).rows[0].one, 1);
    assert.ok(!existsSync(paths.creating));
    await pool.end();
  });

  it("is opened by one process at a time, and freed when that one is killed", async () => {
    const dataDir = fresh("locked");
    const { database } = await start({ dataDir });
    const named = (pid: number | undefined) => ({ code: "database-in-use", message: new RegExp(`\\b${pid}\\b`) });
    await assert.rejects(startEmbedded({ dataDir }), named(process.pid));
    const second = child(dataDir, "console.log('opened')");
    const [line] = await once(second.lines, "line");
    assert.match(String(line), new RegExp(`^database-in-use .*process ${process.pid}\\b`));
    await database.close();

    const holder = child(dataDir, "console.log('holding'); setInterval(() => {}, 1000)");
    for await (const said of holder.lines) if (said === "holding") break;
    await assert.rejects(startEmbedded({ dataDir }), named(holder.process.pid));
    holder.process.kill("SIGKILL");
    await holder.exited;
    await start({ dataDir });
  });

  it("reaches the disk with each commit", async () => {
    const { database, pool } = await start({ dataDir: fresh("synced"), fsync: true });
    await pool.query("CREATE TABLE t (n int)");
    const before = database.stats().fsyncs;
    for (let n = 0; n < 20; n++) await pool.query("INSERT INTO t VALUES ($1)", [n]);
    const commits = database.stats().fsyncs - before;
    assert.ok(commits >= 20, `${commits} fsync calls for 20 commits`);
    await database.checkpoint();
    assert.ok(database.stats().fsyncs - before > commits, "a checkpoint syncs the tables' files");
    await pool.end();
  });

  it("keeps the write-ahead log short while it is written to", async () => {
    const dataDir = fresh("bounded");
    const mib = 1024 * 1024;
    const { database, pool } = await start({ dataDir, checkpointWalBytes: 4 * mib });
    await pool.query("CREATE TABLE t (n int, filler text)");
    const row = "x".repeat(100_000);
    await pool.query("ALTER TABLE t ALTER filler SET STORAGE EXTERNAL");
    for (let n = 0; n < 60; n++) await pool.query("INSERT INTO t SELECT i, $1 FROM generate_series(1, 10) i", [row]);
    await database.maintain();
    const stats = database.stats();
    assert.ok(stats.checkpoints >= 2, `${stats.checkpoints} checkpoints`);
    assert.ok(stats.walBytes < 4 * mib, `${stats.walBytes} bytes since the last checkpoint`);
    assert.ok(stats.lastCheckpointAt instanceof Date);
    const wal = join(embeddedPaths(dataDir).cluster, "pg_wal");
    const bytes = readdirSync(wal).reduce((sum, name) => sum + statSync(join(wal, name)).size, 0);
    assert.ok(bytes < 32 * mib, `${bytes} bytes of log for 60 MB written`);
    await pool.end();
  });

  it("analyses and vacuums when it is due, and remembers when", async () => {
    const dataDir = fresh("kept");
    const { maintenance } = embeddedPaths(dataDir);
    writeFileSync(maintenance, JSON.stringify({ analyze: 1, vacuum: 1 }));
    const { database, pool } = await start({ dataDir });
    await pool.query("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
    await database.maintain();
    const { rows } = await pool.query(
      "SELECT reltuples::int AS n, age(relfrozenxid) AS age FROM pg_class WHERE relname = 't'",
    );
    assert.equal(rows[0].n, 1000);
    assert.deepEqual(
      lines.filter((line) => line.includes(" failed")),
      [],
    );
    const runs = JSON.parse(readFileSync(maintenance, "utf8"));
    assert.ok(runs.analyze > 1 && runs.vacuum > 1);
    await pool.end();
  });

  it("can be closed while maintenance is at work, and says little about it", async () => {
    const dataDir = fresh("maintained");
    writeFileSync(embeddedPaths(dataDir).maintenance, JSON.stringify({ analyze: 1, vacuum: 1 }));
    const { database, pool } = await start({ dataDir });
    await pool.query(`CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
      AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN $1; END $$`);
    for (let n = 0; n < 20; n++) await pool.query(`CREATE TABLE t${n} AS SELECT generate_series(1, 1000) AS n`);
    // Its ANALYZE takes 50 s: longer than closing waits.
    await pool.query("CREATE STATISTICS s ON (slow(n)) FROM t3");
    await pool.end();
    const maintained = database.maintain().catch(() => {});
    await sleep(2000);
    await database.close();
    await maintained;
    const failures = lines.filter((line) => line.includes(" failed"));
    assert.ok(failures.length <= 2, failures.join("\n"));
    const second = await start({ dataDir });
    assert.equal((await second.pool.query("SELECT count(*)::int AS n FROM t19")).rows[0].n, 1000);
    await second.pool.end();
  });

  it("tells its clients when the engine dies, and serves them again", async () => {
    const { database, pool } = await start({ dataDir: fresh("trapped") });
    const states: string[] = [];
    database.onState((state) => states.push(state));
    await pool.query("CREATE TABLE t (n int)");
    await pool.query("INSERT INTO t VALUES (1)");
    const [client, unused] = await Promise.all([pool.connect(), pool.connect()]);
    client.on("error", () => {});
    unused.release();
    const idle = once(pool, "error");
    const running = assert.rejects(client.query("SELECT count(*) FROM generate_series(1, 1000000000)"), {
      code: "57P02",
    });
    await Promise.all([running, idle, database.terminateEngine()]);
    client.release(true);
    assert.deepEqual(states, ["recovering", "open"]);
    assert.equal(database.stats().recoveries, 1);
    assert.equal((await pool.query("SELECT count(*)::int AS n FROM t")).rows[0].n, 1);
    await pool.end();
  });

  it("can be closed while it is being reopened, or busy", async () => {
    const dataDir = fresh("closing");
    const first = await start({ dataDir });
    const recovering = new Promise<void>((resolve) => first.database.onState(() => resolve()));
    const reopened = assert.rejects(first.database.terminateEngine(), { code: "database-closed" });
    await recovering;
    await first.database.close();
    await reopened;
    assert.equal(first.database.state(), "closed");
    await assert.rejects(first.pool.query("SELECT 1"));
    const second = await start({ dataDir });
    await second.pool.query("SELECT 1");
    await second.database.close();
  });

  it("survives a trap of the engine itself", async () => {
    const dataDir = fresh("real-trap");
    const paths = embeddedPaths(dataDir);
    const engine = await EngineProcess.open({ paths, extension: true, fsync: false });
    const death = new Promise<Error>((resolve) => engine.onDeath(resolve));
    await engine.exec(query("CREATE TABLE t (n int); INSERT INTO t VALUES (1)"), 10_000);
    // The engine cannot wait for the data of a COPY: this is what the bridge never lets through.
    await assert.rejects(engine.exec(query("COPY t FROM STDIN"), 10_000), { code: "embedded-failed" });
    assert.match((await death).message, /unreachable|memory access|RuntimeError/);
    const { pool } = await start({ dataDir });
    assert.equal((await pool.query("SELECT count(*)::int AS n FROM t")).rows[0].n, 1);
    await pool.end();
  });

  it("outlives a fault that ends the engine's process, also while it opens", async function () {
    const threads = `/proc/${process.pid}/task`;
    if (!existsSync(threads)) this.skip();
    // Of every thread: the one that speaks with the engine started it.
    const childPids = () =>
      readdirSync(threads)
        .flatMap((thread) => readFileSync(join(threads, thread, "children"), "utf8").split(" "))
        .filter(Boolean)
        .map(Number);
    const dataDir = fresh("segfault");
    const others = new Set(childPids());
    const opening = start({ dataDir });
    let pid: number | undefined;
    for (; pid === undefined; await sleep(5)) pid = childPids().find((one) => !others.has(one));
    await sleep(150); // somewhere in its start
    process.kill(pid, "SIGSEGV");
    const { database, pool } = await opening;
    pool.on("error", () => {}); // the idle connection ends with the engine
    await pool.query("CREATE TABLE t (n int)");
    await pool.query("INSERT INTO t VALUES (1)");
    const reopened = new Promise<void>((resolve) => database.onState((state) => state === "open" && resolve()));
    process.kill(database.stats().enginePid ?? 0, "SIGSEGV");
    await reopened;
    assert.match(database.stats().lastFailure ?? "", /SIGSEGV/);
    assert.equal((await pool.query("SELECT count(*)::int AS n FROM t")).rows[0].n, 1);
    await pool.end();
  });

  it("waits for the engine of a process that was killed, which ends although it is busy", async () => {
    const dataDir = fresh("orphan");
    const parent = child(
      dataDir,
      `await pool.query("CREATE TABLE t (n int)");
       await pool.query("INSERT INTO t VALUES (1)");
       pool.query("SELECT count(*) FROM generate_series(1, 10000000000)").catch(() => {});
       setTimeout(() => console.log("busy " + database.stats().enginePid), 500);`,
    );
    let orphan = 0;
    for await (const line of parent.lines) {
      orphan = Number(/^busy (\d+)$/.exec(line)?.[1]);
      if (orphan > 0) parent.process.kill("SIGKILL");
    }
    await parent.exited;
    const { pool } = await start({ dataDir });
    assert.ok(!isRunning(orphan));
    assert.equal((await pool.query("SELECT count(*)::int AS n FROM t")).rows[0].n, 1);
    await pool.end();
  });

  it("ends a query that runs too long together with its engine", async () => {
    const { database, pool } = await start({ dataDir: fresh("watched"), watchdogMs: 500 });
    await assert.rejects(pool.query("SELECT count(*) FROM generate_series(1, 1000000000)"), { code: "57P02" });
    assert.equal((await pool.query("SELECT 1 AS one")).rows[0].one, 1);
    assert.equal(database.stats().recoveries, 1);
    assert.match(database.stats().lastFailure ?? "", /more than 500 ms/);
    await pool.end();
  });

  it("says what to do when the optional package is missing", async () => {
    // The same files in a place from which no package is found.
    const elsewhere = join(root, "elsewhere", "timescaledb", "embedded");
    cpSync(import.meta.dirname, elsewhere, { recursive: true });
    cpSync(join(import.meta.dirname, "../../host"), join(root, "elsewhere", "host"), { recursive: true });
    writeFileSync(join(root, "elsewhere", "package.json"), '{"type":"module"}');
    const script = `import { openEngine } from ${JSON.stringify(join(elsewhere, "open.ts"))};
      openEngine({ paths: {}, extension: true, fsync: true }, () => {}).catch((e) => console.log(e.code, e.message));`;
    const process_ = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(process_);
    const [line] = await once(createInterface({ input: process_.stdout }), "line");
    assert.match(String(line), /^embedded-unavailable .*DATABASE_URL/);
  });
});
