import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { embeddedPaths } from "./paths.ts";
import { int32 } from "./protocol.ts";
import type { Serving } from "./server.ts";
import { type EmbeddedDatabase, startEmbedded } from "./start.ts";

const run = promisify(execFile);
const PASSWORD = "càlme, 'fort'\" 🦆";

describe("the doors of the embedded database", function () {
  this.timeout(60_000);
  const root = mkdtempSync(join(tmpdir(), "foieflow-doors-"));
  const dataDir = join(root, "data");
  let database: EmbeddedDatabase;
  let serving: Serving;
  let port: number;
  let socketPath: string;

  before(async () => {
    mkdirSync(dataDir);
    database = await startEmbedded({ dataDir, extension: false, fsync: false });
    serving = await database.serve({
      socket: true,
      port: 0,
      password: PASSWORD,
      maxConnections: 3,
      handshakeMs: 1_000,
    });
    port = serving.port ?? 0;
    socketPath = serving.socketPath ?? "";
  });
  after(async () => {
    await database?.close();
    rmSync(root, { recursive: true, force: true });
  });
  const login = async (user: string, password: string) => {
    const client = new pg.Client({ host: "127.0.0.1", port, user, password, database: "x", ssl: false });
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.query("SELECT 42 AS n")).rows[0].n;
    } finally {
      await client.end().catch(() => {});
    }
  };

  it("lets in who knows the password, and nobody else", async () => {
    assert.equal(await login("foieflow", PASSWORD), 42);
    await assert.rejects(login("foieflow", `${PASSWORD} `), { code: "28P01" });
    await assert.rejects(login("postgres", PASSWORD), { code: "28P01" });
    await assert.rejects(database.serve({ port: 0 }), { code: "database-password" });
    await assert.rejects(database.serve({ port, password: PASSWORD }), { code: "database-port" });
  });

  it("does not let anybody query before the password", async () => {
    const socket = connect(port, "127.0.0.1");
    const body = Buffer.concat([int32(196_608), Buffer.from("user\0foieflow\0\0")]);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.write(Buffer.concat([int32(body.length + 4), body, Buffer.from("Q\0\0\0\rSELECT 1\0")]));
    await once(socket, "close");
    assert.match(Buffer.concat(chunks).toString("latin1"), /^R.*SCRAM-SHA-256\0\0E.*08P01/s);
  });

  it("answers a group of messages wherever one of them ends in the engine's read buffer", async () => {
    const client = new pg.Client({ host: "127.0.0.1", port, user: "foieflow", password: PASSWORD, database: "x" });
    await client.connect();
    try {
      for (const buffer of [8192, 3 * 8192])
        for (let length = buffer - 200; length <= buffer; length += 1) {
          const { rows } = await client.query("SELECT length($1) AS n", ["x".repeat(length)]);
          assert.deepEqual(rows, [{ n: length }]);
        }
    } finally {
      await client.end();
    }
  });

  it("drops who says nothing, and bounds the number of clients", async () => {
    const silent = [1, 2, 3].map(() => connect(port, "127.0.0.1"));
    await Promise.all(silent.map((socket) => once(socket, "connect")));
    await assert.rejects(login("foieflow", PASSWORD), { code: "53300" });
    await Promise.all(silent.map((socket) => once(socket.resume(), "close")));
    assert.equal(await login("foieflow", PASSWORD), 42);
  });

  it("keeps the socket to its owner and says where it is", () => {
    assert.equal(statSync(socketPath).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(socketPath)).mode & 0o777, 0o700);
    assert.equal(JSON.parse(readFileSync(embeddedPaths(dataDir).socketRecord, "utf8")).socketPath, socketPath);
  });

  it("finds a short place for the socket of a data directory with a long path", async () => {
    const long = join(root, "d".repeat(100));
    mkdirSync(long);
    const other = await startEmbedded({ dataDir: long, extension: false, fsync: false });
    const { socketPath: path = "" } = await other.serve({ socket: true });
    assert.ok(Buffer.byteLength(path) <= 103, path);
    assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
    const socket = connect(path);
    await once(socket, "connect");
    socket.destroy();
    await other.close();
    assert.throws(() => statSync(path), { code: "ENOENT" });
    rmSync(dirname(path), { recursive: true, force: true });
  });

  describe("for psql", () => {
    before(function () {
      if (spawnSync("psql", ["--version"]).status !== 0) this.skip();
    });
    const environment = () => ({ ...process.env, PGPASSWORD: PASSWORD, PGCONNECT_TIMEOUT: "10" });
    const psql = async (...commands: string[]) =>
      (
        await run("psql", ["-X", "-At", "-h", dirname(socketPath), ...commands.flatMap((command) => ["-c", command])], {
          env: environment(),
        })
      ).stdout;

    it("answers its commands over the socket", async () => {
      await psql("CREATE TABLE IF NOT EXISTS duck (id int PRIMARY KEY, name text)");
      assert.match(await psql("\\dt"), /public\|duck\|table\|postgres/);
      assert.match(await psql("\\d duck"), /id\|integer\|/);
      await psql("TRUNCATE duck", "\\copy duck FROM PROGRAM 'printf \"1,a\\n2,b\\n\"' csv");
      assert.equal(await psql("\\copy (SELECT * FROM duck ORDER BY id) TO STDOUT csv"), "1,a\n2,b\n");
    });

    it("answers it over TCP with the password", async () => {
      const options = ["-X", "-At", "-h", "127.0.0.1", "-p", String(port), "-U", "foieflow"];
      const { stdout } = await run("psql", [...options, "-c", "SELECT 6 * 7"], { env: environment() });
      assert.equal(stdout, "42\n");
    });
  });

  it("hears a cancel request without harm", async () => {
    const client = new pg.Client({ stream: () => database.stream(), ssl: false });
    await client.connect();
    const running = client.query("SELECT count(*)::int AS n FROM generate_series(1, 300000)");
    const socket = connect(port, "127.0.0.1");
    socket.write(Buffer.concat([int32(16), int32(80_877_102), int32(1), int32(0)]));
    await once(socket.resume(), "close");
    assert.equal((await running).rows[0].n, 300_000);
    await client.end();
    assert.equal(database.stats().recoveries, 0);
  });
});
