import type { Inbox } from "../sample/inbox.ts";

// On globalThis for the same reason as the registry of services: several copies of this module, one process.
const CURRENT = Symbol.for("foieflow.inbox");
const KEEPERS = Symbol.for("foieflow.keepers");
const globals = globalThis as typeof globalThis & { [CURRENT]?: Inbox | undefined; [KEEPERS]?: number };

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
 *
 * Each keeper is an owner of its own: after a deploy the new node has the id of the old one, which may still be closing.
 */
export class Keeper {
  readonly #owner: string;
  readonly #inbox: () => Inbox | undefined;
  readonly #kept = new Set<string>();
  #isClosed = false;

  /**
   * @param nodeId the node's id
   * @param inbox the process's inbox unless said otherwise
   */
  constructor(nodeId: string, inbox: () => Inbox | undefined = currentInbox) {
    globals[KEEPERS] = (globals[KEEPERS] ?? 0) + 1;
    this.#owner = `${nodeId}#${globals[KEEPERS]}`;
    this.#inbox = inbox;
  }

  /**
   * @returns false when the message goes no further: it is a copy of one that is settled or that this node has already,
   *   or the node is closing (Node-RED delivers until it is closed), and then the inbox gives it to the flows that come
   */
  keep(message: object): boolean {
    if (this.#isClosed) return false;
    const inbox = this.#inbox();
    const entryId = entryOf(message);
    if (inbox === undefined || entryId === undefined) return true;
    if (!inbox.claim(entryId, this.#owner)) return false;
    this.#kept.add(entryId);
    return true;
  }

  /** Just before the message is sent on. */
  passOn(message: object): void {
    const entryId = entryOf(message);
    if (entryId !== undefined && this.#kept.delete(entryId)) this.#inbox()?.handOn(entryId, this.#owner);
  }

  /** The entry of the message is settled. */
  settled(message: object): void {
    const entryId = entryOf(message);
    if (entryId !== undefined) this.#kept.delete(entryId);
  }

  /** Gives one message up: the inbox emits its entry again. */
  release(message: object): void {
    const entryId = entryOf(message);
    if (entryId !== undefined && this.#kept.delete(entryId)) this.#inbox()?.release(entryId, this.#owner);
  }

  /** The node closes: nothing more is kept, while what is kept may still go on. */
  close(): void {
    this.#isClosed = true;
  }

  /** The closing node gives up whatever it still keeps: the inbox emits it again. */
  giveUp(): void {
    this.close();
    for (const entryId of this.#kept) this.#inbox()?.release(entryId, this.#owner);
    this.#kept.clear();
  }
}

function entryOf(message: object): string | undefined {
  const entryId: unknown = Reflect.get(message, "entryId");
  return typeof entryId === "string" ? entryId : undefined;
}
