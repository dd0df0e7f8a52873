/**
 * A thread beside the engine, which is deaf while a query runs: ends the process when its parent is gone, so that a
 * killed line does not leave an engine at work in its directory.
 */
import { workerData } from "node:worker_threads";

const LOOK_EVERY_MS = 250;
const parent: unknown = workerData;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, LOOK_EVERY_MS);
