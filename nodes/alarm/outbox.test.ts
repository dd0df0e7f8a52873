import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../test/support/line.ts";
import { Outbox, type OutboxOptions } from "./outbox.ts";

function outboxOf(send: OutboxOptions<string>["send"], options: Partial<OutboxOptions<string>> = {}) {
  const givenUp: string[] = [];
  const outbox = new Outbox<string>({
    send,
    most: 5,
    minWaitMs: 5,
    maxWaitMs: 40,
    timeoutMs: 1000,
    onChange: () => undefined,
    onGivenUp: (value, why) => givenUp.push(`${value}: ${why}`),
    ...options,
  });
  return { outbox, givenUp };
}

describe("the outbox of alarms", () => {
  it("sends one thing at a time, in order, and counts", async () => {
    const sent: string[] = [];
    let running = 0;
    const { outbox } = outboxOf(async (value) => {
      assert.equal(++running, 1);
      await sleep(2);
      running -= 1;
      sent.push(value);
    });
    for (const value of ["a", "b", "c"]) outbox.put(value, value);
    await until("all", () => sent.length === 3);
    assert.deepEqual(sent, ["a", "b", "c"]);
    await until("the count", () => outbox.figures.sent === 3);
    assert.deepEqual(outbox.figures, { waiting: 0, sent: 3, failed: 0, givenUp: 0 });
  });

  it("tries again with growing waits, within bounds, and says why until it goes", async () => {
    const at: number[] = [];
    const { outbox } = outboxOf(async () => {
      at.push(performance.now());
      if (at.length < 7) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    });
    outbox.put("k", "v");
    await until("the first failure", () => outbox.figures.problem);
    assert.equal(outbox.figures.problem, "ECONNREFUSED: refused");
    await until("it to go", () => outbox.figures.sent === 1);
    assert.deepEqual(outbox.figures, { waiting: 0, sent: 1, failed: 6, givenUp: 0 });
    const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    // 5, 10, 20, 40, 40, 40 ms, each a fifth more or less.
    assert.ok((waits[2] ?? 0) > 14 && (waits[4] ?? 0) > 30, waits.join());
    assert.ok(Math.max(...waits) < 500, waits.join());
  });

  it("sends the newest value of a key, also when it changed under way", async () => {
    const sent: string[] = [];
    let letGo: () => void = () => undefined;
    const { outbox } = outboxOf((value) => {
      sent.push(value);
      return new Promise((resolve) => {
        letGo = resolve;
      });
    });
    outbox.put("k", "1");
    outbox.put("k", "2");
    outbox.put("k", "3");
    await until("the first", () => sent.length === 1);
    letGo();
    await until("the second", () => sent.length === 2);
    letGo();
    await until("the end", () => outbox.figures.waiting === 0);
    assert.deepEqual(sent, ["1", "3"]);
  });

  it("gives up what was tried often enough, what is hopeless, and the oldest when there is no room", async () => {
    const { outbox, givenUp } = outboxOf(
      async (value) => {
        throw new Error(value === "bad" ? "550 no such user" : "away");
      },
      { tries: 3, isHopeless: (error) => String(error).includes("550") },
    );
    outbox.put("a", "again");
    await until("three tries", () => givenUp.length === 1);
    outbox.put("b", "bad");
    await until("the hopeless one", () => givenUp.length === 2);
    assert.deepEqual(givenUp, ["again: away", "bad: 550 no such user"]);
    assert.deepEqual([outbox.figures.failed, outbox.figures.givenUp], [4, 2]);

    const full = outboxOf(() => new Promise(() => undefined), { most: 2 });
    for (const value of ["1", "2", "3"]) full.outbox.put(value, value);
    assert.deepEqual(full.givenUp, ["1: outbox-full"]);
    full.outbox.close();
  });

  it("does not wait for ever for an answer, and stops when it closes", async () => {
    let aborted = 0;
    const { outbox } = outboxOf(
      (_value, signal) => {
        signal.addEventListener("abort", () => (aborted += 1));
        return new Promise(() => undefined);
      },
      { timeoutMs: 20 },
    );
    outbox.put("k", "v");
    await until("the attempt to be cut off", () => outbox.figures.failed >= 2);
    assert.match(outbox.figures.problem ?? "", /no answer in time/);
    outbox.close();
    const { failed } = outbox.figures;
    await sleep(60);
    assert.deepEqual([outbox.figures.failed, outbox.figures.waiting], [failed, 0]);
    assert.ok(aborted >= 2);
  });
});
