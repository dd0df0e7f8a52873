import { acquire, type Lease } from "../host/service.ts";
import { WorkerThread } from "../host/worker-thread.ts";
import type { ProductEvidence, ProductFigures } from "../sample/spec.ts";

/** What the thread is asked: one product, under one grade spec. */
export interface ProductQuestion {
  /** The spec's document and its hash (`GradeMethod.hash`): a method itself cannot be sent. */
  document: unknown;
  hash: string;
  evidence: ProductEvidence;
}

export type ProductThread = WorkerThread<ProductQuestion, ProductFigures>;

// From source this file is TypeScript and so is the worker beside it; compiled, both are JavaScript.
const WORKER = new URL(
  import.meta.url.endsWith(".ts") ? "./product-worker.ts" : "./product-worker.js",
  import.meta.url,
);
const WATCHDOG_MS = 30_000;
const HEAP_MIB = 256;

/** A share in the process's one thread that analyses whole products; it starts with the first product. */
export function acquireProductThread(): Lease<ProductThread> {
  return acquire<ProductThread>(
    "product-thread",
    () =>
      new WorkerThread(WORKER, {
        name: "foieflow-product",
        failureCode: "product-failed",
        watchdogMs: WATCHDOG_MS,
        heapMiB: HEAP_MIB,
      }),
    (thread) => thread.close(),
  );
}
