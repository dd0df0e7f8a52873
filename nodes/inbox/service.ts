import { acquire, type Lease } from "../host/service.ts";
import type { Inbox } from "../sample/inbox.ts";
import { type InboxLimits, MemoryInbox } from "./memory-inbox.ts";

const KEY = "inbox";
/** The longest a timer can wait (24 days): while this process lives, an acknowledged entry is not given up. */
const LINGER_MS = 2 ** 31 - 1;

// On globalThis for the same reason as the registry of services: several copies of this module, one process.
const CURRENT = Symbol.for("foieflow.inbox");
const globals = globalThis as typeof globalThis & { [CURRENT]?: Inbox | undefined };

/**
 * Takes a share in the process's inbox, opening it the first time; the latest bounds are in force.
 * It lives on when nobody holds it, because entries in it were acknowledged.
 */
export function acquireInbox(limits: Partial<InboxLimits>): Lease<Inbox> {
  const lease = acquire<MemoryInbox>(
    KEY,
    () => {
      const inbox = new MemoryInbox(limits);
      globals[CURRENT] = inbox;
      return inbox;
    },
    (inbox) => {
      if (globals[CURRENT] === inbox) globals[CURRENT] = undefined;
      inbox.close();
    },
    LINGER_MS,
  );
  lease.value.then(
    (inbox) => inbox.configure(limits),
    () => undefined,
  );
  return lease;
}

/** The process's inbox while it is open. */
export function currentInbox(): Inbox | undefined {
  return globals[CURRENT];
}
