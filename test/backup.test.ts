import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import type { PlannedDevice } from "../scripts/load/plan.ts";
import { type NumberedLoad, prepareLoad } from "./crash/numbered-load.ts";
import { checkTotalQueue } from "./crash/total-queue.ts";
import { assertBalance, settledAccounts } from "./support/accounts.ts";
import { Line, until } from "./support/line.ts";
import { PostgresServer, serverPrograms } from "./support/postgres.ts";

const root = path.resolve(import.meta.dirname, "..");
const DEVICES: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 20, ratePerS: 15 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_WS", window: 20, ratePerS: 10 },
];

/** Runs a script of ours beside the line, as a person would. */
async function run(script: string, env: NodeJS.ProcessEnv, ...parameters: string[]) {
  const child = spawn(process.execPath, [path.join(root, "scripts", script), ...parameters], { env, cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [code] = await once(child, "close");
  return { code, output };
}

const programs = serverPrograms();

for (const kind of ["the embedded database", "a server"] as const) {
  const suite = kind === "a server" && programs === undefined ? describe.skip : describe;
  suite(`backup and restore of a line on ${kind}`, function () {
    this.timeout(300_000);
    let directory: string;
    let archive: string;
    let server: PostgresServer | undefined;
    let line: Line;
    let restored: Line;
    let numbered: NumberedLoad;

    before(async () => {
      directory = mkdtempSync(path.join(tmpdir(), "foieflow-backup-"));
      archive = path.join(directory, "line.tar.gz");
      if (kind === "a server") {
        server = await PostgresServer.start(programs ?? "");
        const client = new pg.Client(server.url);
        await client.connect();
        await client.query("CREATE DATABASE restored");
        await client.end();
      }
      line = await Line.create(server ? { DATABASE_URL: server.url } : {});
      const other = server ? { DATABASE_URL: server.url.replace(/\/postgres$/, "/restored") } : {};
      restored = await Line.create(other, { first: true });
      await line.start();
      numbered = await prepareLoad(line, directory, DEVICES, 1);
    });
    after(async () => {
      numbered?.load.kill();
      await line?.remove();
      await restored?.remove();
      server?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    it("takes the backup under load, private, and the line goes on", async () => {
      const { load, journal } = numbered;
      load.start();
      await until("200 acknowledgements", () => load.progress.acknowledged >= 200, 60_000);
      const acknowledged = readFileSync(journal, "utf8");
      writeFileSync(`${journal}.before`, acknowledged.slice(0, acknowledged.lastIndexOf("\n") + 1));
      const { code, output } = await run("backup.ts", line.env, archive);
      assert.equal(code, 0, output);
      assert.match(output, /secrets, passwords and credentials too/);
      assert.equal(statSync(archive).mode & 0o777, 0o600);
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.includes("partial")),
        [],
      );
      const later = load.progress.acknowledged + 50;
      await until("samples after it", () => load.progress.acknowledged >= later, 60_000);
      load.stop();
      await load.finished;
      await settledAccounts(line);
      assert.equal((await run("backup.ts", line.env, archive)).code, 1, "it overwrites nothing");
    });

    it("restores elsewhere: everything acknowledged before is there, once, and accounted for", async () => {
      await line.stop("SIGKILL");
      const { code, output } = await run("restore.ts", restored.env, archive);
      assert.equal(code, 0, output);
      await restored.start();
      const accounts = await settledAccounts(restored);
      assertBalance(accounts);
      const found = await checkTotalQueue(restored, `${numbered.journal}.before`, numbered.kinds);
      assert.ok(found.acknowledged >= 200);
      assert.deepEqual(found.missing, [], "acknowledged before the backup and missing");
      assert.deepEqual(found.twice, [], "stored twice");
      const same = (file: string) =>
        assert.equal(
          readFileSync(path.join(restored.dataDir, file), "utf8"),
          readFileSync(path.join(line.dataDir, file), "utf8"),
          file,
        );
      for (const file of ["secrets.json", "flows/10-ingest.json"]) same(file);
      const [stats] = await restored.query<{ total: string }>(
        "SELECT total_samples AS total FROM get_recent_stats(24)",
      );
      const [rows] = await restored.query<{ count: string }>("SELECT count(*) AS count FROM fusion_results");
      assert.equal(stats?.total, rows?.count);
    });

    it("takes new samples after it", async () => {
      const more = await prepareLoad(restored, directory, [{ ...(DEVICES[0] as PlannedDevice), count: 20 }], 2);
      more.load.start();
      await more.load.finished;
      const accounts = await settledAccounts(restored);
      assertBalance(accounts);
      more.load.kill();
    });

    it("refuses a directory in use, one that is not empty, a damaged archive and a database with rows", async () => {
      const running = await run("restore.ts", restored.env, archive, "--force");
      assert.equal(running.code, 1);
      assert.match(running.output, server ? /a line runs on|not empty/ : /a line runs on/);
      await restored.stop();
      const full = await run("restore.ts", restored.env, archive);
      assert.match(full.output, /is not empty/);
      if (server) {
        const filled = await run("restore.ts", restored.env, archive, "--force");
        assert.match(filled.output, /database of DATABASE_URL is not empty/);
      }
      const cut = path.join(directory, "cut.tar.gz");
      cpSync(archive, cut);
      truncateSync(cut, Math.floor(statSync(archive).size / 2));
      const damaged = await run("restore.ts", restored.env, cut, "--force");
      assert.match(damaged.output, /cannot be read|no readable manifest|lacks|damaged/);
      assert.ok(existsSync(path.join(restored.dataDir, "secrets.json")), "nothing was touched");
      assert.deepEqual(
        readdirSync(restored.dataDir).filter((name) => name.startsWith(".restoring")),
        [],
      );
    });

    if (kind === "the embedded database")
      it("moves what is there aside when it is forced, and backs a resting line up too", async () => {
        writeFileSync(path.join(restored.dataDir, "mine.txt"), "mine");
        const resting = path.join(directory, "resting.tar.gz");
        const { env } = restored;
        const made = spawnSync(process.execPath, [path.join(root, "scripts/backup.ts"), "-"], {
          env,
          cwd: root,
          maxBuffer: 2 ** 30,
        });
        assert.equal(made.status, 0, String(made.stderr));
        writeFileSync(resting, made.stdout);
        const forced = await run("restore.ts", restored.env, resting, "--force");
        assert.equal(forced.code, 0, forced.output);
        const aside = /what was there is in (\S+)/.exec(forced.output)?.[1] ?? "";
        assert.equal(readFileSync(path.join(aside, "mine.txt"), "utf8"), "mine");
        assert.equal(readFileSync(path.join(restored.dataDir, "mine.txt"), "utf8"), "mine", "it was in the archive");
        const listed = spawnSync("tar", ["-tzf", resting], { encoding: "utf8" }).stdout;
        assert.ok(!/before-restore|logs\/|lock\.sqlite/.test(listed));
        await restored.start();
        assertBalance(await settledAccounts(restored));
      });
  });
}
