import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { syncDirectory, writeFileAtomic } from "./files.ts";
import { type FlowFiles, formatFlowFile, parseFlowFile } from "./flow-files.ts";

/** Something a start found damaged, and what it did about it. */
export interface Repair {
  code: "set-aside" | "restored-copy" | "restored-release";
  /** Relative to the data directory. */
  file: string;
  message: string;
}

/** Directories of damaged files kept, one per start that found some. */
const MOST_KEPT = 20;
const DAMAGED = "damaged";

/**
 * Files of ours and of Node-RED's that hold JSON, and that a start could not do without or would stumble over: a power
 * cut leaves them empty or half written where the system did not keep its promises. Patterns below the data directory.
 */
const JSON_FILES = [
  "*.json",
  "node-red/*.json",
  "node-red/.config.*.json",
  "node-red/.sessions.json",
  "node-red/context/**/*.json",
];
/** Locks are SQLite's on an empty file; one that holds something else could never be taken again. */
const LOCKS = ["*/lock.sqlite", "*/engine.sqlite"];
/** Files of which a start that found them whole keeps a copy. */
const COPIED = ["secrets.json", "people.json", "devices.json"];

/** Where Node-RED or we keep the copy of a file. */
function copiesOf(file: string): string[] {
  const { dir, base } = path.parse(file);
  return [`${file}.backup`, path.join(dir, `.${base}.backup`)];
}

/**
 * Sets aside what cannot be read any more, below `<dataDir>/damaged/<time>/`, and puts the last good copy in its place
 * where there is one. To be called before anything of the data directory is read.
 * @returns what was done, to be said in the log
 */
export function repairFiles(dataDir: string, at: Date = new Date()): Repair[] {
  if (!existsSync(dataDir)) return [];
  const repairs: Repair[] = [];
  for (const file of globSync(JSON_FILES, { cwd: dataDir }).sort()) {
    if (isWhole(path.join(dataDir, file))) continue;
    const kept = setAside(dataDir, file, at);
    const copy = copiesOf(file).find((name) => isWhole(path.join(dataDir, name)));
    if (copy === undefined) {
      repairs.push({
        code: "set-aside",
        file,
        message: `${file} was damaged: moved to ${kept}; there is no copy, it is made anew`,
      });
      continue;
    }
    const copiedAt = statSync(path.join(dataDir, copy)).mtime.toISOString();
    const mode = statSync(path.join(dataDir, copy)).mode & 0o777;
    writeFileAtomic(path.join(dataDir, file), readFileSync(path.join(dataDir, copy), "utf8"), mode);
    repairs.push({
      code: "restored-copy",
      file,
      message: `${file} was damaged: moved to ${kept}; its copy of ${copiedAt} is in its place`,
    });
  }
  for (const file of globSync(LOCKS, { cwd: dataDir })) {
    if (isLock(path.join(dataDir, file))) continue;
    const kept = setAside(dataDir, file, at);
    repairs.push({ code: "set-aside", file, message: `${file} was damaged: moved to ${kept}; it is made anew` });
  }
  for (const file of COPIED) keepCopy(path.join(dataDir, file));
  return repairs;
}

/**
 * Sets aside flow files of the site that do not parse; one that the release has is replaced by the release's. To be
 * called after an interrupted deploy was finished and before the site's flows follow the release.
 */
export function repairFlows(dataDir: string, release: FlowFiles, at: Date = new Date()): Repair[] {
  const repairs: Repair[] = [];
  for (const file of globSync("flows/*.json", { cwd: dataDir }).sort()) {
    const name = path.basename(file);
    if (name.startsWith(".")) continue;
    try {
      parseFlowFile(name, readFileSync(path.join(dataDir, file), "utf8"));
      continue;
    } catch {
      // set aside below
    }
    const kept = setAside(dataDir, file, at);
    const shipped = release.get(name);
    if (!shipped) {
      const message = `flow ${name} was damaged: moved to ${kept}; the release has none of that name, its nodes are gone from the flows`;
      repairs.push({ code: "set-aside", file, message });
      continue;
    }
    writeFileAtomic(path.join(dataDir, file), formatFlowFile(shipped));
    const message = `flow ${name} was damaged: moved to ${kept}; the release's is in its place, changes of this site are lost`;
    repairs.push({ code: "restored-release", file, message });
  }
  return repairs;
}

/** Whether a file holds an object or an array in JSON. */
function isWhole(file: string): boolean {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

function isLock(file: string): boolean {
  if (!statSync(file).isFile()) return true;
  const bytes = readFileSync(file);
  return bytes.length === 0 || bytes.subarray(0, 16).toString("latin1") === "SQLite format 3\0";
}

/** Moves a file below `damaged/` and returns where it is now, relative to the data directory. */
function setAside(dataDir: string, file: string, at: Date): string {
  const home = path.join(DAMAGED, at.toISOString().replace(/[:.]/g, "-"));
  const kept = path.join(home, file);
  mkdirSync(path.dirname(path.join(dataDir, kept)), { recursive: true, mode: 0o700 });
  renameSync(path.join(dataDir, file), path.join(dataDir, kept));
  syncDirectory(path.dirname(path.join(dataDir, file)));
  const all = readdirSync(path.join(dataDir, DAMAGED)).sort();
  for (const old of all.slice(0, Math.max(0, all.length - MOST_KEPT)))
    rmSync(path.join(dataDir, DAMAGED, old), { recursive: true, force: true });
  return kept;
}

function keepCopy(file: string): void {
  const copy = `${file}.backup`;
  if (!existsSync(file)) return;
  const text = readFileSync(file, "utf8");
  if (existsSync(copy) && readFileSync(copy, "utf8") === text) return;
  writeFileAtomic(copy, text, statSync(file).mode & 0o777);
}
