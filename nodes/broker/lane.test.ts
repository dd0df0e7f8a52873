import assert from "node:assert/strict";
import { closeInboxes } from "../../test/support/inbox.ts";
import type { InboxLimits } from "../inbox/limits.ts";
import { Lane } from "./lane.ts";
import { Reception } from "./reception.ts";
import { attachment, GatedInbox, pause, until } from "./support.test.ts";

function laneTo(inbox: GatedInbox): (text: string, gone?: () => boolean) => Promise<string> {
  const reception = new Reception("websocket");
  reception.attach(attachment(inbox));
  const lane = new Lane(reception);
  return (text, gone = () => false) => lane.handOver(reception.stamp(Buffer.from(text), {}), gone);
}

/** Settles what is emitted, as far as `settle` lets it. */
function drainOf(inbox: GatedInbox): (entries: number) => void {
  const emitted: string[] = [];
  let allowed = 0;
  const settle = () => {
    for (; allowed > 0 && emitted.length > 0; allowed -= 1) inbox.settle(emitted.shift() ?? "", { kind: "stored" });
  };
  inbox.attach(({ entryId }) => {
    inbox.claim(entryId, "test");
    emitted.push(entryId);
    settle();
  });
  return (entries) => {
    allowed += entries;
    settle();
  };
}

describe("broker/lane", () => {
  after(closeInboxes);

  async function opened(limits: Partial<InboxLimits> = {}): Promise<GatedInbox> {
    const inbox = new GatedInbox(limits);
    await inbox.drain(0);
    return inbox;
  }

  it("has many samples of one connection on their way to the disk at once, in order", async () => {
    const inbox = await opened();
    const send = laneTo(inbox);
    const before = inbox.stats().store?.commits ?? 0;
    const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => send(`${n}`)));
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => Number(a) - Number(b)),
    );
    const commits = (inbox.stats().store?.commits ?? 0) - before;
    assert.ok(commits > 0 && commits < 20, `${commits} transactions for 200 samples`);
  });

  it("fills the inbox to its bound and no further, though a transaction is under way", async () => {
    const inbox = await opened({ maxEntries: 5 });
    const send = laneTo(inbox);
    const all: Promise<string>[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      all.push(send(`${turn}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await pause();
    assert.equal(inbox.taken.length, 5);
    drainOf(inbox)(all.length);
    await Promise.all(all);
  });

  it("lets no small sample overtake a large one that waits for room", async () => {
    const inbox = await opened({ maxBytes: 20 });
    const settle = drainOf(inbox);
    const send = laneTo(inbox);
    await send("first, of 15 by");
    const waiting = ["second, of 16 by", "3", "4"].map((text) => send(text));
    await pause();
    assert.deepEqual(inbox.texts(), ["first, of 15 by"], "3 would have fitted");
    const last = send("5");
    settle(1);
    await Promise.all([...waiting, last]);
    assert.deepEqual(inbox.texts(), ["first, of 15 by", "second, of 16 by", "3", "4", "5"]);
  });

  it("gives up what waits when its sender is gone, counts it, and goes on with the others", async () => {
    const inbox = await opened({ maxBytes: 10 });
    const settle = drainOf(inbox);
    const send = laneTo(inbox);
    let isGone = false;
    await send("0123456789");
    const lost = send("lost", () => isGone);
    const kept = send("kept");
    isGone = true;
    await assert.rejects(lost, { code: "inbox-full" });
    await until(() => inbox.refused()["inbox-full"] === 1);
    settle(1);
    await kept;
    await assert.rejects(send("larger than ever fits"), { code: "oversize" });
    assert.deepEqual(inbox.texts(), ["0123456789", "kept"]);
  });

  it("goes on without steps once there is room, though its sender never pauses", async () => {
    const inbox = await opened({ maxBytes: 400_000 });
    const settle = drainOf(inbox);
    const reception = new Reception("websocket");
    reception.attach(attachment(inbox));
    let offers = 0;
    const lane = new Lane({
      append: (envelope) => {
        offers += 1;
        return reception.append(envelope);
      },
      refuse: (reason, about) => reception.refuse(reason, about),
    });
    const all: Promise<string>[] = [];
    /** @returns whether the inbox was asked at once */
    const send = () => {
      const before = offers;
      all.push(
        lane.handOver(
          reception.stamp(Buffer.from(all.length === 0 ? " ".repeat(399_999) : ` ${all.length}`), {}),
          () => false,
        ),
      );
      return offers > before;
    };
    send();
    send();
    await pause();
    assert.equal(send(), false, "the inbox is full");
    settle(Number.POSITIVE_INFINITY);
    let atOnce = false;
    const endMs = performance.now() + 1000;
    while (!atOnce && performance.now() < endMs) {
      await new Promise((resolve) => setImmediate(resolve));
      atOnce = send();
    }
    assert.ok(atOnce, `${all.length} samples without a pause, and each waited for a step of the retries`);
    await Promise.all(all);
    assert.deepEqual(
      inbox.texts().slice(1).map(Number),
      all.slice(1).map((_, n) => n + 1),
    );
  });
});
