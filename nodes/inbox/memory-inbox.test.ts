import assert from "node:assert/strict";
import fc from "fast-check";
import type { Envelope, InboxEntry, Outcome } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import { DeferredInbox } from "./deferred-inbox.ts";
import { MemoryInbox } from "./memory-inbox.ts";

function envelope(bytes: Buffer | string, transport: Transport = "websocket"): Envelope {
  return {
    transport,
    receivedAt: "2026-01-01T00:00:00.000Z",
    siteId: "s",
    defaultLineId: "l",
    bytes: Buffer.from(bytes),
  };
}

/** Lets every emission that is due happen. */
async function settleDown(turns = 8): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function assertBalanced(inbox: MemoryInbox): void {
  const stats = inbox.stats();
  for (const part of [stats, ...TRANSPORTS.map((transport) => stats.byTransport[transport])]) {
    assert.equal(part.received, part.stored + part.duplicate + part.quarantined + part.discarded + part.waiting);
    assert.equal(
      part.quarantined,
      Object.values(part.quarantinedBy).reduce((a, b) => a + b, 0),
    );
  }
}

describe("inbox/memory-inbox", () => {
  it("emits in order with contiguous ids, keeps its own copy, settles once", async () => {
    const inbox = new MemoryInbox({}, 7);
    const bytes = Buffer.from("abc");
    const seen: InboxEntry[] = [];
    inbox.attach((entry) => seen.push(entry));
    assert.equal(await inbox.append({ ...envelope(""), bytes }), "7");
    bytes.fill(0);
    assert.equal(await inbox.append(envelope("d", "mqtt")), "8");
    await settleDown();
    assert.deepEqual(
      seen.map((entry) => [entry.entryId, entry.bytes.toString(), entry.attempts]),
      [
        ["7", "abc", 0],
        ["8", "d", 0],
      ],
    );
    inbox.settle("7", { kind: "quarantined", reason: "not-json" });
    inbox.settle("7", { kind: "stored" });
    inbox.settle("nonsense", { kind: "stored" });
    inbox.settle("8.0", { kind: "stored" });
    const stats = inbox.stats();
    assert.deepEqual([stats.stored, stats.quarantined, stats.waiting, stats.waitingBytes], [0, 1, 1, 1]);
    assert.deepEqual(stats.quarantinedBy, { "not-json": 1 });
    assert.equal(stats.byTransport.mqtt.waiting, 1);
  });

  it("refuses beyond its bounds and takes again when there is room", async () => {
    const inbox = new MemoryInbox({ maxBytes: 10, maxEntryBytes: 8, maxEntries: 3 });
    inbox.attach(() => undefined);
    await assert.rejects(inbox.append(envelope("123456789")), { code: "oversize" });
    const first = await inbox.append(envelope("12345678"));
    await assert.rejects(inbox.append(envelope("123")), { code: "inbox-full" });
    await settleDown();
    inbox.settle(first, { kind: "stored" });
    for (let count = 0; count < 3; count += 1) await inbox.append(envelope("1"));
    await assert.rejects(inbox.append(envelope("1")), { code: "inbox-full" });
    inbox.close();
    await assert.rejects(inbox.append(envelope("1")), { code: "inbox-closed" });
  });

  it("holds back beyond maxInFlight and emits at most 100 per turn", async () => {
    const inbox = new MemoryInbox({ maxInFlight: 150 });
    for (let count = 0; count < 300; count += 1) await inbox.append(envelope("x"));
    const seen: string[] = [];
    inbox.attach((entry) => seen.push(entry.entryId));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(seen.length, 100);
    await settleDown();
    assert.equal(seen.length, 150);
    inbox.settle(seen[3] ?? "", { kind: "stored" });
    await settleDown();
    assert.equal(seen.length, 151);
  });

  it("takes one consumer at a time and drains", async () => {
    const inbox = new MemoryInbox();
    const { detach } = inbox.attach((entry) => setImmediate(() => inbox.settle(entry.entryId, { kind: "stored" })));
    assert.throws(() => inbox.attach(() => undefined), { code: "inbox-busy" });
    assert.equal(await inbox.drain(1000), 0);
    await inbox.append(envelope("x"));
    assert.equal(await inbox.drain(1000), 0);
    detach();
    detach();
    await inbox.append(envelope("y"));
    assert.equal(await inbox.drain(5), 1);
  });

  it("folds what is not a reason code into other, and stays bounded", () => {
    const inbox = new MemoryInbox();
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

  it("behaves like a list, whatever the order of appends, settlements and deploys", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 60, size: "max" }), async (commands) => {
        await fc.asyncModelRun(() => {
          const model: Model = { held: [], bytes: 0, attached: false, finished: new Map(), next: 100, appended: 0 };
          return { model, real: new Real() };
        }, commands);
      }),
      { numRuns: 100 },
    );
  });
});

