import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { originAllowed } from "../nodes/broker/trust.ts";
import { audit } from "../nodes/host/audit.ts";
import type { Person, Role } from "../nodes/sample/roles.ts";
import { addressOf, type PeopleGuard } from "./people.ts";

/** What each role may do in the editor and its API; the others may not even look. */
const PERMISSIONS: Readonly<Partial<Record<Role, string>>> = { quality: "read", engineer: "*", admin: "*" };

interface EditorUser {
  username: string;
  permissions: string;
  /** The session stands for the password. */
  token?: string;
}

/** Node-RED asks for passwords without saying from where: the request's address comes along here. */
const address = new AsyncLocalStorage<string>();
/** Requests whose `Authorization` we put there, out of the page's cookie. */
const lent = new WeakSet<IncomingMessage>();

/**
 * Who may use the editor: the same accounts, sessions and lock-out as on the pages. Its tokens are our sessions, so that a
 * changed role or a disabled account is heeded with the next request.
 */
export function editorAuth(guard: PeopleGuard) {
  const userOf = ({ name, role }: Person): EditorUser | null => {
    const permissions = PERMISSIONS[role];
    return permissions ? { username: name, permissions } : null;
  };
  return {
    type: "credentials" as const,
    users: async (name: string): Promise<EditorUser | null> => {
      const account = guard.accounts.find(name);
      return account && !account.disabled ? userOf(account) : null;
    },
    authenticate: async (name: string, password: string): Promise<EditorUser | null> => {
      const { account } = await guard.signIn(name, password, address.getStore() ?? "editor");
      const user = account ? userOf(account) : null;
      return account && user ? { ...user, token: guard.openSession(account).token } : null;
    },
    tokens: async (token: string): Promise<EditorUser | null> => {
      const person = guard.sessions.standing(token)?.person;
      if (!person) return null;
      guard.sessions.touch(token);
      return userOf(person);
    },
  };
}

/**
 * Stands before the editor's API: refuses changes from other sites' pages, and lets who signed in on the pages into the
 * editor with that (the cookie is handed on as the token it holds). The editor's sign-out ends both.
 */
export function editorDoor(guard: PeopleGuard) {
  return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    const { method = "GET", headers } = request;
    const from = { remoteAddress: request.socket.remoteAddress, headers };
    if (method !== "GET" && method !== "HEAD" && !originAllowed(headers)) {
      response.statusCode = 403;
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end("Requests from other sites are refused.\n");
      return;
    }
    lend(guard, request);
    const path = (request.url ?? "").replace(/\?.*$/, "");
    if (method === "POST" && path === "/auth/revoke") {
      const token = guard.tokenOf(headers);
      const who = guard.sessions.standing(token)?.person;
      if (who) audit({ action: "person.sign-out", who, target: who.name, result: "done", from: addressOf(from) });
      guard.endSession(token);
      response.appendHeader("Set-Cookie", guard.endSession(guard.tokenOf({ cookie: headers.cookie })));
    }
    address.run(addressOf(from), next);
  };
}

/** The same for the editor's WebSocket. To be called before Node-RED sees the upgrade. */
export function letEditorSocketIn(guard: PeopleGuard, request: IncomingMessage): void {
  if (/^\/comms(\?|$)/.test(request.url ?? "") && originAllowed(request.headers)) lend(guard, request);
}

/** Takes back what `editorDoor` lent, for whoever serves the request beside the editor. */
export function takeBack(request: IncomingMessage): void {
  if (lent.delete(request)) delete request.headers.authorization;
}

function lend(guard: PeopleGuard, request: IncomingMessage): void {
  if (request.headers.authorization !== undefined) return;
  const token = guard.tokenOf(request.headers);
  if (!guard.sessions.standing(token)) return;
  request.headers.authorization = `Bearer ${token}`;
  lent.add(request);
}
