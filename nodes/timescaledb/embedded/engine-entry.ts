/**
 * The process that owns the engine. WebAssembly blocks its thread while a query runs, so it must not be Node-RED's; and
 * V8 shares compiled WebAssembly among all threads of a process: after the thread of one engine had ended, the next one
 * freed code that was gone already (a segmentation fault in NativeModule::FreeCode). One process has one engine, once.
 */
import { Worker } from "node:worker_threads";
import { CodedError, codeOf, messageOf } from "../../host/errors.ts";
import { GIVES_WAY, giveWay } from "../../host/give-way.ts";
import { lockEngine } from "./lock.ts";
import { type Engine, type OpenOptions, openEngine } from "./open.ts";

/** What the process is told; `open` first. */
export type Request =
  | { kind: "open"; options: OpenOptions }
  | { kind: "exec"; id: number; bytes: Uint8Array }
  | { kind: "close"; id: number };

/** What the process reports. After `failed` it is of no more use. */
export type Report =
  | { kind: "open"; parameters: Record<string, string>; timescaledb: string | undefined }
  | { kind: "done"; id: number; bytes: Uint8Array; syncs: number }
  | { kind: "closed"; id: number }
  | { kind: "failed"; code: string; message: string };

if (!process.send) throw new Error("engine-entry.ts runs in a process of its own");
// What cannot be sent has nobody to read it: the parent is gone, which ends this process below.
const report = (value: Report) => process.send?.(value, undefined, undefined, () => {});

giveWay(GIVES_WAY.database);

const WATCH = new URL(import.meta.url.endsWith(".ts") ? "./parent-watch.ts" : "./parent-watch.js", import.meta.url);
new Worker(WATCH, { workerData: process.ppid, name: "parent-watch" }).unref();

let syncs = 0;
let engine: Engine | undefined;

async function answer(request: Request): Promise<void> {
  if (request.kind === "open") {
    await lockEngine(request.options.paths);
    engine = await openEngine(request.options, () => {
      syncs += 1;
    });
    report({ kind: "open", parameters: engine.parameters, timescaledb: engine.timescaledb });
    return;
  }
  if (!engine) throw new CodedError("embedded-failed", "the database is not open");
  if (request.kind === "close") {
    await engine.close();
    report({ kind: "closed", id: request.id });
  } else {
    report({ kind: "done", id: request.id, bytes: await engine.exec(request.bytes), syncs });
  }
}

process.on("message", (request: Request) => {
  answer(request).catch((error: unknown) =>
    report({ kind: "failed", code: codeOf(error, "embedded-failed"), message: messageOf(error) }),
  );
});
// A terminal or a service manager signals the whole group: when this process ends is for its parent to say.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
// The parent is gone, in whatever way. What it was told is in the write-ahead log.
process.on("disconnect", () => process.exit());
