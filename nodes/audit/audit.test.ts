import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { audit } from "../host/audit.ts";
import type { Database } from "../timescaledb/database.ts";
import { targets } from "../timescaledb/fixture.test.ts";
import { entryOf, textOf } from "./chain.ts";
import { AuditLog, notedHead } from "./log.ts";
import { Segments } from "./segments.ts";
import { readAudit, verify } from "./store.ts";

const [, plain] = targets();

describe("audit log", function () {
  this.timeout(120_000);
  let directory: string;
  let database: Database;
  let log: AuditLog;
  const warned: string[] = [];
  const people = { anne: { name: "Anne", role: "quality" }, paul: { name: "Paul", role: "operator" } } as const;

  before(async () => {
    assert.ok(plain);
    database = await plain.open();
  });
  after(async () => {
    await database?.close();
    await plain?.remove();
  });
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-audit-"));
    warned.length = 0;
  });
  afterEach(async () => {
    await log?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const open = (db?: Database) => {
    log = new AuditLog(directory, (text) => warned.push(text));
    if (db) log.attach(db);
    return log;
  };
  const count = async () => Number((await database.pool.query("SELECT count(*) AS n FROM audit_log")).rows[0]?.n);
  const waiting = () => readdirSync(directory).filter((name) => !name.startsWith("head"));
  /** As the owner of the tables could, who is not the application. */
  const asOwner = async (sql: string) => {
    await database.pool.query("ALTER TABLE audit_log DISABLE TRIGGER ALL");
    await database.pool.query(sql);
    await database.pool.query("ALTER TABLE audit_log ENABLE TRIGGER ALL");
  };

  it("makes of any record a bounded text that reads back, with nothing the database could not take", () => {
    fc.assert(
      fc.property(fc.anything({ withDate: true, withBigInt: true }), fc.string({ unit: "binary" }), (state, text) => {
        const record = textOf("id", {
          action: text,
          target: text,
          from: text,
          who: { name: text, role: "x" },
          after: state,
        });
        assert.ok(record.length < 12_000);
        const entry = entryOf(record);
        assert.equal(entry.id, "id");
        assert.equal(entry.who, null, "a role that does not exist is nobody's");
        assert.doesNotMatch(entry.action, /\p{Cc}|\p{Cs}/u);
        JSON.parse(record.toWellFormed());
      }),
    );
    const long = entryOf(textOf("id", { action: "x".repeat(500), after: { long: "y".repeat(50_000) } }));
    assert.equal(long.action.length, 200);
    assert.equal(String(long.after).length, 4001);
  });

  it("keeps records on the disk while the database is away, and then has them in order, each once, over restarts too", async () => {
    open();
    for (let n = 0; n < 5; n += 1) audit({ who: people.anne, action: "lot.set", target: `lot ${n}`, result: "done" });
    await log.close();
    const [file] = waiting();
    assert.ok(file && (statSync(path.join(directory, file)).mode & 0o777) === 0o600);

    // An ended process leaves a file it was writing, the last line broken off by the power cut.
    const other = new Segments(directory, (text) => warned.push(text));
    other.add({ action: "lot.set", target: "lot 5", result: "done", who: people.anne });
    await other.flushed();
    const left = waiting().find((name) => name.endsWith(".open"));
    assert.ok(left);
    appendFileSync(path.join(directory, left), '{"id":"half');

    open(database);
    for (let n = 6; n < 9; n += 1)
      audit({ who: people.paul, action: "lot.set", target: `lot ${n}`, result: "refused" });
    const targetsKept = async () => (await readAudit(database.pool, {})).map(({ target }) => target).reverse();
    const wanted = Array.from({ length: 9 }, (_, n) => `lot ${n}`);
    for (let n = 0; n < 100 && (await count()) < 9; n += 1) {
      await log.move();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await targetsKept(), wanted);
    await log.close();
    assert.deepEqual(waiting(), []);
    assert.ok(warned.some((text) => /1 broken line/.test(text)));
    assert.equal(notedHead(directory).seq, 9);
  });

  it("does not double what was committed before a crash could remove its file", async () => {
    const before = await count();
    const segments = new Segments(directory, (text) => warned.push(text));
    segments.add({ action: "lot.set", result: "done" });
    await segments.close();
    const [kept] = [...segments.closed()];
    assert.ok(kept);
    open(database);
    await log.move();
    assert.equal(await count(), before + 1);
    appendFileSync(kept.file, `${kept.records[0]?.text}\n`);
    await log.move();
    assert.equal(await count(), before + 1);
    assert.deepEqual(waiting(), []);
  });

  it("finds what was asked for, newest first, page by page", async () => {
    const rows = await readAudit(database.pool, { action: "lot", actor: "Anne", limit: 2 });
    assert.deepEqual(
      rows.map(({ target, who }) => [target, who?.name]),
      [
        ["lot 5", "Anne"],
        ["lot 4", "Anne"],
      ],
    );
    const next = await readAudit(database.pool, { action: "lot.set", actor: "Anne", limit: 2, before: rows[1]?.seq });
    assert.equal(next[0]?.target, "lot 3");
    assert.equal((await readAudit(database.pool, { result: "refused", target: "LOT 7" })).length, 1);
    assert.equal((await readAudit(database.pool, { action: "lo" })).length, 0);
    assert.equal((await readAudit(database.pool, { to: "2020-01-01T00:00:00Z" })).length, 0);
  });

  it("refuses every change from the application", async () => {
    for (const sql of ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
      await assert.rejects(database.pool.query(sql), /only ever added to/, sql);
    assert.equal((await verify(database.pool)).fault, undefined);
  });

  it("shows a change, a gap and a cut-off end even by who may change the tables", async () => {
    open(database);
    audit({ who: people.anne, action: "lot.set", target: "the last", result: "done" });
    await log.close();
    const noted = notedHead(directory);
    const whole = await verify(database.pool, noted);
    assert.deepEqual(whole, { rows: noted.seq, head: noted });
    await database.pool.query("CREATE TABLE kept AS SELECT * FROM audit_log");
    const restore = () => asOwner("DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM kept");
    for (const [sql, fault] of [
      ["UPDATE audit_log SET actor = 'Paul' WHERE seq = 2", { seq: 2, what: "columns" }],
      ["UPDATE audit_log SET record = replace(record, 'lot 1', 'lot x') WHERE seq = 2", { seq: 2, what: "changed" }],
      ["DELETE FROM audit_log WHERE seq = 3", { seq: 4, what: "gap" }],
      ["UPDATE audit_log SET previous_hash = hash WHERE seq = 4", { seq: 4, what: "not-chained" }],
      [`DELETE FROM audit_log WHERE seq >= ${noted.seq}`, { seq: noted.seq, what: "cut-off" }],
    ] as const) {
      await asOwner(sql);
      assert.deepEqual((await verify(database.pool, noted)).fault, fault, sql);
      await restore();
    }
    assert.deepEqual(await verify(database.pool, noted), whole);
  });
});
