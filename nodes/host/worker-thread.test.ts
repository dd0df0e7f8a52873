import assert from "node:assert/strict";
import { WorkerThread } from "./worker-thread.ts";

/** A thread that does what it is asked, with the real answering side. */
const ENTRY = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { answerRequests } from ${JSON.stringify(new URL("./answer-requests.ts", import.meta.url).href)};
    let asked = 0;
    answerRequests((question) => {
      asked += 1;
      if (question === "exit") process.exit(1);
      if (question === "hang") for (;;);
      if (question === "uncaught") return () => {};
      if (question === "coded") throw Object.assign(new Error("why"), { code: "reason" });
      if (question === "plain") throw new Error("why");
      return [question, asked];
    });
  `)}`,
);

describe("WorkerThread", () => {
  let thread: WorkerThread<unknown, unknown>;
  const open = (watchdogMs = 30_000) => {
    thread = new WorkerThread(ENTRY, { name: "test", failureCode: "test-failed", watchdogMs, heapMiB: 64 });
  };
  beforeEach(() => open());
  afterEach(() => thread.close());

  it("answers in the order it was asked, all in one thread", async () => {
    const answers = await Promise.all(["a", "b", "c"].map((question) => thread.ask(question)));
    assert.deepEqual(answers, [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    assert.equal(thread.isBusy, false);
  });

  it("gives the asker what was thrown, with its code, and lives on", async () => {
    await assert.rejects(thread.ask("coded"), { code: "reason", message: "why" });
    await assert.rejects(thread.ask("plain"), (error) => error instanceof Error && !("code" in error));
    assert.deepEqual(await thread.ask("a"), ["a", 3]);
  });

  it("fails only the request it died over, and starts anew", async () => {
    const asked = [thread.ask("a"), thread.ask("exit"), thread.ask("b"), thread.ask("c")];
    const [a, exit, b, c] = await Promise.allSettled(asked);
    assert.deepEqual(
      [a, b, c].map((result) => result?.status === "fulfilled" && result.value),
      [
        ["a", 1],
        ["b", 1],
        ["c", 2],
      ],
    );
    assert.equal(exit?.status === "rejected" && exit.reason.code, "test-failed");
  });

  it("ends a thread that does not come back", async () => {
    open(300);
    const hung = thread.ask("hang");
    await assert.rejects(hung, { code: "test-failed", message: /took more than 300 ms/ });
  });

  it("fails what cannot be sent, either way, and goes on", async () => {
    await assert.rejects(
      thread.ask(() => undefined),
      { code: "test-failed" },
    );
    await assert.rejects(thread.ask("uncaught"));
    assert.equal((await Promise.allSettled([thread.ask("a")]))[0]?.status, "fulfilled");
  });

  it("fails everything once it is closed", async () => {
    const asked = ["hang", "a", "b"].map((question) => assert.rejects(thread.ask(question), { code: "test-failed" }));
    await thread.close();
    await Promise.all(asked);
    await assert.rejects(thread.ask("a"), { code: "test-failed" });
  });
});
