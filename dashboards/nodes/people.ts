import { audit } from "@foieflow/node-red-foieflow/host/audit.js";
import { isGuarded, personOfRequest } from "@foieflow/node-red-foieflow/host/person.js";
import type { NodeAPI } from "node-red";
import { type Deed, isAudited, type Refusal, rule } from "./veto.ts";

/** A page's connection (Socket.IO), as far as we use it. */
interface Connection {
  request: object;
  handshake?: { address?: string };
  emit(event: string, ...args: unknown[]): unknown;
}
type Message = Record<string, unknown>;

/** Longest text of an action's payload in the audit log. */
const MAX_LOGGED = 2000;

/**
 * Dashboard 2 plugin: puts the person of the page's sign-in into `msg._client.user`, and vetoes what that person may not do.
 * The sign-in is asked anew each time, so one that is over, or a disabled account, is refused at once. Without a sign-in in
 * front of the dashboard (the widgets in somebody's own Node-RED) it vetoes nothing and names nobody; our nodes then refuse
 * by themselves whatever needs a person.
 */
export default function init(RED: NodeAPI): void {
  /** The message to go on with, or null. */
  const judge = (conn: Connection, id: string, event: Deed["event"], msg: unknown): unknown => {
    if (!isGuarded(conn.request)) return withoutClient(msg);
    const person = personOfRequest(conn.request);
    const type = RED.nodes.getNode(id)?.type;
    const ruling = rule(person, { event, type, msg });
    if (!ruling.allowed || isAudited(ruling.action))
      audit({
        who: person,
        action: ruling.action,
        target: `${type ?? "widget"} ${id}`.slice(0, 100),
        result: ruling.allowed ? "done" : "refused",
        from: conn.handshake?.address,
        after: event === "change" ? undefined : summary(msg),
      });
    if (ruling.allowed) return withoutClient(msg);
    const refusal: Refusal = { action: ruling.action, needed: ruling.needed };
    conn.emit("foieflow-refused", refusal);
    return null;
  };

  const plugin = {
    type: "node-red-dashboard-2",
    hooks: {
      onAction: (conn: Connection, id: string, msg: unknown) => judge(conn, id, "action", msg),
      onChange: (conn: Connection, id: string, msg: unknown) => judge(conn, id, "change", msg),
      onSend: (conn: Connection, id: string, msg: unknown) => judge(conn, id, "send", msg),
      onAddConnectionCredentials(conn: Connection, msg: Message): Message {
        if (!isGuarded(conn.request)) return msg;
        // What the page says of itself does not count: only who the sign-in proved.
        const user = personOfRequest(conn.request);
        msg._client = user ? { user } : {};
        return msg;
      },
    },
  };
  RED.plugins.registerPlugin("foieflow-people", plugin);
}

/** The message without what the page claims about its sender: Dashboard 2 adds the truth afterwards, where it is told to. */
function withoutClient(msg: unknown): unknown {
  if (Array.isArray(msg)) return msg.map(withoutClient);
  if (typeof msg !== "object" || msg === null || !("_client" in msg)) return msg;
  const { _client, ...rest } = msg;
  return rest;
}

function summary(msg: unknown): unknown {
  const payload: unknown = typeof msg === "object" && msg !== null && "payload" in msg ? msg.payload : msg;
  const text = JSON.stringify(payload) ?? "";
  return text.length <= MAX_LOGGED ? payload : `${text.slice(0, MAX_LOGGED)}…`;
}
