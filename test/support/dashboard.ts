import { once } from "node:events";
import { WebSocket } from "ws";
import type { ViewSection } from "../../dashboards/nodes/view.ts";

/** What the pages of a line are sent, as they are sent it. */
export interface Watched {
  /** The latest of each section. */
  latest: Partial<{ [S in ViewSection as S["section"]]: S }>;
  close(): void;
}

const PONG = "3";

/** Connects as a dashboard page does, and tells of every section that comes. */
export async function watchDashboard(base: string, take: (section: ViewSection) => void): Promise<Watched> {
  const socket = new WebSocket(`${base.replace("http", "ws")}/dashboard/socket.io/?EIO=4&transport=websocket`);
  await once(socket, "message"); // engine.io's opening
  socket.send("40"); // socket.io: connect to the default namespace
  await once(socket, "message");
  const watched: Watched = { latest: {}, close: () => socket.terminate() };
  socket.on("message", (data) => {
    const text = String(data);
    if (text === "2") socket.send(PONG);
    if (!text.startsWith("42")) return;
    const [event, message]: [string, { payload?: ViewSection }?] = JSON.parse(text.slice(2));
    const section = message?.payload;
    if (!event.startsWith("msg-input") || typeof section?.section !== "string") return;
    Object.assign(watched.latest, { [section.section]: section });
    take(section);
  });
  return watched;
}
