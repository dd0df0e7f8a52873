import assert from "node:assert/strict";
import { type SendEvent, shareAmongReaders } from "./shared-messages.ts";

const NODES: Record<string, { type: string; wires?: string[][] }> = {
  store: { type: "foieflow-store" },
  view: { type: "foieflow-line-view" },
  function: { type: "function" },
  "to-store": { type: "link in", wires: [["store"]] },
  "to-view": { type: "link in", wires: [["view"]] },
  "to-both": { type: "link in", wires: [["view", "function"]] },
};

/** Who gets a copy, and whether each message is another object than the first. */
function sent(...ids: string[]): { copied: boolean[]; ownMessage: boolean[]; samePayload: boolean[] } {
  const msg = { payload: { deep: [1] } };
  const events: SendEvent[] = ids.map((id, index) => ({ msg, destination: { id }, cloneMessage: index > 0 }));
  // Node-RED says null of a node that it does not have (yet).
  shareAmongReaders(events, (id) => NODES[id] ?? null);
  return {
    copied: events.map(({ cloneMessage }) => cloneMessage),
    ownMessage: events.map((event) => event.msg !== msg),
    samePayload: events.map((event) => (event.msg as typeof msg).payload === msg.payload),
  };
}

describe("a message for several nodes", () => {
  it("is shared, each with a message of its own around it, where all of them only read", () => {
    for (const ids of [
      ["store", "view"],
      ["to-store", "to-view"],
      ["to-view", "store"],
    ])
      assert.deepEqual(sent(...ids), { copied: [false, false], ownMessage: [false, true], samePayload: [true, true] });
  });

  it("is copied as ever where one of them may change it, or is not known", () => {
    for (const other of ["function", "to-both", "gone"]) {
      assert.deepEqual(sent("store", other).copied, [false, true]);
      assert.deepEqual(sent(other, "store", "view").copied, [false, true, true]);
    }
  });
});
