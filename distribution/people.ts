import { createHmac, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseCookie, stringifySetCookie } from "cookie";
import { isForwarded, isLocalRequest, isLoopbackHost, originAllowed } from "../nodes/broker/trust.ts";
import { audit } from "../nodes/host/audit.ts";
import { codeOf } from "../nodes/host/errors.ts";
import { setPerson } from "../nodes/host/person.ts";
import type { Person } from "../nodes/sample/roles.ts";
import { type Account, type Accounts, LOCAL } from "./accounts.ts";
import type { Sessions } from "./sessions.ts";
import { SignInLimits } from "./sign-in-limits.ts";

/** What a page or a dashboard socket is judged by. */
export interface PersonRequest {
  remoteAddress: string | undefined;
  headers: IncomingMessage["headers"];
}

export type PersonVerdict =
  | {
      allowed: true;
      /** Who it is now; undefined once the sign-in is over. */
      person: () => Person | undefined;
      /** Token of the session, where there is one. */
      token?: string;
    }
  | { allowed: false; status: 401 | 403 | 429; retryAfterS?: number };

export type SignIn = { account: Account } | { account?: undefined; busy: boolean; retryAfterS: number };

interface DashboardSocket {
  request: IncomingMessage;
  handshake: { address: string };
  disconnect?(close: boolean): unknown;
  use?(middleware: (packet: readonly unknown[], next: (error?: Error) => void) => void): unknown;
  once?(event: string, listener: () => void): unknown;
}

const LOCAL_PERSON: Person = { name: LOCAL, role: "viewer" };
/** How long the password of an API client that sends it with every request is taken as checked, ms. */
const BASIC_MS = 15 * 60_000;
const MAX_BASIC = 100;
const SWEEP_MS = 5000;
/** Events of the dashboard's socket that a person's hand sends. */
const DEEDS = ["widget-action", "widget-change", "widget-send"];

/**
 * Who is behind a request. Trust follows the bind: on a loopback bind this machine may look (viewer), with no proxy between
 * and from a page of our own; everybody else, and whoever wants to do something, signs in. A session's cookie or token, or
 * HTTP Basic for other systems, says who.
 */
export class PeopleGuard {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly #localOpen: boolean;
  readonly #cookie: string;
  readonly #secure: boolean;
  readonly #limits: SignInLimits;
  readonly #basicKey = randomBytes(32);
  readonly #basic = new Map<string, { name: string; stamp: string; untilMs: number }>();
  readonly #sockets = new Map<DashboardSocket, () => Person | undefined>();
  readonly #sweeping: NodeJS.Timeout;

  /** @param options.port tells the cookies of two lines on one machine apart */
  constructor(options: {
    host: string;
    port: number;
    secure?: boolean;
    accounts: Accounts;
    sessions: Sessions;
    limits?: SignInLimits;
  }) {
    this.#localOpen = isLoopbackHost(options.host);
    this.#secure = options.secure ?? false;
    this.#cookie = `foieflow_session_${options.port}`;
    this.accounts = options.accounts;
    this.sessions = options.sessions;
    this.#limits = options.limits ?? new SignInLimits();
    this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeping.unref();
  }

