import { constants, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "../../nodes/host/directory-lock.ts";
import { openDatabase } from "../../nodes/timescaledb/database.ts";
import { embeddedPaths } from "../../nodes/timescaledb/embedded/paths.ts";
import { freshDirectory } from "./inbox.ts";

/** Names the run's template directory to the processes that run its tests. */
const VARIABLE = "FOIEFLOW_TEST_TEMPLATE";

/** The run's processes share what Node compiles, as the starts of one line do. */
export function beginTemplates(): void {
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-template-"));
  process.env[VARIABLE] = directory;
  process.env.NODE_COMPILE_CACHE ??= path.join(directory, "compiled");
}

export function endTemplates(): void {
  const directory = process.env[VARIABLE];
  if (directory) rmSync(directory, { recursive: true, force: true });
}

/**
 * Gives a data directory an embedded database with its schema and nothing in it. Making one takes seconds: the first
 * test that wants one makes it, the others of the run get copies. Outside a run of tests nothing is done, and whoever
 * opens the database makes it.
 */
export async function copyDatabase(dataDir: string, { extension = true } = {}): Promise<void> {
  const templates = process.env[VARIABLE];
  if (!templates) return;
  const template = path.join(templates, extension ? "timescaledb" : "plain");
  mkdirSync(template, { recursive: true });
  const made = path.join(template, "made");
  while (!existsSync(made)) {
    const lock = tryLock(path.join(template, "lock.sqlite"));
    if (!lock) {
      await sleep(200);
      continue;
    }
    try {
      if (existsSync(made)) break;
      rmSync(embeddedPaths(template).root, { recursive: true, force: true });
      const database = await openDatabase({ dataDir: template, extension, jobsEveryMs: 0, embedded: { fsync: false } });
      await database.close();
      writeFileSync(made, "");
    } finally {
      lock.close();
    }
  }
  cpSync(embeddedPaths(template).root, embeddedPaths(dataDir).root, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
}

/** A fresh data directory with such a database. */
export async function directoryWithDatabase(name: string): Promise<string> {
  const dataDir = freshDirectory(name);
  await copyDatabase(dataDir);
  return dataDir;
}
