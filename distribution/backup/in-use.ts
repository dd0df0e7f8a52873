import { globSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The first lock below a data directory that some process holds, or undefined: then no line runs on it. */
export function heldLock(dataDir: string): string | undefined {
  return globSync("*/lock.sqlite", { cwd: dataDir }).find((file) => {
    const lock = new DatabaseSync(path.join(dataDir, file));
    try {
      lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE; ROLLBACK");
      return false;
    } catch {
      return true;
    } finally {
      lock.close();
    }
  });
}
