import assert from "node:assert/strict";
import type { Inbox } from "../sample/inbox.ts";
import { currentInbox, setCurrentInbox } from "./current-inbox.ts";
import { leisure, rests } from "./rests.ts";

const work = (ms: number) => {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
};

describe("work that nobody waits for", () => {
  const before = currentInbox();
  let isEmitting = false;
  beforeEach(() => {
    isEmitting = true;
    setCurrentInbox({
      get isEmitting() {
        return isEmitting;
      },
    } as Inbox);
  });
  afterEach(() => setCurrentInbox(before));

  it("goes on when no sample waits to be graded any more", async () => {
    const timer = setTimeout(() => {
      isEmitting = false;
    }, 30);
    const fromMs = performance.now();
    await leisure(Number.POSITIVE_INFINITY);
    assert.equal(isEmitting, false);
    assert.ok(performance.now() - fromMs >= 28);
    clearTimeout(timer);
  });

  it("goes on at its time though samples wait, and gives sockets and timers a turn in any case", async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await leisure(performance.now() + 20);
    assert.ok(turns > 1);
    turns = 0;
    await leisure(Number.NEGATIVE_INFINITY);
    assert.equal(turns, 1);
    clearImmediate(immediate);
  });

  it("rests after some milliseconds of work, and not before", async () => {
    const rest = rests();
    assert.equal(rest(), undefined);
    work(5);
    const fromMs = performance.now();
    const resting = rest();
    assert.ok(resting);
    await resting;
    assert.ok(performance.now() - fromMs >= 15, "samples waited");
    assert.equal(rest(), undefined);
  });
});
