import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { extract } from "tar";
import { embeddedPaths } from "../../nodes/timescaledb/embedded/paths.ts";
import type { Environment } from "../environment.ts";
import { syncDirectory } from "../files.ts";
import { heldLock } from "./in-use.ts";
import { DATA } from "./make.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { filledTables, loadTables, refreshStatistics, schemaVersionOf } from "./tables.ts";
import { verifyFiles } from "./tree.ts";

/** Names in a data directory that do not make it a line's: what earlier restores and a volume's file system left. */
const NOTHING = /^(before-restore-.*|\.(restoring|backup)-.*|lost\+found)$/;

/**
 * Makes a line out of an archive, in the environment's data directory (and, for a line on a server, in the empty
 * database of DATABASE_URL). The archive is verified before anything is touched.
 * @param force move what is in the data directory aside, into `before-restore-<time>` inside it
 * @returns what was restored, and where the former content is
 * @throws Error when the directory holds something, is in use, or the archive or the database does not fit
 */
export async function restoreBackup(
  environment: Environment,
  file: string,
  { force, say }: { force: boolean; say: (text: string) => void },
): Promise<{ manifest: Manifest; aside: string | undefined }> {
  const { dataDir } = environment;
  const archive = path.resolve(file);
  if (!existsSync(archive)) throw new Error(`there is no ${archive}`);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const present = () => readdirSync(dataDir).filter((name) => !NOTHING.test(name));
  if (present().length > 0 && !force)
    throw new Error(`${dataDir} is not empty: set another DATA_DIR, or say --force to have its content moved aside`);
  const held = heldLock(dataDir);
  if (held !== undefined) throw new Error(`a line runs on ${dataDir} (it holds ${held}): stop it first`);
  const stage = path.join(dataDir, `.restoring-${process.pid}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { mode: 0o700 });
  try {
    await extract({ file: archive, cwd: stage, strict: true, preservePaths: false }).catch((cause: unknown) => {
      throw new Error(
        `the archive cannot be read: it is cut off or none (${cause instanceof Error ? cause.message : cause})`,
      );
    });
    const manifest = readManifest(stage);
    await verifyFiles(stage, manifest.files);
    say(`archive of ${manifest.createdAt} verified: ${Object.keys(manifest.files).length} files`);
    await restoreDatabase(environment, stage, manifest, say);
    let aside: string | undefined;
    const former = present();
    if (former.length > 0) {
      aside = path.join(dataDir, `before-restore-${new Date().toISOString().replace(/[:.]/g, "-")}`);
      mkdirSync(aside, { mode: 0o700 });
      for (const name of former) renameSync(path.join(dataDir, name), path.join(aside, name));
    }
    for (const name of readdirSync(path.join(stage, DATA)))
      renameSync(path.join(stage, DATA, name), path.join(dataDir, name));
    if (manifest.database.kind === "embedded") writeFileSync(embeddedPaths(dataDir).opened, "");
    syncDirectory(dataDir);
    return { manifest, aside };
  } finally {
    rmSync(stage, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function restoreDatabase(
  { databaseUrl }: Environment,
  stage: string,
  { database, schemaVersion, foieflow }: Manifest,
  say: (text: string) => void,
): Promise<void> {
  if (database.kind === "embedded") {
    if (databaseUrl) throw new Error("the archive holds an embedded database: restore it without DATABASE_URL");
    return;
  }
  if (!databaseUrl)
    throw new Error("the archive holds the tables of a server: set DATABASE_URL to an empty database for them");
  const { openDatabase } = await import("../../nodes/timescaledb/database.ts");
  const opened = await openDatabase({ url: databaseUrl, jobsEveryMs: 0 });
  await opened.ready();
  await opened.close();
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on("error", () => {});
  await client.connect();
  try {
    const here = await schemaVersionOf(client);
    if (here !== schemaVersion)
      throw new Error(
        `the archive is of FoieFlow ${foieflow} with tables of version ${schemaVersion}, this release has version ${here}: restore with that release, then update`,
      );
    const filled = await filledTables(client);
    if (filled.length > 0) throw new Error(`the database of DATABASE_URL is not empty (${filled.join(", ")})`);
    await loadTables(client, stage, database.tables);
    say("tables filled; statistics are computed …");
    await refreshStatistics(client);
  } finally {
    await client.end().catch(() => {});
  }
}
