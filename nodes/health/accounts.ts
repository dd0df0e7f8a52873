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
  return {
    entries: stats.waiting,
    bytes: stats.waitingBytes,
    ageS: stats.backlogAgeS,
    total: accountOf(stats),
    byTransport: { websocket: accountOf(websocket), mqtt: accountOf(mqtt), serial: accountOf(serial) },
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
  const accounts = Object.entries(byDevice).map(([device, stats]): [string, Account] => [device, accountOf(stats)]);
  accounts.sort(([, a], [, b]) => b.received - a.received);
  return Object.fromEntries(accounts.slice(0, MOST_DEVICES));
}

function storeHealth({ health, store }: InboxReport): InboxStoreHealth {
  return {
    damaged: health.damagedEntries,
    full: health.state === "full" || health.state === "disk-full",
    ...(store && { fileBytes: store.bytes + store.journalBytes }),
    ...(health.problem !== undefined && { failure: health.problem }),
  };
}
