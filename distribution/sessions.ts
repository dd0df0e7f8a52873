import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../nodes/host/errors.ts";
import type { Person, Role } from "../nodes/sample/roles.ts";
import type { Account, Accounts } from "./accounts.ts";
import { writeFileAtomic } from "./files.ts";

/** How long a sign-in lasts. */
export interface SessionLimits {
  /** Without doing anything: afterwards one may look, and acting asks for the password again. */
  idleMs: number;
  /** In all. */
  maxMs: number;
  /** In all, for those who may only look: the screen on the wall. */
  viewerMs: number;
}

interface Session {
  name: string;
  /** The account's stamp at the sign-in. */
  stamp: string;
  startedMs: number;
  activeMs: number;
}

/** A sign-in as it stands now. */
export interface Standing {
  /** Who, and what they may do now: a viewer after doing nothing for too long. */
  person: Person;
  /** What they may do once they have signed in again. */
  role: Role;
  isIdle: boolean;
  endsMs: number;
}

const MAX_SESSIONS = 2000;
/** How exactly the file knows when somebody was last active, ms. */
const SAVE_EVERY_MS = 60_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Who is signed in. A session's token is 256 random bits; the file (mode 0600) keeps a keyed hash of it, so that a copy
 * of the file opens nothing, and people stay signed in over a restart. A new password, another role or a disabled account
 * end the sessions of that person at once.
 */
export class Sessions {
  readonly #file: string;
  readonly #secret: string;
  readonly #accounts: Accounts;
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  readonly #byId = new Map<string, Session>();
  #savedMs = 0;

  constructor(options: {
    file: string;
    secret: string;
    accounts: Accounts;
    limits: SessionLimits;
    warn?: (text: string) => void;
    now?: () => number;
  }) {
    this.#file = options.file;
    this.#secret = options.secret;
    this.#accounts = options.accounts;
    this.#limits = options.limits;
    // Setting the clock neither ends a sign-in nor makes it last: of this process's time the monotonic clock decides.
    this.#now = options.now ?? (() => Math.round(performance.timeOrigin + performance.now()));
    try {
      if (existsSync(this.#file)) this.#byId = parseSessions(readFileSync(this.#file, "utf8"));
    } catch (error) {
      options.warn?.(`${this.#file}: ${messageOf(error)}; everybody signs in again`);
    }
  }

  /** Begins a session and returns its token. */
  open(account: Account): { token: string; maxAgeS: number } {
    const token = randomBytes(32).toString("base64url");
    const nowMs = this.#now();
    this.#byId.set(this.#idOf(token), { name: account.name, stamp: account.stamp, startedMs: nowMs, activeMs: nowMs });
    this.#tidy();
    this.#save();
    return { token, maxAgeS: Math.floor(this.#lifeMs(account.role) / 1000) };
  }

  /** The sign-in behind a token, or undefined when there is none, or it is over. */
  standing(token: string | undefined): Standing | undefined {
    const session = this.#find(token);
    const account = session && this.#accounts.find(session.name);
    if (!session || !account || account.disabled || account.stamp !== session.stamp) return undefined;
    const nowMs = this.#now();
    const endsMs = session.startedMs + this.#lifeMs(account.role);
    if (nowMs >= endsMs) return undefined;
    const isIdle = account.role !== "viewer" && nowMs - session.activeMs >= this.#limits.idleMs;
    const { name, role } = account;
    return { person: { name, role: isIdle ? "viewer" : role }, role, isIdle, endsMs };
  }

  /** Notes that the person did something; a session that is idle already stays so. */
  touch(token: string | undefined): void {
    const session = this.#find(token);
    const standing = this.standing(token);
    if (!session || !standing || standing.isIdle) return;
    session.activeMs = this.#now();
    if (this.#now() - this.#savedMs >= SAVE_EVERY_MS) this.#save();
  }

  end(token: string | undefined): void {
    if (token === undefined || !this.#byId.delete(this.#idOf(token))) return;
    this.#save();
  }

  /** Writes what is not written yet. */
  close(): void {
    this.#save();
  }

  #find(token: string | undefined): Session | undefined {
    return token !== undefined && TOKEN.test(token) ? this.#byId.get(this.#idOf(token)) : undefined;
  }

  #lifeMs(role: Role): number {
    return role === "viewer" ? this.#limits.viewerMs : this.#limits.maxMs;
  }

  #idOf(token: string): string {
    return createHmac("sha256", this.#secret).update(`session ${token}`).digest("base64url");
  }

  #tidy(): void {
    const longestMs = Math.max(this.#limits.maxMs, this.#limits.viewerMs);
    for (const [id, { startedMs, name, stamp }] of this.#byId)
      if (this.#now() - startedMs >= longestMs || this.#accounts.find(name)?.stamp !== stamp) this.#byId.delete(id);
    for (const id of this.#byId.keys()) {
      if (this.#byId.size <= MAX_SESSIONS) break;
      this.#byId.delete(id);
    }
  }

  #save(): void {
    this.#savedMs = this.#now();
    writeFileAtomic(this.#file, `${JSON.stringify({ version: 1, sessions: Object.fromEntries(this.#byId) })}\n`, 0o600);
  }
}

function parseSessions(text: string): Map<string, Session> {
  const value: unknown = JSON.parse(text);
  const sessions: unknown =
    typeof value === "object" && value !== null && "sessions" in value ? value.sessions : undefined;
  if (typeof sessions !== "object" || sessions === null) throw new Error("no sessions in it");
  const found = new Map<string, Session>();
  for (const [id, entry] of Object.entries(sessions)) {
    const { name, stamp, startedMs, activeMs } = { ...(entry as Partial<Session>) };
    if (
      typeof name === "string" &&
      typeof stamp === "string" &&
      typeof startedMs === "number" &&
      typeof activeMs === "number"
    )
      found.set(id, { name, stamp, startedMs, activeMs });
  }
  return found;
}
