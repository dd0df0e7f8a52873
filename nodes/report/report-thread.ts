import { acquire, type Lease } from "../host/service.ts";
import { WorkerThread } from "../host/worker-thread.ts";
import type { LotReport, ReportTable } from "./lot-report.ts";

/** What the thread is asked: one file. */
export type ReportQuestion =
  | { kind: "pdf"; report: LotReport }
  | { kind: "xlsx"; report: LotReport; table: ReportTable };

export type ReportThread = WorkerThread<ReportQuestion, Uint8Array>;

// From source this file is TypeScript and so is the worker beside it; compiled, both are JavaScript.
const WORKER = new URL(import.meta.url.endsWith(".ts") ? "./report-worker.ts" : "./report-worker.js", import.meta.url);
const WATCHDOG_MS = 60_000;
const HEAP_MIB = 384;

/** A share in the process's one thread that makes reports, so that grading never waits for one; it starts with the first. */
export function acquireReportThread(): Lease<ReportThread> {
  return acquire<ReportThread>(
    "report-thread",
    () =>
      new WorkerThread(WORKER, {
        name: "foieflow-report",
        failureCode: "report-failed",
        watchdogMs: WATCHDOG_MS,
        heapMiB: HEAP_MIB,
      }),
    (thread) => thread.close(),
  );
}
