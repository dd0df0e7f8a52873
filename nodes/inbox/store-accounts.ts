import type { DatabaseSync } from "node:sqlite";
import { OTHER_DEVICES } from "./ledger.ts";
import type { AccountFigure, Refusals, SettledEntry, StoredEntry } from "./store-protocol.ts";

const OUTCOMES = ["stored", "duplicate", "quarantined", "discarded"];

/** Changes of the accounts, gathered so that each figure is written once per transaction. */
export class AccountChanges {
  readonly #changes = new Map<string, AccountFigure>();

  received(transport: string, device: string): void {
    this.add("transport", transport, "received", 1);
    this.add("device", device, "received", 1);
  }

  settled({ transport, receivedBy, device, outcome }: SettledEntry): void {
    if (receivedBy !== device) {
      this.add("device", receivedBy, "received", -1);
      this.add("device", device, "received", 1);
    }
    for (const [kind, name] of [["transport", transport] as const, ["device", device] as const]) {
      this.add(kind, name, outcome.kind, 1);
      if ("reason" in outcome) this.add(kind, name, `${outcome.kind}:${outcome.reason}`, 1);
    }
  }

  refused({ transport, reason, device, count }: Refusals): void {
    this.add("transport", transport, `refused:${reason}`, count);
    this.add("device", device, `refused:${reason}`, count);
  }

  add(kind: AccountFigure["kind"], name: string, item: string, count: number): void {
    const key = `${kind} ${name} ${item}`;
    const change = this.#changes.get(key);
    if (change) change.count += count;
    else this.#changes.set(key, { kind, name, item, count });
  }

  /** Inside a transaction. */
  write(database: DatabaseSync): void {
    const statement = database.prepare(
      "INSERT INTO account VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
    );
    for (const { kind, name, item, count } of this.#changes.values())
      if (count !== 0) statement.run(kind, name, item, count);
  }
}

/** All figures of the accounts. */
export function readAccounts(database: DatabaseSync): AccountFigure[] {
  return database
    .prepare("SELECT kind, name, item, count FROM account")
    .all()
    .flatMap(({ kind, name, item, count }): AccountFigure[] =>
      (kind === "transport" || kind === "device") &&
      typeof name === "string" &&
      typeof item === "string" &&
      typeof count === "number"
        ? [{ kind, name, item, count }]
        : [],
    );
}

/**
 * Compares the accounts with the entries that really wait: received less every outcome must be their number. What is
 * missing is put down as discarded (`lost-in-damage`), what is too much as received; a sentence says so.
 */
export function balance(
  figures: readonly AccountFigure[],
  entries: readonly StoredEntry[],
): { changes: AccountChanges; sentence: string | undefined } {
  const expected = new Map<string, number>();
  const waiting = new Map<string, number>();
  const key = (kind: string, name: string) => `${kind} ${name}`;
  const count = (map: Map<string, number>, name: string, number: number) =>
    map.set(name, (map.get(name) ?? 0) + number);
  for (const { kind, name, item, count: number } of figures) {
    if (item === "received") count(expected, key(kind, name), number);
    if (OUTCOMES.includes(item)) count(expected, key(kind, name), -number);
  }
  const devices = new Set(figures.filter(({ kind }) => kind === "device").map(({ name }) => name));
  for (const { meta } of entries) {
    count(waiting, key("transport", meta.transport), 1);
    count(waiting, key("device", accountOf(meta.provenDeviceId, devices)), 1);
  }
  const changes = new AccountChanges();
  let lost = 0;
  let found = 0;
  for (const name of new Set([...expected.keys(), ...waiting.keys()])) {
    const missing = (expected.get(name) ?? 0) - (waiting.get(name) ?? 0);
    if (missing === 0) continue;
    const kind = name.startsWith("transport ") ? "transport" : "device";
    const account = name.slice(kind.length + 1);
    if (missing > 0) {
      changes.add(kind, account, "discarded", missing);
      changes.add(kind, account, "discarded:lost-in-damage", missing);
      if (kind === "transport") lost += missing;
    } else {
      changes.add(kind, account, "received", -missing);
      if (kind === "transport") found -= missing;
    }
  }
  const parts = [
    ...(lost > 0 ? [`${lost} entries that the accounts know are not there (put down as lost-in-damage)`] : []),
    ...(found > 0 ? [`${found} entries were not in the accounts (added)`] : []),
  ];
  return { changes, sentence: parts.length > 0 ? `the accounts did not balance: ${parts.join("; ")}` : undefined };
}

/** The account an entry was received into: its proven device's, where that has one. */
export function accountOf(provenDeviceId: string | undefined, devices: ReadonlySet<string>): string {
  if (provenDeviceId === undefined) return "";
  return devices.has(provenDeviceId) ? provenDeviceId : OTHER_DEVICES;
}
