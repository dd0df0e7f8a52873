import assert from "node:assert/strict";
import { shareEmits } from "./shared-emit.ts";

/** Connections that note what goes out: each broadcast once with its rooms, and what they send by themselves. */
function connections(count: number) {
  const sent: unknown[] = [];
  const nsp = {
    to: (rooms: string[]) => ({ emit: (event: string, ...args: unknown[]) => sent.push([rooms, event, ...args]) }),
  };
  const sockets = Array.from({ length: count }, (_, n) => {
    const socket = {
      id: `s${n}`,
      nsp,
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
    await Promise.resolve();
    assert.deepEqual(sent, [
      [["s0", "s1", "s2"], "msg-input:a", first],
      [["s1", "s2"], "msg-input:b", second],
    ]);
    sockets[0]?.emit("msg-input:a", first);
    await Promise.resolve();
    assert.deepEqual(sent.at(-1), [["s0"], "msg-input:a", first]);
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
