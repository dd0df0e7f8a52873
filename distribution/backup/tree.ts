import { constants, lstatSync, readdirSync } from "node:fs";
import { cp, stat } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hashOf, MANIFEST, type Manifest } from "./manifest.ts";

/** What a restored line makes anew, or must not get: logs, what was set aside, doors of the running line. */
const LEFT_OUT =
  /^(cache|logs|simulation|damaged|before-restore-[^/]*|\.(restoring|backup)-[^/]*|pgpass|database)$|(^|\/)(lock|engine)\.sqlite$|(^|\/)owner\.json$|^inbox\/(reserve|damaged-[^/]*)$|\.(new|partial)$|\.\$\$\$$/;
const SQLITE = /\.sqlite$/;
const SQLITE_JOURNAL = /\.sqlite-(wal|shm|journal)$/;

/** Copies files with the file system's own copy where it has one, so that a large one costs neither time nor room. */
const copying = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE, preserveTimestamps: true };

/** Databases of SQLite below the data directory (the inbox), relative. */
export function sqliteFiles(dataDir: string): string[] {
  return walk(dataDir).filter((file) => SQLITE.test(file));
}

/** Copies one while its owner writes: the copy is of one moment, and whole. */
export function copySqlite(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true, timeout: 30_000 });
  try {
    database.prepare("VACUUM INTO ?").run(to);
  } finally {
    database.close();
  }
}

/** Copies the plain files of a data directory: flows, credentials, secrets, people, settings of Node-RED. */
export async function copyPlainFiles(dataDir: string, target: string): Promise<void> {
  const kept = (source: string): boolean => {
    const name = path.relative(dataDir, source).split(path.sep).join("/");
    if (LEFT_OUT.test(name) || SQLITE.test(name) || SQLITE_JOURNAL.test(name)) return false;
    const found = lstatSync(source, { throwIfNoEntry: false });
    return found !== undefined && (found.isFile() || found.isDirectory() || found.isSymbolicLink());
  };
  // One by one: the target may lie in a directory that is left out.
  for (const name of readdirSync(dataDir)) {
    const source = path.join(dataDir, name);
    for (let attempt = 1; kept(source); attempt += 1) {
      try {
        await cp(source, path.join(target, name), { ...copying, filter: kept });
        break;
      } catch (error) {
        // A file of the running line that went while it was its turn.
        if (attempt >= 5 || !(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      }
    }
  }
}

/** Copies a directory as it is. */
export function copyDirectory(from: string, to: string, leftOut: (name: string) => boolean): Promise<void> {
  return cp(from, to, { ...copying, filter: (source) => !leftOut(path.relative(from, source)) });
}

/** Plain files below a directory, relative, in order. */
export function filesBelow(directory: string, below = ""): string[] {
  return readdirSync(path.join(directory, below), { withFileTypes: true })
    .flatMap((entry) => {
      const name = path.posix.join(below, entry.name);
      return entry.isDirectory() ? filesBelow(directory, name) : entry.isFile() ? [name] : [];
    })
    .sort();
}

function walk(dataDir: string, below = ""): string[] {
  return readdirSync(path.join(dataDir, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(below, entry.name);
    if (LEFT_OUT.test(name)) return [];
    return entry.isDirectory() ? walk(dataDir, name) : entry.isFile() ? [name] : [];
  });
}

/** Sizes and hashes of every file of a directory but the manifest. */
export async function hashFiles(directory: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = {};
  for (const name of filesBelow(directory)) {
    if (name === MANIFEST) continue;
    const file = path.join(directory, name);
    files[name] = { bytes: (await stat(file)).size, sha256: await hashOf(file) };
  }
  return files;
}

/** @throws Error naming the first file that is missing, is not what the manifest says, or is in none */
export async function verifyFiles(directory: string, wanted: Manifest["files"]): Promise<void> {
  const found = await hashFiles(directory);
  for (const [name, { bytes, sha256 }] of Object.entries(wanted)) {
    const file = found[name];
    if (!file) throw new Error(`the archive lacks ${name}`);
    if (file.bytes !== bytes || file.sha256 !== sha256) throw new Error(`${name} in the archive is damaged`);
  }
  for (const name of Object.keys(found)) if (!(name in wanted)) throw new Error(`${name} is not in the manifest`);
}
