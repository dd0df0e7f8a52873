import assert from "node:assert/strict";
import type { InboxStats } from "../../nodes/sample/inbox.ts";
import { type Line, until } from "./line.ts";

export type Accounts = InboxStats & { byTransport: Record<string, InboxStats> };

/** The line's accounts, as its API gives them. */
export async function accountsOf(line: Line): Promise<Accounts> {
  const answer = await fetch(`${line.base}/api/line/accounts`);
  if (!answer.ok) throw new Error(`accounts: HTTP ${answer.status}`);
  return answer.json();
}

/** Waits until nothing waits in the inbox, and gives the accounts of that moment. */
export async function settledAccounts(line: Line, timeoutMs = 120_000): Promise<Accounts> {
  return until(
    "the inbox to be empty",
    async () => {
      const accounts = await accountsOf(line);
      return accounts.waiting === 0 && accounts;
    },
    timeoutMs,
  );
}

/** received = stored + duplicate + quarantined + discarded + waiting, in sum and for each transport. */
export function assertBalance(accounts: Accounts): void {
  for (const [name, one] of [["all", accounts] as const, ...Object.entries(accounts.byTransport)]) {
    const { received, stored, duplicate, quarantined, discarded, waiting } = one;
    assert.equal(received, stored + duplicate + quarantined + discarded + waiting, `accounts of ${name}`);
  }
}
