import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { assertBalanced, closeInboxes, freshDirectory, openInbox } from "../../test/support/inbox.ts";
import type { Envelope, InboxEntry, QuarantineRecord } from "../sample/inbox.ts";
import type { Transport } from "../sample/units.ts";
import { DeferredInbox } from "./deferred-inbox.ts";
import { DurableInbox, type InboxNews } from "./durable-inbox.ts";

function envelope(bytes: Buffer | string, transport: Transport = "websocket", more: Partial<Envelope> = {}): Envelope {
  return {
    transport,
    receivedAt: "2026-01-01T00:00:00.000Z",
    siteId: "s",
    defaultLineId: "l",
    bytes: Buffer.from(bytes),
    ...more,
  };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const STORED = { kind: "stored" } as const;

/** Collects what the inbox emits. */
function reader(inbox: DurableInbox) {
  const entries: InboxEntry[] = [];
  const records: { entryId: string; record: QuarantineRecord }[] = [];
  const { detach } = inbox.attach(
    (entry) => entries.push(entry),
    (entryId, record) => records.push({ entryId, record }),
  );
  return { entries, records, detach, texts: () => entries.map(({ bytes }) => bytes.toString()) };
}

describe("inbox/durable-inbox", function () {
  this.timeout(60_000);
  after(closeInboxes);

  it("emits in order with contiguous ids, keeps its own copy, settles once", async () => {
    const inbox = await openInbox();
    const seen = reader(inbox);
    const bytes = Buffer.from("abc");
    const appending = inbox.append({ ...envelope(""), bytes });
    bytes.fill(0);
    const first = await appending;
    const second = await inbox.append(envelope("d", "mqtt", { provenDeviceId: "dev-1", lineId: "x" }));
    assert.equal(Number(second), Number(first) + 1);
    await until(() => seen.entries.length === 2);
    assert.deepEqual(seen.entries[1], {
      ...envelope("d", "mqtt", { provenDeviceId: "dev-1", lineId: "x" }),
      entryId: second,
      attempts: 0,
    });
    assert.deepEqual(seen.texts(), ["abc", "d"]);
    inbox.identify(first, "dev-2");
    inbox.settle(first, { kind: "quarantined", reason: "not-json" });
    inbox.settle(first, STORED);
    inbox.settle("nonsense", STORED);
    inbox.settle(`${second}.0`, STORED);
    const stats = inbox.stats();
    assert.deepEqual([stats.stored, stats.quarantined, stats.waiting, stats.waitingBytes], [0, 1, 1, 1]);
    assert.deepEqual(stats.quarantinedBy, { "not-json": 1 });
    assert.equal(stats.byTransport.mqtt.waiting, 1);
    assert.equal(stats.byDevice["dev-1"]?.waiting, 1);
    assert.equal(stats.byDevice["dev-2"]?.quarantined, 1);
    assert.equal(stats.byDevice[""]?.received, 0);
    assertBalanced(stats);
  });

  it("lets timers and sockets have their turn between the emissions of slow flows", async () => {
    const inbox = await openInbox();
    await Promise.all(Array.from({ length: 60 }, (_, n) => inbox.append(envelope(String(n)))));
    let turn = 0;
    const count = () => {
      turn += 1;
      if (turn > 0) setImmediate(count);
    };
    setImmediate(count);
    const perTurn = new Map<number, number>();
    inbox.attach(({ entryId }) => {
      const endMs = performance.now() + 10;
      while (performance.now() < endMs);
      perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
      inbox.settle(entryId, STORED);
    });
    await until(() => inbox.stats().stored === 60);
    turn = Number.NEGATIVE_INFINITY;
    const emissions = [...perTurn.values()];
    assert.ok(Math.max(...emissions) <= 16);
    assert.deepEqual(emissions.slice(-20), new Array(20).fill(1));
  });

  it("has its directory to itself", async () => {
    const directory = freshDirectory();
    await openInbox({ directory });
    await assert.rejects(DurableInbox.open({ directory }), { code: "inbox-in-use" });
  });

  it("keeps entries and accounts through a stop in order, where ids go on", async () => {
    const directory = freshDirectory();
    const first = await openInbox({ directory });
    const seen = reader(first);
    const ids = await Promise.all(["a", "b", "c"].map((text) => first.append(envelope(text))));
    await until(() => seen.entries.length === 3);
    first.settle(ids[1] ?? "", { kind: "discarded", reason: "stale" });
    first.refuse("serial", "noise");
    await first.close();
    await assert.rejects(first.append(envelope("x")), { code: "inbox-closed" });
    const second = await openInbox({ directory });
    const again = reader(second);
    await until(() => again.entries.length === 2);
    assert.deepEqual(
      again.entries.map(({ entryId, bytes, attempts, receivedAt }) => [
        entryId,
        bytes.toString(),
        attempts,
        receivedAt,
      ]),
      [
        [ids[0], "a", 1, "2026-01-01T00:00:00.000Z"],
        [ids[2], "c", 1, "2026-01-01T00:00:00.000Z"],
      ],
    );
    const stats = second.stats();
    assert.deepEqual([stats.received, stats.discarded, stats.waiting], [3, 1, 2]);
    assert.deepEqual([stats.discardedBy, stats.refused], [{ stale: 1 }, { noise: 1 }]);
    assert.deepEqual(stats.health, { state: "open", damagedEntries: 0, repairs: [] });
    assertBalanced(stats);
    assert.equal(await second.append(envelope("d")), String(Number(ids[2]) + 1));
  });

  it("gives each id once, though the store was cut off or is gone", async () => {
    const directory = freshDirectory();
    const first = await openInbox({ directory });
    const id = await first.append(envelope("a"));
    await first.abandon();
    const { rmSync } = await import("node:fs");
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path.join(directory, `entries.sqlite${suffix}`), { force: true });
    const second = await openInbox({ directory });
    assert.match(second.stats().health.repairs.join(), /gone/);
    assert.ok(Number(await second.append(envelope("b"))) > Number(id));
  });

  it("puts many appends into few transactions", async () => {
    const inbox = await openInbox();
    const before = inbox.stats().store?.commits ?? 0;
    const ids = await Promise.all(Array.from({ length: 200 }, (_, index) => inbox.append(envelope(`${index}`))));
    assert.deepEqual(
      ids,
      ids.map((_, index) => String(Number(ids[0]) + index)),
    );
    const { store } = inbox.stats();
    assert.equal(store?.appends, 200);
    assert.ok((store?.commits ?? 0) - before < 20, `${store?.commits} transactions`);
  });

  it("refuses beyond its bounds, says so once, and takes again when there is room", async () => {
    const news: InboxNews[] = [];
    const inbox = await openInbox({
      limits: { maxBytes: 10, maxEntryBytes: 8, maxEntries: 3 },
      onNews: (one) => news.push(one),
    });
    reader(inbox);
    await assert.rejects(inbox.append(envelope("123456789")), { code: "oversize" });
    const first = await inbox.append(envelope("12345678"));
    const pending = inbox.append(envelope("12"));
    await assert.rejects(inbox.append(envelope("3")), { code: "inbox-full" });
    await assert.rejects(inbox.append(envelope("3")), { code: "inbox-full" });
    assert.equal(inbox.stats().health.state, "full");
    const second = await pending;
    await until(() => inbox.stats().emitted === 2);
    inbox.settle(first, STORED);
    inbox.settle(second, STORED);
    assert.equal(inbox.stats().health.state, "open");
    for (let count = 0; count < 3; count += 1) await inbox.append(envelope("1"));
    await assert.rejects(inbox.append(envelope("1")), { code: "inbox-full" });
    assert.deepEqual(
      news.map(({ level }) => level),
      ["error", "info", "error"],
    );
  });

  it("holds back beyond maxInFlight, and reads back what it did not keep in memory", async () => {
    const inbox = await openInbox({ limits: { maxInFlight: 50 } });
    const texts = Array.from({ length: 160 }, (_, index) => `${index}:${"x".repeat(200_000)}`);
    for (const text of texts) await inbox.append(envelope(text));
    const seen = reader(inbox);
    await until(() => seen.entries.length === 50);
    assert.equal(inbox.stats().emitted, 50);
    for (let next = 0; next < texts.length; next += 1) {
      await until(() => seen.entries.length > next);
      inbox.settle(seen.entries[next]?.entryId ?? "", STORED);
    }
    assert.deepEqual(seen.texts(), texts);
    assert.equal(await inbox.drain(1000), 0);
  });

  it("takes entries and gives none while it is held, and then all in order", async () => {
    const inbox = await openInbox();
    const goOn = inbox.hold();
    const seen = reader(inbox);
    const ids = await Promise.all(["a", "b", "c"].map((text) => inbox.append(envelope(text))));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(seen.texts(), []);
    assert.equal(inbox.stats().waiting, 3);
    goOn();
    await until(() => seen.entries.length === 3);
    assert.deepEqual(
      seen.entries.map(({ entryId }) => entryId),
      ids,
    );
  });

  it("takes one reader at a time, emits again to the next in order what nobody claimed", async () => {
    const inbox = await openInbox();
    const first = reader(inbox);
    assert.throws(() => inbox.attach(() => undefined), { code: "inbox-busy" });
    for (const text of ["a", "b", "c", "d"]) await inbox.append(envelope(text));
    await until(() => first.entries.length === 4);
    const [a = "", b = "", c = "", d = ""] = first.entries.map(({ entryId }) => entryId);
    assert.ok(inbox.claim(b, "writer"));
    assert.ok(!inbox.claim(b, "writer"), "it has it already");
    assert.ok(inbox.claim(b, "other writer"));
    assert.ok(inbox.claim(d, "product"));
    assert.ok(!inbox.claim("1", "writer"), "unknown");
    assert.deepEqual([inbox.stats().emitted, inbox.stats().claimed], [2, 2]);
    first.detach();
    inbox.release(d, "product");
    const second = reader(inbox);
    await until(() => second.entries.length === 3);
    assert.deepEqual(
      second.entries.map(({ entryId, attempts }) => [entryId, attempts]),
      [
        [a, 1],
        [c, 1],
        [d, 1],
      ],
    );
    inbox.release(b, "writer");
    assert.equal(inbox.stats().claimed, 1, "the other still has it");
    inbox.settle(a, STORED);
    assert.ok(!inbox.claim(a, "writer"), "settled");
    inbox.release(b, "other writer");
    await until(() => second.entries.length === 4);
    assert.equal(second.entries[3]?.entryId, b);
  });

  it("emits an entry nobody claims in time again, three times, then gives it to quarantine", async () => {
    const news: InboxNews[] = [];
    const inbox = await openInbox({ limits: { claimWithinMs: 40 }, onNews: (one) => news.push(one) });
    const seen = reader(inbox);
    const id = await inbox.append(envelope("lost", "mqtt", { provenDeviceId: "dev", lineId: "line-7" }));
    const held = await inbox.append(envelope("held"));
    await until(() => seen.entries.length >= 2);
    assert.ok(inbox.claim(held, "product"));
    await until(() => seen.records.length === 1);
    assert.deepEqual(
      seen.entries.filter(({ entryId }) => entryId === id).map(({ attempts }) => attempts),
      [0, 1, 2],
    );
    const [{ entryId, record } = assert.fail()] = seen.records;
    assert.equal(entryId, id);
    assert.deepEqual(
      [record.reason, record.deviceId, record.transport, record.bytes.toString()],
      ["lost-in-flow", "dev", "mqtt", "lost"],
    );
    assert.deepEqual([record.lineId, record.provenDeviceId], ["line-7", "dev"], "a retry sends it in as it came");
    inbox.settle(id, { kind: "quarantined", reason: "lost-in-flow" });
    inbox.settle(id, STORED);
    assert.deepEqual([inbox.stats().quarantined, inbox.stats().stored], [1, 0]);
    assert.equal(seen.entries.filter((entry) => entry.entryId === held).length, 1, "what is claimed has no time-out");
    inbox.handOn(held, "product");
    await until(() => seen.entries.filter((entry) => entry.entryId === held).length === 2);
    assert.match(news.map(({ text }) => text).join(), /lost in the flow/);
  });

  it("counts crashes of what was in flight, and gives it to quarantine after three", async () => {
    const directory = freshDirectory();
    const limits = { maxInFlight: 1 };
    let inbox = await openInbox({ directory, limits });
    const ids: string[] = [];
    for (const text of ["poison", "b", "c", "d"]) ids.push(await inbox.append(envelope(text)));
    for (let crash = 0; crash < 3; crash += 1) {
      const seen = reader(inbox);
      await until(() => seen.entries.length === 1);
      assert.deepEqual([seen.entries[0]?.entryId, seen.entries[0]?.attempts], [ids[0], crash]);
      await inbox.abandon();
      inbox = await openInbox({ directory, limits });
    }
    const seen = reader(inbox);
    await until(() => seen.records.length === 1);
    assert.equal(seen.records[0]?.record.reason, "crashed-three-times");
    inbox.settle(ids[0] ?? "", { kind: "quarantined", reason: "crashed-three-times" });
    // Two may be in flight before the next transaction says so; what is behind them was in no crash.
    await until(() => seen.records.length + seen.entries.length === 2);
    for (const { entryId } of [...seen.records.slice(1), ...seen.entries]) inbox.settle(entryId, STORED);
    await until(() => seen.entries.length > 0);
    assert.ok(seen.entries.every(({ attempts }) => attempts === 0));
    assertBalanced(inbox.stats());
  });

  it("goes on by itself when its thread dies, and loses nothing acknowledged", async () => {
    const inbox = await openInbox();
    const seen = reader(inbox);
    await inbox.append(envelope("a"));
    await until(() => seen.entries.length === 1);
    inbox.settle(seen.entries[0]?.entryId ?? "", STORED);
    inbox.breakStore();
    const taken: string[] = [];
    for (let index = 0; taken.length < 5; index += 1) {
      await inbox.append(envelope(`${index}`)).then(
        () => taken.push(`${index}`),
        () => new Promise((resolve) => setTimeout(resolve, 10)),
      );
    }
    await until(() => seen.entries.length >= 6);
    for (const text of taken) assert.ok(seen.texts().includes(text));
    const stats = inbox.stats();
    assert.deepEqual([stats.stored, stats.health.state], [1, "open"]);
    assertBalanced(stats);
  });

  it("says why it cannot open, and leaves everything as it is", async () => {
    const directory = freshDirectory();
    const file = path.join(directory, "entries.sqlite");
    const { DatabaseSync } = await import("node:sqlite");
    const later = new DatabaseSync(file);
    later.exec("CREATE TABLE entry (id); PRAGMA user_version = 99");
    later.close();
    await assert.rejects(DurableInbox.open({ directory }), { code: "store-version" });
    assert.ok(existsSync(file));
  });

  it("folds what is not a reason code into other, and stays bounded", async () => {
    const inbox = await openInbox();
    for (const reason of ["__proto__", "", "constructor", "A B", "x".repeat(41)]) inbox.refuse("mqtt", reason);
    for (let count = 0; count < 200; count += 1) inbox.refuse("mqtt", `r-${count}`);
    const { refused } = inbox.stats().byTransport.mqtt;
    assert.equal(refused.constructor, 1);
    assert.ok(Object.keys(refused).length <= 65);
    assert.equal(
      Object.values(refused).reduce((a, b) => a + b, 0),
      205,
    );
  });

  it("has accounts for a bounded number of devices", async () => {
    const inbox = await openInbox();
    const envelopes = Array.from({ length: 1100 }, (_, index) =>
      envelope("x", "mqtt", { provenDeviceId: `d${index}` }),
    );
    for (const one of envelopes) await inbox.append(one);
    const { byDevice } = inbox.stats();
    assert.ok(Object.keys(byDevice).length <= 1002);
    assert.ok((byDevice.other?.received ?? 0) >= 100);
    assertBalanced(inbox.stats());
  });
});

describe("inbox/deferred-inbox", () => {
  after(closeInboxes);

  it("holds appends, the consumer and refusals until the inbox is open", async () => {
    let open: (inbox: DurableInbox) => void = () => assert.fail("not set");
    const opening = new Promise<DurableInbox>((resolve) => {
      open = resolve;
    });
    const inbox = new DeferredInbox(opening);
    const seen: string[] = [];
    inbox.attach((entry) => seen.push(entry.bytes.toString()));
    inbox.refuse("serial", "noise");
    const append = inbox.append(envelope("x"));
    assert.equal(inbox.stats().refused.noise, 1);
    const real = await openInbox();
    open(real);
    await append;
    await until(() => seen.length > 0);
    assert.deepEqual(seen, ["x"]);
    assert.equal(real.stats().byTransport.serial.refused.noise, 1);
    assert.throws(() => inbox.attach(() => undefined), { code: "inbox-busy" });
  });

  it("rejects appends with the reason the inbox did not open", async () => {
    const inbox = new DeferredInbox(Promise.reject(new Error("disk")));
    await assert.rejects(inbox.append(envelope("x")), /disk/);
  });
});
