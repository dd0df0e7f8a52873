/**
 * Dashboard pages without a screen, in a process of their own: `node scripts/load/watchers.ts BASE COUNT`. Each is a
 * Socket.IO client (over plain WebSocket) that reads everything it is sent and keeps itself alive. Says `watching` on
 * standard output once all are connected, and runs until it is ended.
 */
import { once } from "node:events";
import { WebSocket } from "ws";

const [base = "", count = "1"] = process.argv.slice(2);

async function watch(): Promise<void> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/dashboard/socket.io/?EIO=4&transport=websocket`);
  await once(socket, "message"); // engine.io's opening
  socket.send("40"); // socket.io: connect to the default namespace
  await once(socket, "message");
  socket.send('42["foieflow-together"]'); // as our pages do
  socket.on("message", (data) => {
    if (String(data) === "2") socket.send("3"); // its ping, our pong
  });
  socket.on("close", () => process.exit(1));
}

await Promise.all(Array.from({ length: Number(count) }, watch));
console.log("watching");
