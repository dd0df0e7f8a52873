/** What Node-RED's `preDeliver` hook is given, as far as it is used here. */
export interface DeliverEvent {
  msg: object;
  destination: { node?: Receiver | null };
}

interface Receiver {
  type: string;
  receive(msg: object): void;
}

/** Our own nodes but the widgets, and the links between their flows. */
const isOurs = (type: string) => type.startsWith("foieflow-") || type === "link out";
/** The shipped flows take less; wires that lead back to where they came from take a turn at each so many. */
const MOST_DEEP = 24;

/**
 * A hook for `preDeliver` that brings a message to one of our nodes at once. Node-RED gives each delivery a turn of the
 * event loop of its own: a sample took eleven of them from the inbox to the line's view, in each of which it waited for all
 * others on their way. To any other node Node-RED delivers as ever: two function nodes in a ring would otherwise keep everything
 * else from its turn.
 * @returns the hook: false when it has delivered
 */
export function directDelivery(): (event: DeliverEvent) => false | undefined {
  let depth = 0;
  return ({ msg, destination: { node } }) => {
    if (!node || depth >= MOST_DEEP || !isOurs(node.type)) return undefined;
    depth += 1;
    try {
      node.receive(msg);
    } finally {
      depth -= 1;
    }
    return false;
  };
}
