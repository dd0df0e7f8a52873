import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DurableInbox, type InboxOptions } from "../../nodes/inbox/durable-inbox.ts";
import type { InboxReport } from "../../nodes/sample/inbox.ts";
import { TRANSPORTS } from "../../nodes/sample/units.ts";

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

/** The accounts balance, as a whole, by transport and by device. */
export function assertBalanced(stats: InboxReport): void {
  const parts = [stats, ...TRANSPORTS.map((transport) => stats.byTransport[transport])];
  for (const part of [...parts, ...Object.values(stats.byDevice)]) {
    assert.equal(part.received, part.stored + part.duplicate + part.quarantined + part.discarded + part.waiting);
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
    assert.equal(part.quarantined, sum(part.quarantinedBy));
    assert.equal(part.discarded, sum(part.discardedBy));
  }
  const devices = Object.values(stats.byDevice);
  for (const figure of ["received", "stored", "waiting", "waitingBytes"] as const)
    assert.equal(
      devices.reduce((sum, device) => sum + device[figure], 0),
      stats[figure],
    );
}
