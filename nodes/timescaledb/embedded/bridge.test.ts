import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import pg from "pg";
import { codeOf } from "../../host/errors.ts";
import { int32, message, messagesIn, query, sync } from "./protocol.ts";
import { type EmbeddedDatabase, startEmbedded } from "./start.ts";

const MIB = 1024 * 1024;

describe("clients of the embedded database", function () {
  this.timeout(60_000);
  const dataDir = mkdtempSync(join(tmpdir(), "foieflow-bridge-"));
  let database: EmbeddedDatabase;
  let pool: pg.Pool;
  const opened: pg.Client[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ stream: () => database.stream(), ssl: false });
    client.on("error", () => {});
    opened.push(client);
    await client.connect();
    return client;
  };

  before(async () => {
    database = await startEmbedded({
      dataDir,
      extension: false,
      fsync: false,
      idleInTransactionMs: 300,
      maxMessageBytes: 8 * MIB,
    });
    pool = new pg.Pool({ stream: () => database.stream(), ssl: false, max: 5 });
    await pool.query("CREATE TABLE item (id int PRIMARY KEY, name text)");
  });
  beforeEach(async () => {
    await pool.query("TRUNCATE item");
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((client) => client.end()));
  });
  after(async () => {
    await pool?.end();
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const count = async () => (await pool.query<{ n: number }>("SELECT count(*)::int AS n FROM item")).rows[0]?.n;

  it("leaves the extension out when told to", async () => {
    assert.equal(database.timescaledb, undefined);
    assert.equal((await pool.query("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'")).rowCount, 0);
  });

  it("mixes up none of 900 queries of five connections", async () => {
    const asked = Array.from({ length: 900 }, async (_, i) => {
      const { rows } = await pool.query("SELECT $1::int AS i, $2::text AS t", [i, `row ${i}`]);
      assert.deepEqual(rows, [{ i, t: `row ${i}` }]);
    });
    await Promise.all(asked);
  });

  it("keeps a transaction to itself, begun in either way and over savepoints", async () => {
    const writer = await connect();
    for (const begin of ["BEGIN", "START TRANSACTION ISOLATION LEVEL REPEATABLE READ"]) {
      await writer.query(begin);
      await writer.query("INSERT INTO item VALUES (1, 'kept')");
      await writer.query("SAVEPOINT s");
      await writer.query("INSERT INTO item VALUES (2, 'dropped')");
      await writer.query("ROLLBACK TO SAVEPOINT s");
      let answered = false;
      const other = count().then((n) => {
        answered = true;
        return n;
      });
      await writer.query("SELECT 1");
      assert.equal(answered, false, "another client got in between");
      await writer.query("ROLLBACK");
      assert.equal(await other, 0);
    }
  });

  it("goes on after a failed transaction while others wait", async () => {
    const client = await connect();
    await client.query("BEGIN");
    await assert.rejects(client.query("SELECT * FROM nowhere"), { code: "42P01" });
    const others = [count(), count()];
    await assert.rejects(client.query("SELECT $1::int", [1]), { code: "25P02" });
    await client.query("ROLLBACK");
    assert.deepEqual(await Promise.all(others), [0, 0]);
  });

  it("rolls back when a client vanishes", async () => {
    const stream = database.stream();
    const client = new pg.Client({ stream: () => stream, ssl: false });
    client.on("error", () => {});
    await client.connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO item VALUES (1, 'x')");
    stream.destroy();
    assert.equal(await count(), 0);
    await pool.query("INSERT INTO item VALUES (1, 'y')");
  });

  it("ends a client that sits in a transaction while others wait", async () => {
    const client = await connect();
    const ended = once(client, "error");
    await client.query("BEGIN");
    await client.query("INSERT INTO item VALUES (1, 'x')");
    assert.equal(await count(), 0);
    const [error] = await ended;
    assert.equal(codeOf(error, ""), "25P03");
  });

  it("takes a parameter of 3 MB and gives it back, and refuses one over the limit without harm", async () => {
    const big = "é".repeat(1.5 * MIB);
    assert.equal((await pool.query<{ v: string }>("SELECT $1::text AS v", [big])).rows[0]?.v, big);
    const client = await connect();
    await client.query("BEGIN");
    await client.query("INSERT INTO item VALUES (1, 'x')");
    await assert.rejects(client.query("SELECT $1::text AS v", ["x".repeat(9 * MIB)]), { code: "54000" });
    await assert.rejects(client.query("SELECT 1"), { code: "25P02" });
    await client.query("ROLLBACK");
    await assert.rejects(client.query(`SELECT '${"x".repeat(9 * MIB)}'`), { code: "54000" });
    assert.equal((await client.query("SELECT 1 AS one")).rows[0].one, 1);
  });

  it("keeps equal statement names of two clients apart, however long, and takes them away with the client", async () => {
    const [a, b] = [await connect(), await connect()];
    for (const name of ["same", "s".repeat(63)]) {
      const ask = (client: pg.Client, text: string) => client.query({ name, text, rowMode: "array" });
      for (let round = 0; round < 3; round++) {
        assert.deepEqual((await ask(a, "SELECT 'a'")).rows, [["a"]]);
        assert.deepEqual((await ask(b, "SELECT 'b', 2")).rows, [["b", 2]]);
      }
    }
    const named = () => pool.query("SELECT name FROM pg_prepared_statements WHERE name <> ''").then((r) => r.rowCount);
    assert.equal(await named(), 4);
    await a.end();
    assert.equal(await named(), 2);
  });

  it("delivers notifications to those who listen, and to nobody else", async () => {
    const [a, b, c] = [await connect(), await connect(), await connect()];
    const heard: string[] = [];
    for (const [who, client] of Object.entries({ a, b, c }))
      client.on("notification", (n) => heard.push(`${who} ${n.channel} ${n.payload}`));
    await a.query("LISTEN grade");
    await b.query('LISTEN "Grade"; LISTEN grade');
    await pool.query("SELECT pg_notify('grade', 'one'), pg_notify('Grade', 'two')");
    await a.query("UNLISTEN grade");
    await pool.query("NOTIFY grade, 'three'");
    await Promise.all([a, b, c].map((client) => client.query("SELECT 1")));
    assert.deepEqual(heard.sort(), ["a grade one", "b Grade two", "b grade one", "b grade three"]);
  });

  it("forgets the settings of a client that left", async () => {
    const client = await connect();
    await client.query("SET TimeZone = 'Europe/Paris'");
    await client.end();
    assert.equal((await pool.query("SHOW TimeZone")).rows[0].TimeZone, "UTC");
  });

  it("refuses what would harm the other clients of the session", async () => {
    await assert.rejects(pool.query("DISCARD ALL"), { code: "0A000" });
    await assert.rejects(pool.query("DEALLOCATE ALL"), { code: "0A000" });
  });

  describe("at the level of the protocol", () => {
    let raw: RawClient;
    beforeEach(async () => {
      raw = new RawClient(database.stream());
      await raw.start();
    });
    afterEach(() => raw.stream.destroy());
    const data = (text: string) => message("d", text);
    const parse = (name: string, sql: string) => message("P", name, "\0", sql, "\0", Buffer.alloc(2));
    const bind = message("B", "\0\0", Buffer.alloc(6));
    const execute = message("E", "\0", int32(0));

    it("copies in, and survives a bad row, a client's failure and a table that is not there", async () => {
      await raw.ask(query("COPY item FROM STDIN"), "G");
      assert.deepEqual(await raw.ask([data("1\tone\n2\tt"), data("wo\n"), message("c")], "Z"), ["C", "Z"]);
      await raw.ask(query("COPY item FROM STDIN"), "G");
      assert.deepEqual(await raw.ask([data("3\tthree\nx\tbad\n"), message("c")], "Z"), ["E", "Z"]);
      await raw.ask(query("COPY item FROM STDIN"), "G");
      assert.deepEqual(await raw.ask([data("4\tfour\n"), message("f", "changed my mind\0")], "Z"), ["E", "Z"]);
      await raw.ask(query("COPY nowhere FROM STDIN"), "G");
      assert.deepEqual(await raw.ask([data("4\tfour\n"), message("c")], "Z"), ["E", "Z"]);
      assert.deepEqual(await raw.ask(query("COPY (SELECT id FROM item ORDER BY 1) TO STDOUT"), "Z"), [
        "H",
        "d",
        "d",
        "c",
        "C",
        "Z",
      ]);
      assert.equal(await count(), 2);
    });

    it("refuses a COPY over the limit", async () => {
      await raw.ask(query("COPY item FROM STDIN"), "G");
      const rows = Array.from({ length: 9 }, () => data("x".repeat(MIB)));
      assert.deepEqual(await raw.ask([...rows, message("c")], "Z"), ["E", "Z"]);
      assert.equal(await count(), 0);
    });

    it("refuses COPY as a prepared statement, at Sync and at Flush", async () => {
      const copy = parse("", "COPY item FROM STDIN");
      assert.deepEqual(await raw.ask([copy, bind, execute, sync()], "Z"), ["E", "Z"]);
      assert.deepEqual(await raw.ask([copy, message("H")], "E"), ["E"]);
      assert.deepEqual(await raw.ask([bind, execute, sync()], "Z"), ["Z"]);
    });

    it("holds the engine from Flush to Sync, also over an error", async () => {
      assert.deepEqual(await raw.ask([parse("p", "SELECT 1"), message("H")], "1"), ["1"]);
      let answered = false;
      const other = count().then(() => {
        answered = true;
      });
      assert.deepEqual(await raw.ask([message("B", "\0p\0", Buffer.alloc(6)), execute, message("H")], "C"), [
        "2",
        "D",
        "C",
      ]);
      assert.equal(answered, false);
      assert.deepEqual(await raw.ask([parse("", "SELECT nothing"), message("H")], "E"), ["E"]);
      assert.deepEqual(await raw.ask([bind, execute, sync()], "Z"), ["Z"]);
      await other;
    });

    it("answers several groups sent at once in their order", async () => {
      const groups = [1, 2, 3].flatMap((n) => [parse("", `SELECT ${n}`), bind, execute, sync()]);
      const expected = [1, 2, 3].flatMap(() => ["1", "2", "D", "C", "Z"]);
      raw.stream.write(Buffer.concat(groups));
      assert.deepEqual(await raw.types(expected.length), expected);
    });

    it("ends a client that breaks the protocol, and only that one", async () => {
      raw.stream.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
      await once(raw.stream, "close");
      assert.equal(await count(), 0);
    });
  });
});

/** A client that sends and receives bare messages. */
class RawClient {
  readonly stream: Duplex;
  #bytes = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
  }

  async start(): Promise<void> {
    const body = Buffer.concat([int32(196_608), Buffer.from("user\0x\0\0")]);
    this.stream.write(Buffer.concat([int32(body.length + 4), body]));
    await this.#until((types) => types.at(-1) === "Z");
  }

  /** Sends, and gives the types of what comes back up to the type `last`; notices left out. */
  async ask(bytes: Buffer | Buffer[], last: string): Promise<string[]> {
    this.stream.write(Array.isArray(bytes) ? Buffer.concat(bytes) : bytes);
    return this.#until((types) => types.at(-1) === last);
  }

  types(count: number): Promise<string[]> {
    return this.#until((types) => types.length >= count);
  }

  async #until(done: (types: string[]) => boolean): Promise<string[]> {
    for (;;) {
      const types = [...messagesIn(this.#bytes)].map((found) => found.type).filter((type) => type !== "N");
      if (done(types)) {
        this.#bytes = Buffer.alloc(0);
        return types;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
