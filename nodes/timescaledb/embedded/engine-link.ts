/**
 * A thread of the line's process that stands between it and the engine's process. A pipe takes some 200 KB at once and the
 * rest when its sender's event loop comes round again: a batch of 5 MB took half a second to go over from the busy thread of
 * the flows, while the engine waited. This thread has nothing else to do.
 */
import { fork } from "node:child_process";
import { parentPort, workerData } from "node:worker_threads";
import type { Report, Request } from "./engine-entry.ts";

/** What the thread is started with. */
export interface LinkData {
  /** Path of the module that the engine's process runs, and options of its Node. */
  entry: string;
  execArgv: string[];
}

/** What the thread is told: what the engine's process is to be told, or to end it at once. */
export type ToLink = Request | { kind: "kill" };

/** What the thread reports; after `ended` there is nothing more. */
export type FromLink = Report | { kind: "started"; pid: number } | { kind: "ended"; how: string };

const port = parentPort;
if (!port) throw new Error("engine-link.ts runs in a thread of its own");
const { entry, execArgv } = workerData as LinkData;
const tell = (message: FromLink) => port.postMessage(message);

const child = fork(entry, [], {
  // Buffers as they are, not as JSON.
  serialization: "advanced",
  // Options of this process such as --input-type or --inspect are not meant for that one.
  execArgv,
  // Standard output belongs to the parent's reader, who should not wait for this process.
  stdio: ["ignore", "ignore", "inherit", "ipc"],
});

function end(how: string): void {
  tell({ kind: "ended", how });
  port?.close();
}

if (child.pid !== undefined) tell({ kind: "started", pid: child.pid });
child.on("message", (report: Report) => tell(report));
child.on("exit", (code, signal) => end(signal ?? `exit ${code}`));
child.on("error", (error) => {
  if (child.pid === undefined)
    end(error.message); // it never started, so that it will not exit
  else child.kill("SIGKILL");
});
port.on("message", (message: ToLink) => {
  if (message.kind === "kill") child.kill("SIGKILL");
  // A failure to send means that the process is gone, which its exit tells.
  else child.send(message, () => {});
});
