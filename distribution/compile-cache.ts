import { enableCompileCache, flushCompileCache } from "node:module";
import path from "node:path";

/**
 * Has Node keep what it compiles of JavaScript and TypeScript in the data directory, for the next start of this process
 * and of those it starts; call before the large modules are loaded. Where the directory cannot be written, or
 * Node's own variables say otherwise, nothing changes.
 */
export function keepCompiledCode(dataDir: string): void {
  if (process.env.NODE_COMPILE_CACHE !== undefined) return;
  const directory = path.join(dataDir, "cache", "compiled");
  enableCompileCache(directory);
  process.env.NODE_COMPILE_CACHE = directory;
}

/**
 * Writes what was compiled so far: a process that is killed writes nothing at its end. The first time that takes a second in
 * which nothing else happens, later nearly none; call before anybody is served.
 */
export function saveCompiledCode(): void {
  flushCompileCache();
}
