import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { assertBalanced, closeInboxes, freshDirectory, openInbox } from "../../test/support/inbox.ts";
import type { Envelope, InboxEntry, QuarantineRecord } from "../sample/inbox.ts";

const FILES = ["entries.sqlite", "entries.sqlite-wal"] as const;

/** Entries of many sizes, some settled, a part of them moved from the journal to the database. */
async function someStore(): Promise<{ directory: string; appended: Map<string, Envelope>; settled: Set<string> }> {
  const directory = freshDirectory("damage");
  const appended = new Map<string, Envelope>();
  const settled = new Set<string>();
  for (const run of [0, 1]) {
    const inbox = await openInbox({ directory });
    const seen: string[] = [];
    inbox.attach(({ entryId }) => seen.push(entryId));
    for (let index = 0; index < 40; index += 1) {
      const envelope: Envelope = {
        transport: index % 2 ? "mqtt" : "serial",
        receivedAt: new Date(index * 1000).toISOString(),
        siteId: "plant",
        defaultLineId: "belt",
        ...(index % 3 === 0 && { provenDeviceId: `dev-${index % 5}` }),
        bytes: Buffer.from(`${run}-${index} `.repeat(1 + ((index * 97) % 700))),
      };
      appended.set(await inbox.append(envelope), envelope);
    }
    while (seen.length < appended.size - settled.size) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const [index, id] of [...appended.keys()].entries())
      if (index % 7 === 0 && !settled.has(id)) {
        inbox.settle(id, { kind: "stored" });
        settled.add(id);
      }
    // The first run ends in order, so that its entries are in the database; the second one's are in the journal.
    if (run === 0) await inbox.close();
    else {
      while ((inbox.stats().store?.journalBytes ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const copy = freshDirectory("damage");
      for (const name of [...FILES, "ids.json"]) cpSync(path.join(directory, name), path.join(copy, name));
      await inbox.abandon();
      rmSync(directory, { recursive: true, force: true });
      return { directory: copy, appended, settled };
    }
  }
  throw new Error("not reached");
}

describe("inbox: damage", () => {
  let store: Awaited<ReturnType<typeof someStore>>;
  before(async function () {
    this.timeout(60_000);
    store = await someStore();
  });
  after(async () => {
    await closeInboxes();
    rmSync(store.directory, { recursive: true, force: true });
  });

  /** Opens a copy with this damage, and compares all it emits with what was appended. */
  async function withDamage(damage: (file: (name: string) => string) => void) {
    const directory = freshDirectory("damage");
    cpSync(store.directory, directory, { recursive: true });
    damage((name) => path.join(directory, name));
    const inbox = await openInbox({ directory });
    const emitted = new Map<string, InboxEntry | QuarantineRecord>();
    inbox.attach(
      (entry) => emitted.set(entry.entryId, entry),
      (entryId, record) => emitted.set(entryId, record),
    );
    while (emitted.size < inbox.stats().waiting) await new Promise((resolve) => setTimeout(resolve, 2));
    for (const [id, entry] of emitted) {
      const original = store.appended.get(id);
      assert.ok(original, `entry ${id} was never appended`);
      assert.ok(entry.bytes.equals(original.bytes), `the bytes of ${id}`);
      assert.deepEqual([entry.transport, entry.receivedAt], [original.transport, original.receivedAt]);
    }
    const ascending = [...emitted.keys()].map(Number);
    assert.deepEqual(
      ascending,
      [...ascending].sort((a, b) => a - b),
    );
    const stats = inbox.stats();
    assertBalanced(stats);
    const [any = assert.fail()] = store.appended.values();
    const id = await inbox.append({ ...any, bytes: Buffer.from("next") });
    assert.ok(!store.appended.has(id), "no id is used again");
    await inbox.close();
    const names = readdirSync(directory);
    rmSync(directory, { recursive: true, force: true });
    return { stats, emitted, names };
  }

  it("finds everything in an undamaged copy", async () => {
    const { stats, emitted } = await withDamage(() => undefined);
    assert.equal(stats.health.damagedEntries, 0);
    // The last settlements may not have been on the disk.
    for (const id of store.appended.keys()) assert.ok(emitted.has(id) || store.settled.has(id));
  });

  it("opens whatever its bytes became, reports, and never makes up an entry", async function () {
    this.timeout(300_000);
    const runs = process.env.FOIEFLOW_LONG === "1" ? 500 : 30;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FILES),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        fc.boolean(),
        async (name, place, bytes, cut) => {
          await withDamage((file) => {
            const { size } = statSync(file(name));
            const at = Math.floor(place * size);
            if (cut) truncateSync(file(name), at);
            else {
              const content = readFileSync(file(name));
              content.set(bytes.subarray(0, size - at), at);
              writeFileSync(file(name), content);
            }
          });
        },
      ),
      { numRuns: runs },
    );
  });

  it("keeps what is no database, begins a new one and says so", async () => {
    const { stats, emitted, names } = await withDamage((file) => {
      for (const name of FILES) writeFileSync(file(name), Buffer.alloc(5000, 0x41));
    });
    assert.equal(emitted.size, 0);
    assert.match(stats.health.repairs.join(), /damaged.*could not be read/s);
    assert.ok(names.some((name) => /^damaged-\d/.test(name)));
  });

  it("puts an entry aside whose bytes are not what was written, and goes on with the others", async () => {
    const { stats, emitted } = await withDamage((file) => {
      const content = readFileSync(file("entries.sqlite"));
      const at = content.indexOf("0-13 0-13 0-13");
      assert.ok(at > 0);
      content.write("0-14", at);
      writeFileSync(file("entries.sqlite"), content);
    });
    assert.equal(stats.health.damagedEntries, 1);
    assert.equal(stats.discardedBy["damaged-entry"], 1);
    assert.ok(emitted.size > 60);
  });

  it("needs neither the shared-memory file nor the file of ids", async () => {
    const { emitted } = await withDamage((file) => {
      writeFileSync(file("entries.sqlite-shm"), Buffer.alloc(32_768, 0xff));
      rmSync(file("ids.json"));
      assert.ok(!existsSync(file("ids.json")));
    });
    for (const id of store.appended.keys()) assert.ok(emitted.has(id) || store.settled.has(id));
  });
});
