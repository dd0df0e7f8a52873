/** The thread that owns the engine: WebAssembly blocks its thread while a query runs, and must not block Node-RED's. */
import { parentPort, workerData } from "node:worker_threads";
import { codeOf, messageOf } from "../../host/errors.ts";
import { type OpenOptions, openEngine } from "./open.ts";

/** What the thread is told. */
export type Request = { kind: "exec"; id: number; bytes: Uint8Array } | { kind: "close"; id: number };

/** What the thread reports. After `failed` it is of no more use. */
export type Report =
  | { kind: "open"; parameters: Record<string, string>; timescaledb: string | undefined }
  | { kind: "done"; id: number; bytes: Uint8Array; syncs: number }
  | { kind: "closed"; id: number }
  | { kind: "failed"; code: string; message: string };

const port = parentPort;
if (!port) throw new Error("worker.ts runs in a worker thread");
const report = (value: Report, transfer: ArrayBuffer[] = []) => port.postMessage(value, transfer);
const failed = (error: unknown) =>
  report({ kind: "failed", code: codeOf(error, "embedded-failed"), message: messageOf(error) });

let syncs = 0;
try {
  const options: OpenOptions = workerData;
  const engine = await openEngine(options, () => {
    syncs += 1;
  });
  port.on("message", async (request: Request) => {
    try {
      if (request.kind === "close") {
        await engine.close();
        report({ kind: "closed", id: request.id });
        return;
      }
      const bytes = new Uint8Array(await engine.exec(request.bytes));
      report({ kind: "done", id: request.id, bytes, syncs }, [bytes.buffer]);
    } catch (error) {
      failed(error);
    }
  });
  report({ kind: "open", parameters: engine.parameters, timescaledb: engine.timescaledb });
} catch (error) {
  failed(error);
}
