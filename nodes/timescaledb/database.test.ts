import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { type Database, openDatabase } from "./database.ts";
import { makeSample, onlyValue } from "./fixture.test.ts";
import { migrate } from "./migrate.ts";
import { runQuery } from "./run-query.ts";
import { inTransaction } from "./transaction.ts";
import { Writer } from "./writer.ts";

/** A door to the embedded database that can be shut: a server that goes away and comes back. */
class Server {
  readonly #database: Database;
  #server: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();
  port = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async open(): Promise<void> {
    const server = net.createServer((socket) => {
      const stream = this.#database.embedded?.stream();
      if (!stream) return socket.destroy();
      this.#sockets.add(socket);
      socket.on("error", () => stream.destroy());
      stream.on("error", () => socket.destroy());
      socket.on("close", () => stream.destroy());
      socket.pipe(stream).pipe(socket);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, "127.0.0.1", resolve));
    const address = server.address();
    assert.ok(address && typeof address === "object");
    this.port = address.port;
  }

  shut(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

describe("database", function () {
  this.timeout(60_000);
  let dataDir: string;
  let engine: Database;
  let server: Server;
  before(async () => {
    dataDir = mkdtempSync(path.join(os.tmpdir(), "foieflow-db-"));
    engine = await openDatabase({ dataDir, extension: false, jobsEveryMs: 0, embedded: { fsync: false } });
    server = new Server(engine);
    await server.open();
  });
  after(async () => {
    server?.shut();
    await engine?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const url = () => `postgres://foieflow@127.0.0.1:${server.port}/postgres`;

  it("gives times in UTC with microseconds, big integers exactly, numerics as numbers, dates as text", async () => {
    const { rows } = await engine.pool.query(
      "SELECT timestamptz '2026-03-29 03:30:00.123456+02' AS t, 9007199254740993::int8 AS big, 42::int8 AS small, 0.125::numeric AS n, date '2026-03-29' AS d",
    );
    assert.deepEqual(rows[0], {
      t: "2026-03-29T01:30:00.123456Z",
      big: "9007199254740993",
      small: 42,
      n: 0.125,
      d: "2026-03-29",
    });
  });

  it("loses nothing while the server is away, and stores it when it is back", async () => {
    const database = await openDatabase({ url: url(), jobsEveryMs: 0 });
    const states: string[] = [];
    database.onState((state) => states.push(state));
    const settled: string[] = [];
    const troubles: unknown[] = [];
    const writer = new Writer<undefined>({
      database: Promise.resolve(database),
      settle: (entryId) => settled.push(entryId),
      onTrouble: (error) => troubles.push(error),
      backoffFactor: 0.05,
    });
    server.shut();
    const samples = Array.from({ length: 30 }, () => makeSample({ deviceId: "through-outage" }));
    for (const [i, payload] of samples.entries()) writer.add({ entryId: `o${i}`, payload, context: undefined });
    while (!states.includes("away")) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(settled, []);
    await server.open();
    await database.ready();
    assert.deepEqual(await writer.close(20_000), []);
    assert.deepEqual(
      settled,
      samples.map((_, i) => `o${i}`),
    );
    assert.equal(
      await onlyValue(database, "SELECT count(*) FROM fusion_results WHERE device_id = 'through-outage'"),
      30,
    );
    await database.close();
  });

  it("goes on after the embedded engine died under it", async () => {
    const settled: string[] = [];
    const writer = new Writer<undefined>({
      database: Promise.resolve(engine),
      settle: (entryId) => settled.push(entryId),
      maxRows: 3,
      backoffFactor: 0.1,
    });
    const samples = Array.from({ length: 60 }, () => makeSample({ deviceId: "through-crash" }));
    for (const [i, payload] of samples.entries()) writer.add({ entryId: `k${i}`, payload, context: undefined });
    while (settled.length < 6) await new Promise((resolve) => setImmediate(resolve));
    await engine.embedded?.terminateEngine();
    assert.deepEqual(await writer.close(20_000), []);
    assert.deepEqual(
      settled,
      samples.map((_, i) => `k${i}`),
    );
    assert.equal(await onlyValue(engine, "SELECT count(*) FROM fusion_results WHERE device_id = 'through-crash'"), 60);
  });

  it("opens before its server is there, and is ready when it comes", async () => {
    server.shut();
    const database = await openDatabase({ url: url(), jobsEveryMs: 0 });
    assert.equal(database.state(), "away");
    await server.open();
    await database.ready();
    assert.equal(await onlyValue(database, "SELECT total_samples FROM get_recent_stats(1, 'nowhere')"), 0);
    await database.close();
    await assert.rejects(database.ready(), { code: "database-closed" });
  });

  it("leaves nothing of a migration that fails", async () => {
    const directory = path.join(dataDir, "migrations");
    const real = path.join(import.meta.dirname, "migrations");
    mkdirSync(directory);
    for (const file of readdirSync(real))
      writeFileSync(path.join(directory, file), readFileSync(path.join(real, file)));
    writeFileSync(path.join(directory, "900.do.half.sql"), "CREATE TABLE half (a int); SELECT 1 / 0;");
    await assert.rejects(
      inTransaction(engine.pool, (client) => migrate(client, directory)),
      /division by zero/,
    );
    assert.equal(await onlyValue(engine, "SELECT to_regclass('half')"), null);
    assert.equal(await onlyValue(engine, "SELECT max(version) FROM foieflow_schema_version"), readdirSync(real).length);
    assert.deepEqual(await inTransaction(engine.pool, (client) => migrate(client)), []);
  });

  it("queries read only, one statement, within their rows", async () => {
    const run = (sql: string, values: unknown[] = [], more = {}) =>
      runQuery(engine.pool, { sql, values, rowLimit: 3, timeoutMs: 5000, ...more });
    const answer = await run("SELECT n FROM generate_series(1, $1::int) n ORDER BY n DESC; ", [10]);
    assert.deepEqual(answer, { rows: [{ n: 10 }, { n: 9 }, { n: 8 }], truncated: true });
    assert.equal((await run("SELECT 1 AS one -- the end")).truncated, false);
    await assert.rejects(run("SELECT 1; DROP TABLE devices"), { code: "42601" });
    await assert.rejects(run("DELETE FROM devices"), { code: "42601" });
    await assert.rejects(run("WITH gone AS (DELETE FROM devices RETURNING 1) SELECT * FROM gone"));
    await assert.rejects(run("SELECT nextval('quarantine_id_seq')"), { code: "25006" });
    await assert.rejects(run(" ; "), { code: "empty-query" });
    const written = await run("INSERT INTO ml_training_history (model_type) VALUES ($1) RETURNING status", ["m"], {
      readOnly: false,
    });
    assert.deepEqual(written.rows, [{ status: "pending" }]);
  });

  it("gives up a transaction that gets no answer, and the connection with it", async () => {
    const black = net.createServer((socket) => void socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => black.listen(0, "127.0.0.1", resolve));
    const address = black.address();
    assert.ok(address && typeof address === "object");
    const pool = new pg.Pool({ host: "127.0.0.1", port: address.port, user: "x", connectionTimeoutMillis: 200 });
    await assert.rejects(inTransaction(pool, () => Promise.resolve(), { deadlineMs: 100 }));
    await pool.end();
    black.close();
    await assert.rejects(
      inTransaction(engine.pool, () => new Promise(() => undefined), { deadlineMs: 50 }),
      { code: "database-timeout" },
    );
    assert.equal(await onlyValue(engine, "SELECT 1"), 1);
  });

  it("refuses to open without an address", async () => {
    await assert.rejects(openDatabase({}), { code: "database-options" });
  });
});
