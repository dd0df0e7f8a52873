/** A page's connection (Socket.IO), as far as it is used here. */
interface PageSocket {
  readonly id: string;
  readonly nsp: { to(rooms: string[]): { emit(event: string, ...args: unknown[]): unknown } };
  on(event: string, listener: () => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
}

type Namespace = PageSocket["nsp"];

/** A widget's message, and the connections it goes to. */
interface Shared {
  nsp: Namespace;
  event: string;
  message: object;
  /** That take several messages in one. */
  together: string[];
  others: string[];
}

/** Messages that follow each other to the same connections. */
interface Run {
  nsp: Namespace;
  ids: string[];
  messages: [event: string, message: object][];
}

/** Dashboard 2's event for a widget's message. */
const TO_WIDGET = "msg-input:";
/** A page says once that it takes several messages in one; they then come under the same name. */
export const TOGETHER = "foieflow-together";
const waiting = new Map<object, Shared>();

/**
 * Middleware for the pages' connections. Dashboard 2 sends a widget's message to one connection after the other, and each
 * time Socket.IO writes the same text anew; with fifty pages that took a fifth of the event loop. Here what goes to several
 * is sent once, to all of them: one text, one frame. And what a page is sent in one turn of the event loop (a product for
 * its four cards) comes in one piece where the page says that it takes it: its cards change at once, and it is laid out and
 * painted once, not for each of them.
 */
export function shareEmits(socket: PageSocket, next: () => void): void {
  const own = socket.emit.bind(socket);
  let takesSeveral = false;
  socket.on(TOGETHER, () => {
    takesSeveral = true;
  });
  socket.emit = (event, ...args) => {
    const [message] = args;
    if (args.length !== 1 || typeof message !== "object" || message === null || !event.startsWith(TO_WIDGET))
      return own(event, ...args);
    let shared = waiting.get(message);
    if (shared === undefined) {
      // What a widget passes on is delivered later than this runs: nothing can have changed the message.
      if (waiting.size === 0) setImmediate(sendAll);
      shared = { nsp: socket.nsp, event, message, together: [], others: [] };
      waiting.set(message, shared);
    }
    if (shared.event !== event || shared.nsp !== socket.nsp) return own(event, ...args);
    (takesSeveral ? shared.together : shared.others).push(socket.id);
    return true;
  };
  next();
}

function sendAll(): void {
  const all = [...waiting.values()];
  waiting.clear();
  // Each connection is alone in the room of its own id.
  for (const { nsp, event, message, others } of all) if (others.length > 0) nsp.to(others).emit(event, message);
  for (const { nsp, ids, messages } of runsOf(all)) {
    const [first] = messages;
    if (messages.length === 1 && first) nsp.to(ids).emit(...first);
    else nsp.to(ids).emit(TOGETHER, messages);
  }
}

/** In order: nobody gets an older message of a widget after a newer one. */
function runsOf(all: readonly Shared[]): Run[] {
  const runs: Run[] = [];
  for (const { nsp, event, message, together: ids } of all) {
    if (ids.length === 0) continue;
    const last = runs.at(-1);
    if (last?.nsp === nsp && isSame(last.ids, ids)) last.messages.push([event, message]);
    else runs.push({ nsp, ids, messages: [[event, message]] });
  }
  return runs;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id, index) => id === others[index]);
}
