import type { Node, NodeStatus } from "node-red";

/** At most two a second: people read a status, and every Status node sees each one. */
const INTERVAL_MS = 500;

export interface ThrottledStatus {
  /**
   * Shows `status` now, or, when one was shown a moment ago, the latest one as soon as the interval is over. Given a
   * function it makes only those statuses that are shown: looking up a text costs more than many a message.
   */
  show(status: NodeStatus | (() => NodeStatus)): void;
  close(): void;
}

/** A node's status for nodes that change it with every message. */
export function throttledStatus(node: Pick<Node, "status">): ThrottledStatus {
  let pending: NodeStatus | (() => NodeStatus) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    if (!pending) return;
    node.status(typeof pending === "function" ? pending() : pending);
    pending = undefined;
    timer = setTimeout(flush, INTERVAL_MS).unref();
  };
  return {
    show(status) {
      pending = status;
      if (!timer) flush();
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      pending = undefined;
    },
  };
}
