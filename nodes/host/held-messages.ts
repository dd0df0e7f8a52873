import type { NodeMessage, NodeMessageInFlow } from "node-red";
import { Keeper } from "./current-inbox.ts";

/** A message on its way through a node, with what Node-RED gave along. */
export interface HeldMessage {
  msg: NodeMessageInFlow & { payload?: unknown };
  send: (messages: (NodeMessage | null)[]) => void;
  done: (error?: Error) => void;
}

/** Most messages kept; the inbox has no more than this in flight. */
const MAX_HELD = 2000;

/**
 * Keeps messages, in order, until `open` is called; from then on they pass at once, as do those there is no room for.
 * What is kept counts as claimed, so that the inbox does not take it for lost.
 */
export class HeldMessages {
  readonly #pass: (message: HeldMessage) => void;
  readonly #keeper: Keeper;
  #held: HeldMessage[] = [];
  #open = false;

  /** @param owner id of the node that keeps them */
  constructor(owner: string, pass: (message: HeldMessage) => void) {
    this.#keeper = new Keeper(owner);
    this.#pass = pass;
  }

  take(message: HeldMessage): void {
    if (this.#open || this.#held.length >= MAX_HELD) this.#pass(message);
    else if (this.#keeper.keep(message.msg)) this.#held.push(message);
    else message.done();
  }

  open(): void {
    this.#open = true;
    const waiting = this.#held;
    this.#held = [];
    for (const message of waiting) {
      this.#keeper.passOn(message.msg);
      this.#pass(message);
    }
  }

  /**
   * The node closes: lets go of what waits, and of what still comes, without passing it on. It is not settled, so the
   * inbox gives it again to the flows that come.
   */
  close(): void {
    this.#keeper.giveUp();
    for (const { done } of this.#held.splice(0)) done();
  }
}
