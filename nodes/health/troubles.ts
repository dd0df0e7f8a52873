import { type HealthSnapshot, type InboxHealth, TROUBLES, type Trouble, type TroubleLevel } from "./snapshot.ts";

const MIB = 1024 * 1024;
/** A backlog older than this is more than a hiccup, s; than this, somebody must act. */
const OLD_S = 30;
const TOO_OLD_S = 600;
const DISK_LOW = 2048 * MIB;
const DISK_FULL = 256 * MIB;
const LOOP_SLOW_MS = 250;
const MEMORY_LOW = 128 * MIB;

/** What a snapshot's figures say is wrong, worst first. */
export function troublesOf(snapshot: Omit<HealthSnapshot, "troubles">): Trouble[] {
  const { inbox, database, disk, eventLoop, process } = snapshot;
  const found: Trouble[] = [];
  const say = (code: Trouble["code"], level: TroubleLevel, values: Record<string, number> = {}, subject?: string) =>
    found.push({ code, level, values, ...(subject !== undefined && { subject }) });

  const { state, damaged, repairs, failure } = inbox.store;
  if (state === "full") say("inbox-full", "bad", { entries: inbox.entries, bytes: inbox.bytes });
  if (state === "disk-full") say("inbox-disk-full", "bad", { entries: inbox.entries });
  if (state === "failed" || (state === "closed" && failure !== undefined)) say("inbox-failed", "bad");
  if (damaged > 0) say("inbox-damaged", "warn", { entries: damaged });
  if (repairs.length > 0) say("inbox-repaired", "warn", { repairs: repairs.length });
  if (database.state === "none" || database.state === "closed") say("database-none", "bad");
  if (database.state === "away") say("database-away", "bad", { entries: inbox.entries });
  for (const [transport, difference] of unbalanced(inbox)) say("unbalanced", "bad", { difference }, transport);
  if (disk && disk.freeBytes < DISK_FULL) say("disk-full", "bad", { freeBytes: disk.freeBytes });
  else if (disk && disk.freeBytes < DISK_LOW) say("disk-low", "warn", { freeBytes: disk.freeBytes });
  if (inbox.ageS > OLD_S) {
    say("backlog-old", inbox.ageS > TOO_OLD_S ? "bad" : "warn", { entries: inbox.entries, ageS: inbox.ageS });
  }
  if (database.embedded && database.embedded.recoveries > 0) {
    say("embedded-recovered", "warn", { recoveries: database.embedded.recoveries });
  }
  for (const job of database.facts?.jobs ?? []) {
    if (job.status === "failed") say("job-failed", "warn", {}, job.name);
    if (job.status === "overdue") say("job-overdue", "warn", {}, job.name);
  }
  if (eventLoop.p99Ms > LOOP_SLOW_MS) say("event-loop-slow", "warn", { p99Ms: eventLoop.p99Ms });
  if (process.freeMemoryBytes < MEMORY_LOW) say("memory-low", "warn", { freeBytes: process.freeMemoryBytes });
  const refused = Object.values(inbox.total.refused).reduce((sum, count) => sum + count, 0);
  if (refused > 0) say("refusals", "warn", { refused });
  const open = database.facts?.quarantine.open ?? 0;
  if (open > 0) say("quarantine-open", "warn", { open });

  const place = (trouble: Trouble) => (trouble.level === "bad" ? 0 : TROUBLES.length) + TROUBLES.indexOf(trouble.code);
  return found.sort((a, b) => place(a) - place(b));
}

function unbalanced(inbox: InboxHealth): [string, number][] {
  return [...Object.entries(inbox.byTransport), ...Object.entries(inbox.byDevice)]
    .filter(([, { difference }]) => difference !== 0)
    .map(([name, { difference }]) => [name, difference]);
}
