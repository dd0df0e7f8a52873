import type { Inbox } from "../sample/inbox.ts";

// On globalThis for the same reason as the registry of services: several copies of this module, one process.
const CURRENT = Symbol.for("foieflow.inbox");
const globals = globalThis as typeof globalThis & { [CURRENT]?: Inbox | undefined };

/** The process's inbox while it is open. */
export function currentInbox(): Inbox | undefined {
  return globals[CURRENT];
}

/** Makes an inbox the process's; with `undefined`, there is none. */
export function setCurrentInbox(inbox: Inbox | undefined): void {
  globals[CURRENT] = inbox;
}

/**
 * For a node that keeps messages for a while: what it keeps counts as claimed, so that the inbox does not take it for
 * lost. Without an inbox, or for a message of no entry, nothing is done and everything may be kept.
 */
export class Keeper {
  readonly #owner: string;

  /** @param owner the node's id */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /** @returns false when the message is a copy of one that is settled, or that this node has already: it goes no further */
  keep(message: object): boolean {
    const inbox = currentInbox();
    const entryId = entryOf(message);
    return inbox === undefined || entryId === undefined || inbox.claim(entryId, this.#owner);
  }

  /** Just before the message is sent on. */
  passOn(message: object): void {
    const entryId = entryOf(message);
    if (entryId !== undefined) currentInbox()?.handOn(entryId, this.#owner);
  }

  /** The node closes and gives the message up: the inbox emits it again. */
  giveUp(message: object): void {
    const entryId = entryOf(message);
    if (entryId !== undefined) currentInbox()?.release(entryId, this.#owner);
  }
}

function entryOf(message: object): string | undefined {
  const entryId: unknown = Reflect.get(message, "entryId");
  return typeof entryId === "string" ? entryId : undefined;
}
