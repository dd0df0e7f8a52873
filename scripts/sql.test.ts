import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type EmbeddedDatabase, startEmbedded } from "../nodes/timescaledb/embedded/start.ts";
import { toJsonValue } from "./sql-values.ts";

describe("npm run sql", function () {
  this.timeout(60_000);
  const dataDir = mkdtempSync(join(tmpdir(), "foieflow-sql-"));
  let database: EmbeddedDatabase;
  const sql = async (args: string[], input = "", env: NodeJS.ProcessEnv = { DATA_DIR: dataDir, DATABASE_URL: "" }) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "sql.ts"), ...args], {
      env: { ...process.env, ...env },
    });
    child.stdin.end(input);
    const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    return { out, err, code };
  };

  before(async () => {
    database = await startEmbedded({ dataDir, extension: false, fsync: false });
    await database.serve({ socket: true });
  });
  after(async () => {
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("prints a JSON array and nothing else", async () => {
    const { out, err, code } = await sql([
      "--json",
      `CREATE TEMP TABLE t AS SELECT 1 AS n; SELECT 7::bigint AS i, 9007199254740993::bigint AS big, 0.800::numeric AS n,
       1.5::float8 AS f, '2026-01-01 01:00:00.5+01'::timestamptz AS t, '\\xBEEF'::bytea AS b, ARRAY[1, 2]::int2[] AS a,
       NULL AS z, '{"k": [1]}'::jsonb AS j, true AS y`,
    ]);
    assert.deepEqual({ err, code }, { err: "", code: 0 });
    assert.deepEqual(JSON.parse(out), [
      {
        i: 7,
        big: "9007199254740993",
        n: 0.8,
        f: 1.5,
        t: "2026-01-01T00:00:00.500Z",
        b: "beef",
        a: [1, 2],
        z: null,
        j: { k: [1] },
        y: true,
      },
    ]);
    assert.equal((await sql(["--json", "SELECT 1 AS a WHERE false"])).out, "[]\n");
  });

  it("prints tables, of each statement, also from standard input", async () => {
    const { out, code } = await sql(["-"], "SELECT 1 AS one;\nSELECT E'a\\x1b[31m' AS two, 2 AS two;");
    assert.equal(code, 0);
    assert.match(out, /one[\s\S]*\(1 row\)[\s\S]*two +│ two_2[\s\S]*\(1 row\)/);
    assert.ok(!out.includes("\u001b"), "stored text must not reach the terminal's controls");
  });

  it("fails with one line on standard error", async () => {
    assert.deepEqual(await sql(["SELECT nothing"]), { out: "", err: 'column "nothing" does not exist\n', code: 1 });
    const nothingRuns = await sql(["--json", "SELECT 1"], "", { DATA_DIR: join(dataDir, "none"), DATABASE_URL: "" });
    assert.equal(nothingRuns.code, 1);
    assert.match(nothingRuns.err, /^no embedded database runs in .*npm start/);
    assert.equal((await sql([])).code, 1);
  });
});

describe("values of npm run sql", () => {
  const NUMERIC = 1700;
  const TIMESTAMPTZ = 1184;
  it("keeps every digit of a number", () => {
    for (const [value, expected] of [
      ["0.10", 0.1],
      ["120", 120],
      ["-0.0000001", -1e-7],
      ["0", 0],
      ["0.000", 0],
      ["100000000000000000000000", 1e23],
      ["0.12345678901234567890", "0.12345678901234567890"],
      ["9007199254740993", "9007199254740993"],
      ["NaN", "NaN"],
    ] as const)
      assert.equal(toJsonValue(NUMERIC, value), expected);
  });

  it("keeps microseconds and odd offsets, and leaves what is no date alone", () => {
    assert.equal(toJsonValue(TIMESTAMPTZ, "2026-01-01 00:00:00.123456+05:30"), "2025-12-31T18:30:00.123456Z");
    assert.equal(toJsonValue(TIMESTAMPTZ, "2026-01-01 00:00:00+00"), "2026-01-01T00:00:00.000Z");
    assert.equal(toJsonValue(TIMESTAMPTZ, "infinity"), "infinity");
  });
});
