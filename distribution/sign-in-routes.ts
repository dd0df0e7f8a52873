import express, { type Request, type Response, type Router } from "express";
import { originAllowed } from "../nodes/broker/trust.ts";
import { audit } from "../nodes/host/audit.ts";
import { personOfRequest } from "../nodes/host/person.ts";
import { addressOf, type PeopleGuard } from "./people.ts";
import { languageOf, type SignInProblem, sendSignInPage } from "./sign-in-page.ts";

/** What a page is told about who uses it. */
export interface WhoAmI {
  name: string;
  role: string;
  /** Signed in, rather than let in because it is this machine. */
  isSignedIn: boolean;
  /** The sign-in rests: acting asks for the password again. */
  isIdle: boolean;
}

/**
 * The sign-in: its page, who one is, and the way out, all below `/auth/`. Mounted before the editor, whose own `/auth/login`
 * and `/auth/token` pass by.
 */
export function signInRoutes(guard: PeopleGuard): Router {
  const router = express.Router();
  const form = express.urlencoded({ extended: false, limit: "4kb", parameterLimit: 10 });
  const json = express.json({ limit: "4kb" });

  router.get("/auth/sign-in", (request, response) => {
    sendSignInPage(response, {
      language: languageOf(request.query.lang, nextOf(request.query.next)),
      next: nextOf(request.query.next),
    });
  });

  router.post("/auth/sign-in", form, json, async (request: Request, response: Response) => {
    const body: Record<string, unknown> =
      typeof request.body === "object" && request.body !== null ? { ...request.body } : {};
    const isForm = request.is("application/x-www-form-urlencoded") !== false;
    const next = nextOf(body.next);
    const fail = (status: number, problem: SignInProblem, waitS = 0) => {
      if (waitS > 0) response.setHeader("Retry-After", String(waitS));
      response.status(status);
      if (!isForm) return response.json({ error: { code: problem, ...(waitS > 0 && { waitS }) } });
      const name = typeof body.name === "string" ? body.name.slice(0, 100) : "";
      return sendSignInPage(response, { language: languageOf(body.lang, next), next, name, problem, waitS });
    };
    if (!originAllowed(request.headers)) return fail(403, "foreign-page");
    const { name, password } = body;
    if (typeof name !== "string" || typeof password !== "string" || name.length > 200) return fail(400, "wrong");
    const address = addressOf({ remoteAddress: request.socket.remoteAddress, headers: request.headers });
    const { account, ...refused } = await guard.signIn(name, password, address);
    if (!account) {
      const { busy, retryAfterS } = "busy" in refused ? refused : { busy: false, retryAfterS: 0 };
      if (busy) return fail(503, "busy", retryAfterS);
      return retryAfterS > 0 ? fail(429, "wait", retryAfterS) : fail(401, "wrong");
    }
    guard.sessions.end(guard.tokenOf(request.headers));
    response.appendHeader("Set-Cookie", guard.openSession(account).cookie);
    response.setHeader("Cache-Control", "no-store");
    if (isForm) return response.redirect(303, next);
    return response.json({ name: account.name, role: account.role });
  });

  router.post("/auth/sign-out", form, (request, response) => {
    if (!originAllowed(request.headers)) return response.status(403).end();
    const token = guard.tokenOf(request.headers);
    const who = guard.sessions.standing(token)?.person;
    response.appendHeader("Set-Cookie", guard.endSession(token));
    if (who)
      audit({ action: "person.sign-out", who, target: who.name, result: "done", from: request.socket.remoteAddress });
    response.setHeader("Cache-Control", "no-store");
    if (request.is("application/x-www-form-urlencoded")) return response.redirect(303, "/auth/sign-in");
    return response.status(204).end();
  });

  // `active` says that the person at the page did something there since the page last asked.
  router.get("/auth/me", guard.middleware, (request, response) => {
    const token = guard.tokenOf(request.headers);
    if (request.query.active === "1") guard.sessions.touch(token);
    const standing = guard.sessions.standing(token);
    const person = standing?.person ?? personOfRequest(request);
    response.setHeader("Cache-Control", "no-store");
    if (!person) return response.status(401).end();
    const who: WhoAmI = {
      name: person.name,
      role: person.role,
      isSignedIn: standing !== undefined || request.headers.authorization !== undefined,
      isIdle: standing?.isIdle ?? false,
    };
    return response.json(who);
  });

  return router;
}

/** Where to go after the sign-in: a path of ours, never another site. */
export function nextOf(value: unknown): string {
  const fallback = "/dashboard/line";
  if (typeof value !== "string" || value.length > 1000 || !/^\/(?![/\\])[^\\\s]*$/.test(value)) return fallback;
  const base = "http://line.invalid";
  return URL.canParse(value, base) && new URL(value, base).origin === base ? value : fallback;
}
