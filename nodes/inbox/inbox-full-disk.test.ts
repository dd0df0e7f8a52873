import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openGate } from "../../test/support/gate.ts";
import { assertBalanced, closeInboxes, freshDirectory, openInbox } from "../../test/support/inbox.ts";
import type { Envelope, Inbox } from "../sample/inbox.ts";
import type { DurableInbox, InboxNews } from "./durable-inbox.ts";

const envelope = (bytes: Buffer): Envelope => ({
  transport: "mqtt",
  receivedAt: "2026-01-01T00:00:00.000Z",
  siteId: "s",
  defaultLineId: "l",
  bytes,
});

const payload = (index: number) => Buffer.alloc(20_000, `${index} `);

/** Appends until the inbox refuses. @returns ids by number of the entry */
async function fill(inbox: Pick<Inbox, "append">, most: number): Promise<Map<string, number>> {
  const taken = new Map<string, number>();
  for (let index = 0; index < most; ) {
    const some = Array.from({ length: 10 }, () => index++);
    const results = await Promise.allSettled(some.map((number) => inbox.append(envelope(payload(number)))));
    results.forEach((result, at) => {
      if (result.status === "fulfilled") taken.set(result.value, some[at] ?? 0);
      else assert.equal(result.reason.code, "disk-full", String(result.reason));
    });
    if (results.some(({ status }) => status === "rejected")) return taken;
  }
  assert.fail(`${most} entries were taken without end`);
}

/** After the inbox refused: all it took is there, can be settled, and then it takes again. */
async function goesOn(inbox: DurableInbox, taken: Map<string, number>, makeRoom: () => void): Promise<void> {
  assert.equal(inbox.stats().health.state, "disk-full");
  await assert.rejects(inbox.append(envelope(payload(0))), { code: "disk-full" });
  const seen = new Set<number>();
  inbox.attach(({ entryId, bytes }) => {
    const index = taken.get(entryId);
    if (index === undefined || !bytes.equals(payload(index))) return;
    seen.add(index);
    inbox.settle(entryId, { kind: "stored" });
  });
  while (seen.size < taken.size) await sleep(5);
  makeRoom();
  while (inbox.stats().health.state !== "open") await sleep(20);
  for (let tries = 0; ; tries += 1) {
    try {
      await inbox.append(envelope(payload(7)));
      break;
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(50);
    }
  }
  assertBalanced(inbox.stats());
}

describe("inbox: a full disk", function () {
  this.timeout(120_000);
  after(closeInboxes);

  it("that is really full: takes nothing more, loses nothing, settles, goes on", async function () {
    const mount = freshDirectory("tmpfs");
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", mount], { stdio: "ignore" });
    } catch {
      rmSync(mount, { recursive: true });
      this.skip(); // only an administrator may
    }
    try {
      const news: InboxNews[] = [];
      const directory = path.join(mount, "inbox");
      const inbox = await openInbox({ directory, reserveBytes: 8 * 1024 * 1024, onNews: (one) => news.push(one) });
      const taken = await fill(inbox, 4000);
      assert.ok(taken.size > 500, `${taken.size} fitted`);
      await goesOn(inbox, taken, () => undefined);
      assert.ok(news.some(({ level, text }) => level === "error" && /takes nothing/.test(text)));
      assert.ok(news.some(({ level, text }) => level === "info" && /takes entries again/.test(text)));
      await inbox.close();
      const again = await openInbox({ directory, reserveBytes: 0 });
      assert.deepEqual([again.stats().stored, again.stats().waiting], [taken.size, 1]);
      await again.close();
    } finally {
      await closeInboxes();
      execFileSync("umount", [mount]);
      rmSync(mount, { recursive: true, force: true });
    }
  });

  it("by a bound of the database: takes nothing more, loses nothing, goes on", async () => {
    const inbox = await openInbox({ maxPages: 200 });
    const taken = await fill(inbox, 1000);
    assert.ok(taken.size > 10);
    await goesOn(inbox, taken, () => undefined);
  });

  it("by a bound of the database, filled by a guest of its thread: takes nothing more on either way, and goes on", async () => {
    const inbox = await openInbox({ maxPages: 200 });
    const gate = await openGate(inbox);
    const taken = await fill(gate, 1000);
    assert.ok(taken.size > 10);
    while (inbox.stats().health.state !== "disk-full") await sleep(5);
    await assert.rejects(gate.append(envelope(payload(0))), { code: "disk-full" });
    await goesOn(inbox, taken, () => undefined);
    await gate.append(envelope(payload(8)));
    gate.close();
  });

  it("leaves the disk the space it is told to, and goes on when there is more", async () => {
    const inbox = await openInbox();
    const taken = new Map([[await inbox.append(envelope(payload(3))), 3]]);
    inbox.configure({ minFreeBytes: 2 ** 52 });
    await goesOn(inbox, taken, () => inbox.configure({ minFreeBytes: 0 }));
  });
});
