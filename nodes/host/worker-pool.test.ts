import assert from "node:assert/strict";
import { WorkerPool } from "./worker-pool.ts";
import { WorkerThread } from "./worker-thread.ts";

/** A thread that answers with its own number and the question; "wait" is answered when all threads of the pool were asked. */
const ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { threadId } from "node:worker_threads";
    import { answerRequests } from ${JSON.stringify(new URL("./answer-requests.ts", import.meta.url).href)};
    answerRequests((question) => {
      if (question instanceof SharedArrayBuffer) {
        const arrived = new Int32Array(question);
        Atomics.add(arrived, 0, 1);
        Atomics.notify(arrived, 0);
        for (let seen = Atomics.load(arrived, 0); seen < 2; seen = Atomics.load(arrived, 0)) Atomics.wait(arrived, 0, seen);
      }
      if (question === "hang") for (;;);
      return threadId;
    });
  `)}`,
);

describe("WorkerPool", () => {
  let pool: WorkerPool<unknown, unknown>;
  beforeEach(() => {
    const options = { name: "test", failureCode: "test-failed", watchdogMs: 30_000, heapMiB: 64 };
    pool = new WorkerPool([new WorkerThread(ENTRY, options), new WorkerThread(ENTRY, options)]);
  });
  afterEach(() => pool.close());

  it("has as many requests running as it has threads", async () => {
    // Neither is answered before both are asked.
    const meeting = new SharedArrayBuffer(4);
    const [one, other] = await Promise.all([pool.ask(meeting), pool.ask(meeting)]);
    assert.notEqual(one, other);
    assert.equal(pool.isBusy, false);
  });

  it("gives a request to the thread with the least to do, and loses one request with a thread", async () => {
    const hangs = pool.ask("hang");
    const ids = [await pool.ask("a"), await pool.ask("b"), await pool.ask("c")];
    assert.equal(new Set(ids).size, 1);
    const refused = assert.rejects(hangs, { code: "test-failed" });
    pool.kill("was shot");
    await refused;
    assert.equal(typeof (await pool.ask("d")), "number");
  });
});
