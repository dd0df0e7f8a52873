import type { MessagePort } from "node:worker_threads";
import type { Gate } from "./store-gate.ts";

/** What a module exports as `startGuest` to work in the thread of the inbox's store. It must never block it for long. */
export type StartGuest = (port: MessagePort, gate: Gate) => void;

/** An inbox whose store has a thread that others may work in. */
export interface Host {
  /**
   * Starts a guest there.
   * @param module that exports `startGuest`
   * @returns the other end of its port, which closes when the thread ends
   * @throws CodedError `inbox-failed`, `inbox-closed`
   */
  host(module: URL): Promise<MessagePort>;
}