  async judge(request: PersonRequest): Promise<PersonVerdict> {
    const { headers } = request;
    if (!originAllowed(headers)) return { allowed: false, status: 403 };
    const token = this.tokenOf(headers);
    if (this.sessions.standing(token)) {
      return { allowed: true, person: () => this.sessions.standing(token)?.person, ...(token && { token }) };
    }
    const credentials = basicCredentials(headers.authorization);
    if (credentials) return this.#judgeBasic(credentials, addressOf(request));
    if (this.#localOpen && isLocalRequest(request)) return { allowed: true, person: () => LOCAL_PERSON };
    return { allowed: false, status: 401 };
  }

  /**
   * Checks a name and password; who keeps failing is refused unheard for a while. The answer is the same whether anybody
   * has that name or not.
   */
  async signIn(name: string, password: string, address: string): Promise<SignIn> {
    const waitS = this.#limits.waitS(name, address);
    if (waitS > 0) return { busy: false, retryAfterS: waitS };
    const said = { action: "person.sign-in", target: name.slice(0, 100), from: address };
    let account: Account | undefined;
    try {
      account = await this.accounts.verify(name, password);
    } catch (error) {
      if (codeOf(error, "") !== "sign-in-busy") throw error;
      return { busy: true, retryAfterS: 5 };
    }
    if (account) {
      this.#limits.succeeded(name, address);
      audit({ ...said, who: account, result: "done" });
      return { account };
    }
    audit({ ...said, result: "failed" });
    if (this.#limits.failed(name, address))
      audit({
        ...said,
        action: "person.lock-out",
        result: "done",
        after: { waitS: this.#limits.waitS(name, address) },
      });
    return { busy: false, retryAfterS: this.#limits.waitS(name, address) };
  }

  /** Begins a session; the cookie stands for the password from now on. */
  openSession(account: Account): { token: string; cookie: string } {
    const { token, maxAgeS } = this.sessions.open(account);
    return { token, cookie: this.#cookieOf(token, maxAgeS) };
  }

  /** Ends a session, and with it its pages' connections. Returns the cookie that takes the old one away. */
  endSession(token: string | undefined): string {
    this.sessions.end(token);
    this.sweep();
    return this.#cookieOf("", 0);
  }

  /** The session's token of a request: its cookie, or `Authorization: Bearer`. */
  tokenOf(headers: IncomingMessage["headers"]): string | undefined {
    const [scheme, value] = (headers.authorization ?? "").split(/\s+/, 2);
    if (value && scheme?.toLowerCase() === "bearer") return value;
    return parseCookie(headers.cookie ?? "")[this.#cookie] || undefined;
  }

  /** Express middleware over everything served beside the editor. */
  readonly middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    this.judge({ remoteAddress: request.socket.remoteAddress, headers: request.headers }).then((verdict) => {
      if (verdict.allowed) {
        setPerson(request, verdict.person);
        if (request.method !== "GET" && request.method !== "HEAD") this.sessions.touch(verdict.token);
        return next();
      }
      refuse(request, response, verdict.status, verdict.retryAfterS);
    }, next);
  };

  /** The same for the dashboard's Socket.IO, which Node-RED's own authentication does not cover. */
  readonly socketMiddleware = (socket: DashboardSocket, next: (error?: Error) => void): void => {
    const remoteAddress = socket.request.socket.remoteAddress ?? socket.handshake.address;
    this.judge({ remoteAddress, headers: socket.request.headers }).then(
      (verdict) => {
        if (!verdict.allowed) return next(new Error("not signed in"));
        const { person, token } = verdict;
        setPerson(socket.request, person);
        socket.use?.((packet, proceed) => {
          if (DEEDS.includes(String(packet[0]))) this.sessions.touch(token);
          proceed();
        });
        this.#sockets.set(socket, person);
        socket.once?.("disconnect", () => this.#sockets.delete(socket));
        next();
      },
      () => next(new Error("not signed in")),
    );
  };

  /** Cuts off the pages of those who are signed in no longer. */
  sweep(): void {
    for (const [socket, person] of this.#sockets) {
      if (person()) continue;
      this.#sockets.delete(socket);
      socket.disconnect?.(true);
    }
  }

  close(): void {
    clearInterval(this.#sweeping);
    this.sessions.close();
  }

  async #judgeBasic({ user, password }: { user: string; password: string }, address: string): Promise<PersonVerdict> {
    const key = createHmac("sha256", this.#basicKey).update(`${user.length}:${user}:${password}`).digest("base64url");
    const known = this.#basic.get(key);
    if (!known || known.untilMs < performance.now() || this.accounts.find(known.name)?.stamp !== known.stamp) {
      this.#basic.delete(key);
      const { account, ...refused } = await this.signIn(user, password, address);
      if (!account) {
        const waitS = "retryAfterS" in refused ? refused.retryAfterS : 0;
        return waitS > 0 ? { allowed: false, status: 429, retryAfterS: waitS } : { allowed: false, status: 401 };
      }
      this.#basic.set(key, { name: account.name, stamp: account.stamp, untilMs: performance.now() + BASIC_MS });
      const oldest = this.#basic.keys().next();
      if (this.#basic.size > MAX_BASIC && !oldest.done) this.#basic.delete(oldest.value);
    }
    const { name, stamp } = this.#basic.get(key) ?? { name: "", stamp: "" };
    const person = (): Person | undefined => {
      const account = this.accounts.find(name);
      return account && !account.disabled && account.stamp === stamp ? { name, role: account.role } : undefined;
    };
    return { allowed: true, person };
  }

  #cookieOf(value: string, maxAge: number): string {
    const fixed = { httpOnly: true, sameSite: "strict", path: "/", secure: this.#secure } as const;
    return stringifySetCookie({ name: this.#cookie, value, maxAge, ...fixed });
  }
}

/** The address that failures are counted by: behind a proxy it proves nothing, and all share one. */
export function addressOf(request: PersonRequest): string {
  return isForwarded(request.headers) ? "forwarded" : (request.remoteAddress ?? "");
}

/** Whether a browser goes to a page, rather than a script or another system asking for something. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  const mode = headers["sec-fetch-mode"];
  const wantsPage = (headers.accept ?? "").includes("text/html");
  return (method === "GET" || method === "HEAD") && (mode === undefined ? wantsPage : mode === "navigate");
}

function refuse(request: IncomingMessage, response: ServerResponse, status: 401 | 403 | 429, retryAfterS = 0): void {
  response.setHeader("Cache-Control", "no-store");
  if (status === 401 && isNavigation(request)) {
    const target = "originalUrl" in request ? String(request.originalUrl) : (request.url ?? "/");
    response.statusCode = 303;
    response.setHeader("Location", `/auth/sign-in?next=${encodeURIComponent(target)}`);
    response.end();
    return;
  }
  response.statusCode = status;
  // Scripts of our own pages get no challenge: the browser would ask for a password in a window of its own.
  if (status === 401 && request.headers["sec-fetch-mode"] === undefined)
    response.setHeader("WWW-Authenticate", 'Basic realm="FoieFlow", charset="UTF-8"');
  if (retryAfterS > 0) response.setHeader("Retry-After", String(retryAfterS));
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(
    status === 403
      ? "Requests from other sites are refused.\n"
      : status === 429
        ? "Too many failed sign-ins. Please wait and try again.\n"
        : "Please sign in.\n",
  );
}

function basicCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const [scheme, value] = (header ?? "").split(/\s+/, 2);
  if (scheme?.toLowerCase() !== "basic" || !value) return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
