import { audit } from "../nodes/host/audit.ts";
import { asPerson } from "../nodes/sample/roles.ts";
import type { Accounts } from "./accounts.ts";

/** Node-RED's audit events that change something, or were refused; reading and looking are left out. */
const DEEDS =
  /^(flows\.set|flow\.(add|update|remove)|nodes\.(install|remove|info\.set|module\.set)|library\.set|context\.delete)$/;
const REFUSALS = /^permission\.fail$/;

interface AuditEvent {
  event?: unknown;
  user?: { username?: unknown };
  ip?: unknown;
  path?: unknown;
  [field: string]: unknown;
}

/** What people do in the editor and its API goes to our audit log: a handler for Node-RED's `logging` setting. */
export function nodeRedAudit(accounts: Accounts) {
  return { level: "off", metrics: false, audit: true, handler: () => (message: AuditEvent) => pass(accounts, message) };
}

function pass(accounts: Accounts, message: AuditEvent): void {
  const { event, user, ip, path, type, version, id, module, permissions, error } = message;
  if (typeof event !== "string") return;
  const isRefusal = REFUSALS.test(event);
  if (!isRefusal && !DEEDS.test(event)) return;
  const name = user?.username;
  const account = typeof name === "string" ? accounts.find(name) : undefined;
  audit({
    who: asPerson(account),
    action: `editor.${event}`,
    target: typeof path === "string" ? path : undefined,
    result: isRefusal ? "refused" : error === undefined ? "done" : "failed",
    from: typeof ip === "string" ? ip : undefined,
    after: { type, version, id, module, permissions, error },
  });
}