describe("inbox/deferred-inbox", () => {
  it("holds appends, the consumer and refusals until the inbox is open", async () => {
    let open: (inbox: MemoryInbox) => void = () => assert.fail("not set");
    const opening = new Promise<MemoryInbox>((resolve) => {
      open = resolve;
    });
    const inbox = new DeferredInbox(opening);
    const seen: string[] = [];
    inbox.attach((entry) => seen.push(entry.bytes.toString()));
    inbox.refuse("serial", "noise");
    const append = inbox.append(envelope("x"));
    assert.equal(inbox.stats().refused.noise, 1);
    const real = new MemoryInbox();
    open(real);
    await append;
    await settleDown();
    assert.deepEqual(seen, ["x"]);
    assert.equal(real.stats().byTransport.serial.refused.noise, 1);
    assert.throws(() => inbox.attach(() => undefined), { code: "inbox-busy" });
  });

  it("rejects appends with the reason the inbox did not open", async () => {
    const inbox = new DeferredInbox(Promise.reject(new Error("disk")));
    await assert.rejects(inbox.append(envelope("x")), /disk/);
  });
});

const LIMITS = { maxBytes: 40, maxEntries: 6, maxEntryBytes: 20, maxInFlight: 3 };

interface ModelEntry {
  id: number;
  size: number;
  emitted: number;
  inFlight: boolean;
}

interface Model {
  held: ModelEntry[];
  bytes: number;
  attached: boolean;
  finished: Map<string, number>;
  next: number;
  appended: number;
}

class Real {
  inbox = new MemoryInbox(LIMITS, 100);
  emitted: InboxEntry[] = [];
  consumer: { detach(): void } | undefined;
}

/** What the real inbox must have emitted since the last look: the model's next entries, in order, up to the bound. */
async function expectEmissions(model: Model, real: Real): Promise<void> {
  await settleDown(3);
  const expected: [string, number][] = [];
  if (model.attached) {
    for (const entry of model.held) {
      if (model.held.filter((other) => other.inFlight).length >= LIMITS.maxInFlight) break;
      if (entry.inFlight) continue;
      entry.inFlight = true;
      expected.push([String(entry.id), entry.emitted]);
      entry.emitted += 1;
    }
  }
  assert.deepEqual(
    real.emitted.splice(0).map((entry) => [entry.entryId, entry.attempts]),
    expected,
  );
  const stats = real.inbox.stats();
  assert.equal(stats.received, model.appended);
  assert.equal(stats.waiting, model.held.length);
  assert.equal(stats.waitingBytes, model.bytes);
  for (const kind of ["stored", "duplicate", "quarantined", "discarded"] as const) {
    assert.equal(stats[kind], model.finished.get(kind) ?? 0);
  }
  assertBalanced(real.inbox);
}

const always = () => true;
const append = (size: number, transport: Transport) => ({
  check: always,
  async run(model: Model, real: Real) {
    const attempt = real.inbox.append(envelope(Buffer.alloc(size), transport));
    if (size > LIMITS.maxEntryBytes) {
      await assert.rejects(attempt, { code: "oversize" });
    } else if (model.held.length >= LIMITS.maxEntries || model.bytes + size > LIMITS.maxBytes) {
      await assert.rejects(attempt, { code: "inbox-full" });
    } else {
      assert.equal(await attempt, String(model.next));
      model.held.push({ id: model.next++, size, emitted: 0, inFlight: false });
      model.bytes += size;
      model.appended += 1;
    }
    await expectEmissions(model, real);
  },
  toString: () => `append(${size})`,
});
const settle = (offset: number, outcome: Outcome) => ({
  check: always,
  async run(model: Model, real: Real) {
    const id = 100 + offset;
    const index = model.held.findIndex((entry) => entry.id === id && entry.emitted > 0);
    const [entry] = index >= 0 ? model.held.splice(index, 1) : [];
    if (entry) {
      model.bytes -= entry.size;
      model.finished.set(outcome.kind, (model.finished.get(outcome.kind) ?? 0) + 1);
    }
    real.inbox.settle(String(id), outcome);
    await expectEmissions(model, real);
  },
  toString: () => `settle(${100 + offset}, ${outcome.kind})`,
});
const deploy = () => ({
  check: always,
  async run(model: Model, real: Real) {
    real.consumer?.detach();
    real.consumer = real.inbox.attach((entry) => real.emitted.push(entry));
    model.attached = true;
    for (const entry of model.held) entry.inFlight = false;
    await expectEmissions(model, real);
  },
  toString: () => "deploy()",
});
const detach = () => ({
  check: (model: Readonly<Model>) => model.attached,
  async run(model: Model, real: Real) {
    real.consumer?.detach();
    model.attached = false;
    await expectEmissions(model, real);
  },
  toString: () => "detach()",
});

const OUTCOMES: Outcome[] = [
  { kind: "stored" },
  { kind: "duplicate" },
  { kind: "quarantined", reason: "not-json" },
  { kind: "discarded", reason: "stale" },
];
const COMMANDS = [
  fc.tuple(fc.nat(24), fc.constantFrom(...TRANSPORTS)).map(([size, transport]) => append(size, transport)),
  fc.tuple(fc.nat(30), fc.constantFrom(...OUTCOMES)).map(([offset, outcome]) => settle(offset, outcome)),
  fc.constant(null).map(deploy),
  fc.constant(null).map(detach),
];
