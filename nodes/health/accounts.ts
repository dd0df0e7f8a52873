import type { InboxStats } from "../sample/inbox.ts";
import type { Transport } from "../sample/units.ts";
import type { Account, InboxHealth, InboxStoreHealth } from "./snapshot.ts";

/** An inbox as the collector sees it; newer ones tell more than the interface says. */
export interface CountedInbox {
  stats(): InboxStats & { byTransport: Record<Transport, InboxStats> };
  backlogAgeS(): number;
}

/** Most devices listed; those with the most received stay. */
const MOST_DEVICES = 200;

/** The inbox's accounts, each with what does not balance, and what its store says of itself. */
export function inboxHealth(inbox: CountedInbox): InboxHealth {
  const stats = inbox.stats();
  const { websocket, mqtt, serial } = stats.byTransport;
  const devices = devicesIn(stats);
  return {
    entries: stats.waiting,
    bytes: stats.waitingBytes,
    ageS: inbox.backlogAgeS(),
    total: accountOf(stats),
    byTransport: { websocket: accountOf(websocket), mqtt: accountOf(mqtt), serial: accountOf(serial) },
    ...(devices && { byDevice: devices }),
    store: storeHealth(Reflect.get(stats, "health")),
  };
}

/** Received less what became of it. What an entry is waiting for counts as waiting. */
export function accountOf(stats: InboxStats): Account {
  const { received, stored, duplicate, quarantined, discarded, waiting, waitingBytes, refused, quarantinedBy } = stats;
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
    difference,
  };
}

function devicesIn(stats: object): Record<string, Account> | undefined {
  const byDevice: unknown = Reflect.get(stats, "byDevice");
  if (typeof byDevice !== "object" || byDevice === null) return undefined;
  const entries = byDevice instanceof Map ? [...byDevice.entries()] : Object.entries(byDevice);
  const accounts = entries.flatMap(([device, value]): [string, Account][] => {
    const account = deviceAccount(value);
    return account && typeof device === "string" ? [[device, account]] : [];
  });
  accounts.sort(([, a], [, b]) => b.received - a.received);
  return Object.fromEntries(accounts.slice(0, MOST_DEVICES));
}

function deviceAccount(value: unknown): Account | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const count = (key: string): number => {
    const found: unknown = Reflect.get(value, key);
    return typeof found === "number" ? found : 0;
  };
  if (typeof Reflect.get(value, "received") !== "number") return undefined;
  return accountOf({
    received: count("received"),
    stored: count("stored"),
    duplicate: count("duplicate"),
    quarantined: count("quarantined"),
    discarded: count("discarded"),
    waiting: count("waiting"),
    waitingBytes: count("waitingBytes"),
    refused: counts(Reflect.get(value, "refused")),
    quarantinedBy: counts(Reflect.get(value, "quarantinedBy")),
  });
}

function counts(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

function storeHealth(value: unknown): InboxStoreHealth {
  if (typeof value !== "object" || value === null) return {};
  const health: InboxStoreHealth = {};
  for (const key of ["damaged", "salvaged", "fileBytes"] as const) {
    const found: unknown = Reflect.get(value, key);
    if (typeof found === "number") health[key] = found;
  }
  const full: unknown = Reflect.get(value, "full");
  if (typeof full === "boolean") health.full = full;
  const failure: unknown = Reflect.get(value, "failure");
  if (typeof failure === "string") health.failure = failure;
  return health;
}
