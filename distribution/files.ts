import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Writes `text` so that after a crash the file holds either the old or the new text, never a part. */
export function writeFileAtomic(file: string, text: string, mode = 0o644): void {
  const temporary = `${file}.new`;
  writeFileSynced(temporary, text, mode);
  renameSync(temporary, file);
  syncDirectory(path.dirname(file));
}

/** Writes and fsyncs a file. */
export function writeFileSynced(file: string, text: string, mode = 0o644): void {
  const handle = openSync(file, "w", mode);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes renames in a directory durable; a no-op where a directory cannot be opened (Windows). */
export function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
