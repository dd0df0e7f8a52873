/** A page's connection (Socket.IO), as far as it is used here. */
interface PageSocket {
  readonly id: string;
  readonly nsp: { to(rooms: string[]): { emit(event: string, ...args: unknown[]): unknown } };
  emit(event: string, ...args: unknown[]): unknown;
}

interface Shared {
  nsp: PageSocket["nsp"];
  event: string;
  ids: string[];
}

/** Dashboard 2's event for a widget's message. */
const TO_WIDGET = "msg-input:";
const waiting = new Map<object, Shared>();

/**
 * Middleware for the pages' connections. Dashboard 2 sends a widget's message to one connection after the other, and each
 * time Socket.IO writes the same text anew; with fifty pages that took a fifth of the event loop. Here what goes to several
 * is sent once, to all of them: one text, one frame.
 */
export function shareEmits(socket: PageSocket, next: () => void): void {
  const own = socket.emit.bind(socket);
  socket.emit = (event, ...args) => {
    const [message] = args;
    if (args.length !== 1 || typeof message !== "object" || message === null || !event.startsWith(TO_WIDGET))
      return own(event, ...args);
    const shared = waiting.get(message);
    if (shared === undefined) {
      // Dashboard's loop over the connections is over before this runs, and nothing can have changed the message.
      if (waiting.size === 0) queueMicrotask(sendAll);
      waiting.set(message, { nsp: socket.nsp, event, ids: [socket.id] });
      return true;
    }
    if (shared.event !== event || shared.nsp !== socket.nsp) return own(event, ...args);
    shared.ids.push(socket.id);
    return true;
  };
  next();
}

function sendAll(): void {
  const all = [...waiting];
  waiting.clear();
  // Each connection is alone in the room of its own id.
  for (const [message, { nsp, event, ids }] of all) nsp.to(ids).emit(event, message);
}
