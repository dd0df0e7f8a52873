import assert from "node:assert/strict";
import { mock } from "node:test";
import { onceEvery } from "./rate-limit.ts";
import { throttledStatus } from "./throttled-status.ts";

describe("throttledStatus", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
  afterEach(() => mock.timers.reset());

  function shown() {
    const texts: unknown[] = [];
    const status = throttledStatus({ status: (value) => texts.push(typeof value === "object" ? value.text : value) });
    return { texts, status };
  }

  it("shows the first at once, then the latest twice a second, and never one twice", () => {
    const { texts, status } = shown();
    for (const text of ["a", "b", "c"]) status.show({ text });
    assert.deepEqual(texts, ["a"]);
    mock.timers.tick(500);
    assert.deepEqual(texts, ["a", "c"]);
    mock.timers.tick(5000);
    status.show({ text: "d" });
    assert.deepEqual(texts, ["a", "c", "d"]);
  });

  it("makes only the statuses that it shows", () => {
    const { texts, status } = shown();
    const made: string[] = [];
    for (const text of ["a", "b", "c"])
      status.show(() => {
        made.push(text);
        return { text };
      });
    mock.timers.tick(500);
    assert.deepEqual(
      [made, texts],
      [
        ["a", "c"],
        ["a", "c"],
      ],
    );
  });

  it("shows nothing after it was closed", () => {
    const { texts, status } = shown();
    status.show({ text: "a" });
    status.show({ text: "b" });
    status.close();
    mock.timers.tick(5000);
    assert.deepEqual(texts, ["a"]);
  });
});

describe("onceEvery", () => {
  it("lets each key through once per interval", () => {
    let now = 0;
    const may = onceEvery(100, () => now);
    assert.deepEqual([may("a"), may("a"), may("b")], [true, false, true]);
    now = 100;
    assert.deepEqual([may("a"), may("a")], [true, false]);
  });
});
