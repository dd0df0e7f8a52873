import { availableParallelism } from "node:os";
import { acquire, type Lease } from "../host/service.ts";
import { WorkerPool } from "../host/worker-pool.ts";
import { WorkerThread } from "../host/worker-thread.ts";
import type { ProductEvidence, ProductFigures } from "../sample/spec.ts";

/** What a thread is asked: one product, under one grade spec. */
export interface ProductQuestion {
  /** The spec's document and its hash (`GradeMethod.hash`): a method itself cannot be sent. */
  document: unknown;
  hash: string;
  evidence: ProductEvidence;
}

export type ProductThreads = WorkerPool<ProductQuestion, ProductFigures>;

// From source this file is TypeScript and so is the worker beside it; compiled, both are JavaScript.
const WORKER = new URL(
  import.meta.url.endsWith(".ts") ? "./product-worker.ts" : "./product-worker.js",
  import.meta.url,
);
const WATCHDOG_MS = 30_000;
const HEAP_MIB = 256;

/** One core is left to Node-RED's event loop; more threads than this a line has no use for. */
const MOST_THREADS = 4;

/** A share in the process's threads that analyse whole products; each starts with its first product. */
export function acquireProductThreads(): Lease<ProductThreads> {
  return acquire<ProductThreads>(
    "product-threads",
    () => {
      const count = Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
      const options = { failureCode: "product-failed", watchdogMs: WATCHDOG_MS, heapMiB: HEAP_MIB };
      return new WorkerPool(
        Array.from(
          { length: count },
          (_, i) => new WorkerThread(WORKER, { name: `foieflow-product-${i + 1}`, ...options }),
        ),
      );
    },
    (threads) => threads.close(),
  );
}
