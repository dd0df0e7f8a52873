import path from "node:path";
import { setCurrentInbox } from "../host/current-inbox.ts";
import { acquire, type Lease } from "../host/service.ts";
import { DurableInbox, type InboxNews } from "./durable-inbox.ts";
import type { InboxLimits } from "./limits.ts";

const KEY = "inbox";
/** The longest a timer can wait (24 days): while this process lives, an acknowledged entry is not given up. */
const LINGER_MS = 2 ** 31 - 1;

export interface InboxServiceOptions {
  /** The site's data directory; the inbox is in `inbox/` below it. */
  dataDir: string;
  limits?: Partial<InboxLimits>;
  onNews?: (news: InboxNews) => void;
}

export { currentInbox } from "../host/current-inbox.ts";

/**
 * Takes a share in the process's inbox, opening it the first time (the directory of the first one counts); the latest
 * bounds are in force. It lives on when nobody holds it, because entries in it were acknowledged.
 */
export function acquireInbox({ dataDir, limits = {}, onNews }: InboxServiceOptions): Lease<DurableInbox> {
  const lease = acquire<DurableInbox>(
    KEY,
    async () => {
      const directory = path.join(dataDir, "inbox");
      const inbox = await DurableInbox.open({ directory, limits, ...(onNews && { onNews }) });
      setCurrentInbox(inbox);
      return inbox;
    },
    async (inbox) => {
      await inbox.close();
      setCurrentInbox(undefined);
    },
    LINGER_MS,
  );
  lease.value.then(
    (inbox) => inbox.configure(limits),
    () => undefined,
  );
  return lease;
}
