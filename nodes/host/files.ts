import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import path from "node:path";

/** Writes `text` so that after a crash the file holds either the old or the new text, never a part. */
export function writeFileAtomic(file: string, text: string, mode = 0o644): void {
  const temporary = `${file}.new`;
  writeFileSynced(temporary, text, mode);
  renameSync(temporary, file);
  syncDirectory(path.dirname(file));
}

/** The same off the event loop, for what is written while samples come in. One write of a file at a time. */
export async function writeFileAtomicBehind(file: string, text: string, mode = 0o644): Promise<void> {
  const handle = await open(`${file}.new`, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
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

const LOCK_STALE_MS = 10_000;
const LOCK_WAIT_MS = 5000;

/**
 * Runs `change` while no other process does so for the same file. A lock that its owner left behind is taken over.
 * @throws Error when the lock stays taken
 */
export function withFileLock<T>(file: string, change: () => T): T {
  const lock = `${file}.lock`;
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      closeSync(openSync(lock, "wx", 0o600));
      break;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
      // One of the future is stale too: the clock was set back since.
      if (made !== undefined && Math.abs(Date.now() - made) > LOCK_STALE_MS) rmSync(lock, { force: true });
      else if (performance.now() > deadline) throw new Error(`${lock} is held by another process`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  try {
    return change();
  } finally {
    rmSync(lock, { force: true });
  }
}
