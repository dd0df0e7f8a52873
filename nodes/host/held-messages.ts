import type { NodeMessage, NodeMessageInFlow } from "node-red";

/** A message on its way through a node, with what Node-RED gave along. */
export interface HeldMessage {
  msg: NodeMessageInFlow & { payload?: unknown };
  send: (messages: (NodeMessage | null)[]) => void;
  done: (error?: Error) => void;
}

/** Most messages kept; the inbox has no more than this in flight. */
const MAX_HELD = 2000;

/** Keeps messages, in order, until `open` is called; from then on they pass at once, as do those there is no room for. */
export class HeldMessages {
  readonly #pass: (message: HeldMessage) => void;
  #held: HeldMessage[] = [];
  #open = false;

  constructor(pass: (message: HeldMessage) => void) {
    this.#pass = pass;
  }

  take(message: HeldMessage): void {
    if (this.#open || this.#held.length >= MAX_HELD) this.#pass(message);
    else this.#held.push(message);
  }

  open(): void {
    this.#open = true;
    const waiting = this.#held;
    this.#held = [];
    for (const message of waiting) this.#pass(message);
  }

  /** Lets go of what waits without passing it on: not settled, so the inbox gives it again to the flows that come. */
  drop(): void {
    for (const { done } of this.#held) done();
    this.#held = [];
  }
}
