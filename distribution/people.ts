import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { isForwarded, isLocalRequest, isLoopbackHost, originAllowed } from "../nodes/broker/trust.ts";
import { checkPassword } from "./secrets.ts";

const COOKIE = "foieflow_session";
const SESSION_S = 12 * 3600;
const ADMIN = "admin";

/** What a page or a dashboard socket is judged by. */
export interface PersonRequest {
  remoteAddress: string | undefined;
  headers: IncomingMessage["headers"];
}

export type PersonVerdict =
  | { allowed: true; setCookie?: string }
  | { allowed: false; status: 401 | 403 | 429; retryAfterS?: number };

/**
 * Who may see the dashboard and the read API. Trust follows the bind: on a loopback bind this machine may, with no
 * proxy between and from a page of our own; everybody else signs in as the administrator (HTTP Basic), after which a
 * signed cookie stands for the password, on the dashboard's socket too.
 */
export class PeopleGuard {
  readonly #localOpen: boolean;
  readonly #adminPasswordHash: string;
  readonly #sessionSecret: string;
  readonly #failures = new FailureLimiter();

  constructor(options: { host: string; adminPasswordHash: string; sessionSecret: string }) {
    this.#localOpen = isLoopbackHost(options.host);
    this.#adminPasswordHash = options.adminPasswordHash;
    this.#sessionSecret = options.sessionSecret;
  }

  async judge(request: PersonRequest): Promise<PersonVerdict> {
    if (!originAllowed(request.headers)) return { allowed: false, status: 403 };
    if (this.#localOpen && isLocalRequest(request)) return { allowed: true };
    if (this.#hasSession(request.headers.cookie)) return { allowed: true };
    const credentials = basicCredentials(request.headers.authorization);
    if (!credentials) return { allowed: false, status: 401 };
    const address = isForwarded(request.headers) ? "forwarded" : (request.remoteAddress ?? "");
    if (!(await this.checkAdmin(credentials.user, credentials.password, address))) {
      const wait = this.#failures.waitS(address);
      return wait > 0 ? { allowed: false, status: 429, retryAfterS: wait } : { allowed: false, status: 401 };
    }
    return { allowed: true, setCookie: this.#sessionCookie() };
  }

  /** Checks the administrator's password; an address that keeps failing is refused unheard for a while. */
  async checkAdmin(user: string, password: string, address = "editor"): Promise<boolean> {
    if (this.#failures.waitS(address) > 0) return false;
    // The hash is computed for unknown users too, so that names can't be told apart by time.
    const right = await checkPassword(password, this.#adminPasswordHash);
    if (right && user === ADMIN) {
      this.#failures.clear(address);
      return true;
    }
    this.#failures.add(address);
    return false;
  }

  /** Express middleware over everything served beside the editor. */
  readonly middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    this.judge({ remoteAddress: request.socket.remoteAddress, headers: request.headers }).then((verdict) => {
      if (verdict.allowed) {
        if (verdict.setCookie) response.appendHeader("Set-Cookie", verdict.setCookie);
        return next();
      }
      response.statusCode = verdict.status;
      if (verdict.status === 401) response.setHeader("WWW-Authenticate", 'Basic realm="FoieFlow", charset="UTF-8"');
      if (verdict.retryAfterS) response.setHeader("Retry-After", String(verdict.retryAfterS));
      response.setHeader("Content-Type", "text/plain; charset=utf-8");
      response.end(
        verdict.status === 403
          ? "Requests from other sites are refused.\n"
          : verdict.status === 429
            ? "Too many failed sign-ins. Please wait and try again.\n"
            : "Please sign in.\n",
      );
    }, next);
  };

  /** The same for the dashboard's Socket.IO, which Node-RED's own authentication does not cover. */
  readonly socketMiddleware = (
    socket: { request: IncomingMessage; handshake: { address: string } },
    next: (error?: Error) => void,
  ): void => {
    const remoteAddress = socket.request.socket.remoteAddress ?? socket.handshake.address;
    this.judge({ remoteAddress, headers: socket.request.headers }).then(
      (verdict) => next(verdict.allowed ? undefined : new Error("not signed in")),
      () => next(new Error("not signed in")),
    );
  };

  #sessionCookie(): string {
    const expires = Math.floor(Date.now() / 1000) + SESSION_S;
    const value = `${expires}.${this.#sign(`${ADMIN}.${expires}`)}`;
    return stringifySetCookie({
      name: COOKIE,
      value,
      httpOnly: true,
      sameSite: "strict",
      path: "/",
      maxAge: SESSION_S,
    });
  }

  #hasSession(header: string | undefined): boolean {
    const [expires, signature] = (parseCookie(header ?? "")[COOKIE] ?? "").split(".");
    if (!expires || !signature || !(Number(expires) > Date.now() / 1000)) return false;
    const expected = Buffer.from(this.#sign(`${ADMIN}.${expires}`));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #sign(text: string): string {
    // The password's hash is part of the key: a new password ends every session.
    return createHmac("sha256", `${this.#sessionSecret}|${this.#adminPasswordHash}`).update(text).digest("base64url");
  }
}

function basicCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const [scheme, value] = (header ?? "").split(/\s+/, 2);
  if (scheme?.toLowerCase() !== "basic" || !value) return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Counts failed sign-ins by address: five are free, then each doubles the wait, up to five minutes. Bounded. */
class FailureLimiter {
  readonly #byAddress = new Map<string, { failures: number; until: number }>();

  waitS(address: string): number {
    const entry = this.#byAddress.get(address);
    return entry ? Math.max(0, Math.ceil((entry.until - Date.now()) / 1000)) : 0;
  }

  add(address: string): void {
    const failures = (this.#byAddress.get(address)?.failures ?? 0) + 1;
    const waitS = failures < 5 ? 0 : Math.min(300, 2 ** (failures - 5));
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { failures, until: Date.now() + waitS * 1000 });
    const oldest = this.#byAddress.keys().next();
    if (this.#byAddress.size > 1000 && !oldest.done) this.#byAddress.delete(oldest.value);
  }

  clear(address: string): void {
    this.#byAddress.delete(address);
  }
}
