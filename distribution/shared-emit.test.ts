import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { shareEmits, TOGETHER } from "./shared-emit.ts";

/** Connections that note what goes out: each broadcast once with its rooms, and what they send by themselves. */
function connections(count: number) {
  const sent: unknown[] = [];
  const nsp = {
    to: (rooms: string[]) => ({ emit: (event: string, ...args: unknown[]) => sent.push([rooms, event, ...args]) }),
  };
  const sockets = Array.from({ length: count }, (_, n) => {
    const listeners: (() => void)[] = [];
    const socket = {
      id: `s${n}`,
      nsp,
      on: (event: string, listener: () => void) => event === TOGETHER && listeners.push(listener),
      /** What the page says. */
      takesSeveral: () => listeners.forEach((listener) => void listener()),
      emit: (event: string, ...args: unknown[]): unknown => sent.push([n, event, ...args]),
    };
    let isNext = false;
    shareEmits(socket, () => {
      isNext = true;
    });
    assert.ok(isNext);
    return socket;
  });
  return { sockets, sent };
}

describe("what goes to several pages", () => {
  it("is sent once, in order, to all it was meant for", async () => {
    const { sockets, sent } = connections(3);
    const [first, second] = [{ payload: 1 }, { payload: 2 }];
    for (const socket of sockets) socket.emit("msg-input:a", first);
    for (const socket of sockets.slice(1)) socket.emit("msg-input:b", second);
    await turn();
    assert.deepEqual(sent, [
      [["s0", "s1", "s2"], "msg-input:a", first],
      [["s1", "s2"], "msg-input:b", second],
    ]);
    sockets[0]?.emit("msg-input:a", first);
    await turn();
    assert.deepEqual(sent.at(-1), [["s0"], "msg-input:a", first]);
  });

  it("comes in one piece where the page takes it so, and in order", async () => {
    const { sockets, sent } = connections(3);
    for (const socket of sockets.slice(1)) socket.takesSeveral();
    const product = ["a", "b", "c"].map((card) => ({ card }));
    for (const message of product) for (const socket of sockets) socket.emit(`msg-input:${message.card}`, message);
    await turn();
    assert.deepEqual(
      sent.slice(0, 3),
      product.map((message) => [["s0"], `msg-input:${message.card}`, message]),
    );
    assert.deepEqual(sent.slice(3), [
      [["s1", "s2"], TOGETHER, product.map((message) => [`msg-input:${message.card}`, message])],
    ]);
    sent.length = 0;
    const [first, only, last] = [{ n: 1 }, { n: 2 }, { n: 3 }];
    for (const socket of sockets.slice(1)) socket.emit("msg-input:a", first);
    sockets[2]?.emit("msg-input:a", only);
    for (const socket of sockets.slice(1)) socket.emit("msg-input:a", last);
    await turn();
    assert.deepEqual(sent, [
      [["s1", "s2"], "msg-input:a", first],
      [["s2"], "msg-input:a", only],
      [["s1", "s2"], "msg-input:a", last],
    ]);
  });

  it("leaves everything else as it is", () => {
    const { sockets, sent } = connections(1);
    const [socket] = sockets;
    const message = { payload: 1 };
    socket?.emit("ui-config", message);
    socket?.emit("msg-input:a", message, "more");
    socket?.emit("msg-input:a", null);
    assert.deepEqual(sent, [
      [0, "ui-config", message],
      [0, "msg-input:a", message, "more"],
      [0, "msg-input:a", null],
    ]);
  });
});
