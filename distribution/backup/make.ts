import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { create } from "tar";
import { lockDirectory } from "../../nodes/host/directory-lock.ts";
import { embeddedPaths } from "../../nodes/timescaledb/embedded/paths.ts";
import { databaseClient, embeddedSocket } from "../database-client.ts";
import { type Environment, root } from "../environment.ts";
import { syncDirectory, writeFileSynced } from "../files.ts";
import { copyCluster, copyEmbedded, hasCluster } from "./embedded.ts";
import { MANIFEST, type Manifest, makeManifest } from "./manifest.ts";
import { dumpTables } from "./tables.ts";
import { copyPlainFiles, copySqlite, hashFiles, sqliteFiles } from "./tree.ts";

/** Where the files of the data directory are in the archive, and what a server's tables are in. */
export const DATA = "data";
const DAY_MS = 24 * 3_600_000;

type Content = Pick<Manifest, "database" | "schemaVersion" | "counts">;

/**
 * Writes everything a line is into one archive (tar, gzip, mode 0600), while the line runs or while it rests. The inbox
 * is copied before the database: what is settled in between is in both, and counted once when it comes back; the other
 * way round it would be in neither.
 * @param file the archive, which must not be there; `-` for standard output
 */
export async function makeBackup(
  environment: Environment,
  file: string,
  say: (text: string) => void,
): Promise<Manifest> {
  const { dataDir } = environment;
  if (!existsSync(path.join(dataDir, "secrets.json")))
    throw new Error(`no line has run in ${dataDir}: nothing to back up`);
  const target = path.resolve(file);
  if (file !== "-") {
    if (existsSync(target)) throw new Error(`${target} is there already`);
    if (!path.relative(dataDir, target).startsWith("..")) throw new Error(`a backup belongs outside of ${dataDir}`);
    mkdirSync(path.dirname(target), { recursive: true });
  }
  forgetLeftovers(dataDir);
  // For standard output beside the data: a container's temporary directory is its memory.
  const stage = mkdtempSync(file === "-" ? path.join(dataDir, ".backup-") : `${target}.partial-`);
  try {
    const data = path.join(stage, DATA);
    mkdirSync(data, { mode: 0o700 });
    for (const database of sqliteFiles(dataDir)) {
      mkdirSync(path.dirname(path.join(data, database)), { recursive: true, mode: 0o700 });
      copySqlite(path.join(dataDir, database), path.join(data, database));
    }
    // Before the database too: what waits for it (audit records), and notes of how far it had come.
    await copyPlainFiles(dataDir, data);
    say("inbox and files copied; the database follows …");
    const content = await copyDatabase(environment, stage);
    say("database copied");
    // After it: how far the inbox's ids may have gone, which must cover those in the database.
    const ids = path.join("inbox", "ids.json");
    if (existsSync(path.join(dataDir, ids))) copyFileSync(path.join(dataDir, ids), path.join(data, ids));
    const manifest = makeManifest({
      createdAt: new Date().toISOString(),
      foieflow: versionHere(),
      site: environment.site,
      line: environment.line,
      ...content,
      files: await hashFiles(stage),
    });
    writeFileSynced(path.join(stage, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, 0o600);
    const options = { cwd: stage, gzip: { level: 6 }, portable: true };
    if (file === "-") await pipeline(create(options, [MANIFEST, ...entries(stage)]), process.stdout);
    else await writeArchive(stage, target, options);
    return manifest;
  } finally {
    rmSync(stage, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What a backup that was killed more than a day ago left in the data directory. */
function forgetLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir).filter((name) => name.startsWith(".backup-"))) {
    const place = path.join(dataDir, name);
    if (Date.now() - statSync(place).mtimeMs > DAY_MS) rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  }
}

const entries = (stage: string) => [DATA, "tables"].filter((name) => existsSync(path.join(stage, name)));

async function writeArchive(stage: string, target: string, options: { cwd: string; portable: boolean }): Promise<void> {
  const whole = path.join(stage, "archive");
  await create({ ...options, gzip: { level: 6 }, file: whole, mode: 0o600 }, [MANIFEST, ...entries(stage)]);
  chmodSync(whole, 0o600);
  const handle = await open(whole, "r");
  await handle.sync();
  await handle.close();
  renameSync(whole, target);
  syncDirectory(path.dirname(target));
}

async function copyDatabase(environment: Environment, stage: string): Promise<Content> {
  const { dataDir, databaseUrl } = environment;
  const data = path.join(stage, DATA);
  if (databaseUrl) {
    const client = new pg.Client(databaseClient(environment));
    client.on("error", () => {});
    await client.connect();
    try {
      const { tables, schemaVersion } = await dumpTables(client, stage);
      const counts = Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));
      return { database: { kind: "tables", tables }, schemaVersion, counts };
    } finally {
      await client.end().catch(() => {});
    }
  }
  if (!hasCluster(dataDir)) throw new Error(`${dataDir} holds no database: set DATABASE_URL as for the line`);
  if (embeddedSocket(dataDir) !== undefined) {
    const facts = await copyEmbedded(databaseClient(environment), dataDir, data).catch((error: unknown) => {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // What is left of a line that was killed.
      if (code === "ECONNREFUSED" || code === "ENOENT") return undefined;
      throw error;
    });
    if (facts) {
      const { schemaVersion, timescaledb, counts } = facts;
      return { database: { kind: "embedded", timescaledb }, schemaVersion, counts };
    }
  }
  const lock = lockDirectory(embeddedPaths(dataDir), "database");
  try {
    await copyCluster(dataDir, data);
  } finally {
    lock.release();
  }
  return { database: { kind: "embedded", timescaledb: null }, schemaVersion: 0, counts: {} };
}

function versionHere(): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "";
}
