import type { InboxReport, InboxStats } from "../sample/inbox.ts";
import type { Account, InboxHealth, InboxStoreHealth } from "./snapshot.ts";

/** An inbox as the collector sees it. */
export interface CountedInbox {
  stats(): InboxReport;
}

/** Most devices listed; those with the most received stay. */
const MOST_DEVICES = 200;

/** The inbox's accounts, each with what does not balance, and what its store says of itself. */
export function inboxHealth(inbox: CountedInbox): InboxHealth {
  const stats = inbox.stats();
  const { websocket, mqtt, serial } = stats.byTransport;
  const total = accountOf(stats);
  // Counted on its own, not derived from the other accounts: without it the sum cannot but balance.
  if (stats.held !== undefined) total.difference += stats.waiting - stats.held;
  return {
    entries: stats.held ?? stats.waiting,
    bytes: stats.waitingBytes,
    ageS: stats.backlogAgeS,
    total,
    byTransport: { websocket: accountOf(websocket), mqtt: accountOf(mqtt), serial: accountOf(serial) },
    emitted: stats.emitted,
    claimed: stats.claimed,
    byDevice: devicesIn(stats.byDevice),
    store: storeHealth(stats),
  };
}

/** Received less what became of it. What an entry is waiting for counts as waiting. */
export function accountOf(stats: InboxStats): Account {
  const {
    received,
    stored,
    duplicate,
    quarantined,
    discarded,
    waiting,
    waitingBytes,
    refused,
    quarantinedBy,
    discardedBy,
  } = stats;
  const difference = received - stored - duplicate - quarantined - discarded - waiting;
  return {
    received,
    stored,
    duplicate,
    quarantined,
    discarded,
    waiting,
    waitingBytes,
    refused,
    quarantinedBy,
    discardedBy,
    difference,
  };
}

function devicesIn(byDevice: Record<string, InboxStats>): Record<string, Account> {
  const accounts = Object.entries(byDevice)
    .map(([device, stats]): [string, Account] => [device, accountOf(stats)])
    .filter(([device, { received, refused }]) => device !== "" || received !== 0 || Object.keys(refused).length > 0);
  accounts.sort(([, a], [, b]) => b.received - a.received);
  return Object.fromEntries(accounts.slice(0, MOST_DEVICES));
}

function storeHealth({ health, store }: InboxReport): InboxStoreHealth {
  return {
    state: health.state,
    full: health.state === "full" || health.state === "disk-full",
    damaged: health.damagedEntries,
    repairs: [...health.repairs],
    ...(health.problem !== undefined && { failure: health.problem }),
    ...(store && {
      fileBytes: store.bytes + store.journalBytes,
      commitP50Ms: store.commitP50Ms,
      commitP99Ms: store.commitP99Ms,
    }),
  };
}
