/** The dashboard's Socket.IO client, as far as it is used here. */
interface Socket {
  connected: boolean;
  on(event: string, listener: (value?: unknown) => void): void;
  listeners(event: string): ((value: unknown) => void)[];
  emit(event: string): void;
}

/** The server's side of it: `distribution/shared-emit.ts`. */
const TOGETHER = "foieflow-together";

/**
 * Tells the server that this page takes several widgets' messages in one, and gives each to its widget: all in one task, so
 * that the page changes and is painted once. A server that does not know of it sends them one by one.
 */
export function takeTogether(socket: Socket): void {
  const offer = () => socket.emit(TOGETHER);
  socket.on("connect", offer);
  if (socket.connected) offer();
  socket.on(TOGETHER, (messages) => {
    if (!Array.isArray(messages)) return;
    for (const pair of messages) {
      const [event, message]: unknown[] = Array.isArray(pair) ? pair : [];
      if (typeof event !== "string") continue;
      for (const listener of [...socket.listeners(event)]) listener(message);
    }
  });
}
