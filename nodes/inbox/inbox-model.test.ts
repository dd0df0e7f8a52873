import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { type GateWay, openGate } from "../../test/support/gate.ts";
import { assertBalanced, freshDirectory, openInbox } from "../../test/support/inbox.ts";
import { codeOf } from "../host/errors.ts";
import type { Envelope, Outcome } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import type { DurableInbox } from "./durable-inbox.ts";

const LIMITS = { maxBytes: 400, maxEntries: 12, maxEntryBytes: 100, maxInFlight: 3 };
const OUTCOMES: Outcome[] = [
  { kind: "stored" },
  { kind: "duplicate" },
  { kind: "quarantined", reason: "not-json" },
  { kind: "discarded", reason: "stale" },
];

interface Entry {
  id: number;
  text: string;
  transport: Transport;
  /** fresh: never emitted in this run; again: to be emitted again; flying: emitted, not settled. */
  state: "fresh" | "again" | "flying";
  owners: Set<string>;
  /** Emissions since it was appended that this run or a stop in order remembers. */
  emissions: number;
}

/** The list the inbox is compared with: entries not settled, ascending. */
interface Model {
  held: Entry[];
  attached: boolean;
  received: number;
  settled: number;
  /** Settled, but perhaps not on the disk yet. */
  recent: Entry[];
}

class Real {
  directory = freshDirectory("model");
  inbox!: DurableInbox;
  gate!: GateWay;
  emitted: { id: number; text: string; transport: Transport; attempts: number }[] = [];
  consumer: { detach(): void } | undefined;

  async open(): Promise<void> {
    this.inbox = await openInbox({ directory: this.directory, limits: LIMITS });
    this.gate = await openGate(this.inbox);
  }

  attach(): void {
    this.consumer = this.inbox.attach(
      ({ entryId, bytes, transport, attempts }) =>
        this.emitted.push({ id: Number(entryId), text: bytes.toString(), transport, attempts }),
      // In flight in three crashes: it leaves as a record, at its place in the order; a record does not count its emissions.
      (entryId, { bytes, transport }) =>
        this.emitted.push({
          id: Number(entryId),
          text: bytes.toString(),
          transport,
          attempts: Number.POSITIVE_INFINITY,
        }),
    );
  }

