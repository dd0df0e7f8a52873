import { once } from "node:events";
import net from "node:net";
import { WebSocket } from "ws";

/** Something that was let in and takes nothing of what it is sent. */
export interface Frozen {
  close(): void;
}

const PONG_EVERY_MS = 5000;

/** A dashboard page that stops reading after it was greeted, and still says that it lives. */
export async function frozenDashboard(base: string): Promise<Frozen> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/dashboard/socket.io/?EIO=4&transport=websocket`);
  await once(socket, "message"); // engine.io's opening
  socket.send("40"); // socket.io: connect to the default namespace
  await once(socket, "message");
  socket.pause();
  const timer = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("3"), PONG_EVERY_MS);
  return {
    close() {
      clearInterval(timer);
      socket.terminate();
    },
  };
}

/** An MQTT client that subscribes to everything and never reads again. */
export async function frozenSubscriber(port: number, clientId: string): Promise<Frozen> {
  const socket = net.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const connect = Buffer.from([
    0x10,
    12 + clientId.length,
    0,
    4,
    ...Buffer.from("MQTT"),
    4,
    2,
    0,
    0,
    0,
    clientId.length,
  ]);
  socket.write(Buffer.concat([connect, Buffer.from(clientId)]));
  await once(socket, "data");
  socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 1])); // SUBSCRIBE "#" at QoS 1
  await once(socket, "data");
  socket.pause();
  socket.on("error", () => undefined);
  return { close: () => socket.destroy() };
}
