import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DurableInbox, type InboxOptions } from "../../nodes/inbox/durable-inbox.ts";

const opened: { inbox: Promise<DurableInbox>; directory: string }[] = [];

/** A fresh directory below the system's for temporary files. */
export function freshDirectory(name = "inbox"): string {
  return mkdtempSync(path.join(os.tmpdir(), `foieflow-${name}-`));
}

/** A real inbox in a directory of its own; both are gone after the tests. */
export function openInbox(options: Partial<InboxOptions> = {}): Promise<DurableInbox> {
  const directory = options.directory ?? freshDirectory();
  const limits = { minFreeBytes: 0, ...options.limits };
  const inbox = DurableInbox.open({ reserveBytes: 0, ...options, limits, directory });
  opened.push({ inbox, directory });
  return inbox;
}

/** Closes what `openInbox` opened. */
export async function closeInboxes(): Promise<void> {
  for (const { inbox, directory } of opened.splice(0)) {
    await inbox.then(
      (open) => open.close(),
      () => undefined,
    );
    rmSync(directory, { recursive: true, force: true });
  }
}