  async close(): Promise<void> {
    await this.inbox.abandon();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Brings the model to where the inbox must come by itself, and waits until it has. */
async function agree(model: Model, real: Real): Promise<void> {
  const expected: Entry[] = [];
  const least = new Map<number, number>();
  for (;;) {
    const flying = model.held.filter(({ state }) => state === "flying").length;
    const waiting = (state: string) => model.held.find((entry) => entry.state === state);
    const next = waiting("again") ?? waiting("fresh");
    if (!model.attached || !next || flying >= LIMITS.maxInFlight) break;
    next.state = "flying";
    least.set(next.id, next.emissions);
    next.emissions += 1;
    expected.push(next);
  }
  while (real.emitted.length < expected.length) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const emitted = real.emitted.splice(0);
  assert.deepEqual(
    emitted.map(({ id, text, transport }) => [id, text, transport]),
    expected.map(({ id, text, transport }) => [id, text, transport]),
  );
  for (const { id, attempts } of emitted) assert.ok(attempts >= (least.get(id) ?? 0), `attempts of ${id}`);
  const stats = real.inbox.stats();
  assert.equal(stats.waiting, model.held.length);
  assert.equal(stats.received, model.received);
  assert.equal(stats.received - stats.waiting, model.settled);
  assert.equal(
    stats.waitingBytes,
    model.held.reduce((sum, { text }) => sum + text.length, 0),
  );
  assertBalanced(stats);
}

const entryAt = (model: Model, index: number) => model.held[index % Math.max(1, model.held.length)];

/**
 * By the thread of the store the entry is told to the inbox afterwards, and what was settled a moment ago still counts
 * there: with room in the model it must be taken soon.
 */
async function appendByGate(real: Real, envelope: Envelope, hasRoom: boolean): Promise<string> {
  const { received } = real.inbox.stats();
  for (;;) {
    try {
      const entryId = await real.gate.append(envelope);
      while (real.inbox.stats().received === received) await new Promise((resolve) => setTimeout(resolve, 1));
      return entryId;
    } catch (error) {
      if (!hasRoom || codeOf(error, "") !== "inbox-full") throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const append = (size: number, transport: Transport, way: "inbox" | "gate") => ({
  check: () => true,
  async run(model: Model, real: Real) {
    const text = `${model.received}${"x".repeat(size)}`;
    const stamp = { transport, receivedAt: "2026-01-01T00:00:00.000Z", siteId: "s", defaultLineId: "l" };
    const envelope = { ...stamp, bytes: Buffer.from(text) };
    const held = model.held.reduce((sum, entry) => sum + entry.text.length, 0);
    const hasRoom = model.held.length < LIMITS.maxEntries && held + text.length <= LIMITS.maxBytes;
    const attempt = way === "inbox" ? real.inbox.append(envelope) : appendByGate(real, envelope, hasRoom);
    if (!hasRoom) {
      await assert.rejects(attempt, { code: "inbox-full" });
    } else {
      const id = Number(await attempt);
      assert.ok(id > (model.held.at(-1)?.id ?? 0), "ids ascend");
      model.held.push({ id, text, transport, state: "fresh", owners: new Set(), emissions: 0 });
      model.received += 1;
    }
    await agree(model, real);
  },
  toString: () => `append(${size}, ${way})`,
});

/** Something done to an entry: settled, claimed, handed on, released. */
const act = (what: "settle" | "claim" | "handOn" | "release", index: number, owner: string, outcome: Outcome) => ({
  check: (model: Readonly<Model>) => model.held.length > 0,
  async run(model: Model, real: Real) {
    const entry = entryAt(model, index);
    if (!entry) return;
    const id = String(entry.id);
    const { owners } = entry;
    if (what === "settle") {
      real.inbox.settle(id, outcome);
      if (entry.state !== "fresh") {
        model.held = model.held.filter((other) => other !== entry);
        model.settled += 1;
        model.recent.push(entry);
      }
    } else if (what === "claim") {
      const may = entry.state !== "fresh" && !owners.has(owner);
      assert.equal(real.inbox.claim(id, owner), may);
      if (may) {
        owners.add(owner);
        entry.state = "flying";
      }
    } else if (what === "handOn") {
      real.inbox.handOn(id, owner);
      owners.delete(owner);
    } else {
      real.inbox.release(id, owner);
      if (owners.delete(owner) && owners.size === 0) entry.state = "again";
    }
    await agree(model, real);
  },
  toString: () => `${what}(${index}, ${owner}, ${outcome.kind})`,
});

const deploy = () => ({
  check: () => true,
  async run(model: Model, real: Real) {
    real.consumer?.detach();
    real.attach();
    model.attached = true;
    for (const entry of model.held) if (entry.state === "flying" && entry.owners.size === 0) entry.state = "again";
    await agree(model, real);
  },
  toString: () => "deploy()",
});

const detach = () => ({
  check: (model: Readonly<Model>) => model.attached,
  async run(model: Model, real: Real) {
    real.consumer?.detach();
    model.attached = false;
    await agree(model, real);
  },
  toString: () => "detach()",
});

/** The process ends: in order, killed (its thread ends in the middle), or with its files copied as they lie there. */
const end = (how: "stop" | "kill" | "copy") => ({
  check: () => true,
  async run(model: Model, real: Real) {
    if (how === "copy") {
      const copy = freshDirectory("model");
      for (const name of ["entries.sqlite", "entries.sqlite-wal", "ids.json"])
        cpSync(path.join(real.directory, name), path.join(copy, name));
      await real.close();
      real.directory = copy;
    } else if (how === "stop") {
      await real.inbox.close();
      model.recent = [];
    } else await real.inbox.abandon();
    // What was settled a moment ago may not be on the disk yet: it comes again. Nothing else may, and nothing is missing.
    const database = new DatabaseSync(path.join(real.directory, "entries.sqlite"));
    const ids = database
      .prepare("SELECT id FROM entry ORDER BY id")
      .all()
      .map(({ id }) => Number(id));
    database.close();
    const back = model.recent.filter(({ id }) => ids.includes(id));
    model.settled -= back.length;
    model.recent = [];
    model.held = [...model.held, ...back].sort((a, b) => a.id - b.id);
    assert.deepEqual(
      ids,
      model.held.map(({ id }) => id),
    );
    // A crash forgets how often this run emitted an entry, but not that it may have.
    for (const entry of model.held) {
      if (how !== "stop") entry.emissions = Math.min(1, entry.emissions);
      entry.state = "fresh";
      entry.owners = new Set();
    }
    model.attached = false;
    await real.open();
    assert.deepEqual(real.inbox.stats().health.repairs, []);
    await agree(model, real);
  },
  toString: () => `end(${how})`,
});

const APPENDS = fc
  .tuple(fc.nat(60), fc.constantFrom(...TRANSPORTS), fc.constantFrom("inbox" as const, "gate" as const))
  .map((args) => append(...args));

const COMMANDS = [
  APPENDS,
  APPENDS,
  fc
    .tuple(
      fc.constantFrom("settle" as const, "claim" as const, "handOn" as const, "release" as const),
      fc.nat(11),
      fc.constantFrom("writer", "product"),
      fc.constantFrom(...OUTCOMES),
    )
    .map((args) => act(...args)),
  fc.tuple(fc.nat(11), fc.constantFrom(...OUTCOMES)).map(([index, outcome]) => act("settle", index, "writer", outcome)),
  fc.constant(null).map(deploy),
  fc.constant(null).map(detach),
  fc.constantFrom("stop" as const, "kill" as const, "copy" as const).map(end),
];

describe("inbox: model", () => {
  it("behaves like a list, whatever the order of appends, claims, settlements, deploys and crashes", async function () {
    this.timeout(300_000);
    const runs = process.env.FOIEFLOW_LONG === "1" ? 300 : 25;
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 40, size: "max" }), async (commands) => {
        const real = new Real();
        await real.open();
        try {
          await fc.asyncModelRun(() => {
            const model: Model = { held: [], attached: false, received: 0, settled: 0, recent: [] };
            return { model, real };
          }, commands);
        } finally {
          await real.close();
        }
      }),
      { numRuns: runs },
    );
  });
});
