import type { Node } from "node-red";
import helper from "node-red-node-test-helper";

export interface Received {
  payload: unknown;
  topic?: string;
  entryId?: string;
}

/** The next message a helper node of the loaded flow gets. */
export function nextMessage(id: string): Promise<Received> {
  return new Promise((resolve) => {
    nodeOf(id).once("input", (msg: object) => resolve({ payload: undefined, ...msg }));
  });
}

/** A node of the loaded flow. */
export function nodeOf(id: string): Node {
  const node = helper.getNode(id);
  if (!node) throw new Error(`the flow has no node ${id}`);
  return node;
}
