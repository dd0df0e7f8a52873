import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import type { Pool } from "pg";
import { type AuditFilter, readAudit } from "../nodes/audit/store.ts";
import { audit } from "../nodes/host/audit.ts";
import { CodedError, codeOf, messageOf } from "../nodes/host/errors.ts";
import { personOfRequest } from "../nodes/host/person.ts";
import { ACTIONS, mayDo } from "../nodes/sample/roles.ts";
import { roleOf } from "./accounts.ts";
import { addressOf, type PeopleGuard } from "./people.ts";

const CHANGES = ["add", "role", "password", "disable", "enable"] as const;

/** The accounts, for the administrator's page: `GET /auth/people`, and `POST` with `{ change, name, role?, password? }`. */
export function peopleRoutes(guard: PeopleGuard): Router {
  const router = express.Router();
  router.get("/auth/people", guard.middleware, needs("people.read"), (_request, response) => {
    response.setHeader("Cache-Control", "no-store");
    response.json({ people: guard.accounts.list() });
  });
  router.post(
    "/auth/people",
    guard.middleware,
    needs("people.change"),
    express.json({ limit: "4kb" }),
    (request, response) => {
      const body: Record<string, unknown> = { ...request.body };
      const change = CHANGES.find((one) => one === body.change);
      const name = typeof body.name === "string" ? body.name : "";
      const before = guard.accounts.list().find((one) => one.name.toLowerCase() === name.trim().toLowerCase());
      const said = {
        who: personOfRequest(request),
        action: `people.${change ?? "change"}`,
        target: name,
        from: addressOf({ remoteAddress: request.socket.remoteAddress, headers: request.headers }),
      };
      try {
        const after = apply(guard, change, name, body);
        audit({ ...said, result: "done", before, after });
        guard.sweep();
        response.json({ person: after });
      } catch (error) {
        const code = codeOf(error, "not-changed");
        audit({ ...said, result: "failed", before, after: { code } });
        response.status(error instanceof CodedError ? 400 : 500).json({ error: { code, message: messageOf(error) } });
      }
    },
  );
  return router;
}

function apply(
  { accounts }: PeopleGuard,
  change: (typeof CHANGES)[number] | undefined,
  name: string,
  body: Record<string, unknown>,
) {
  const password = typeof body.password === "string" ? body.password : "";
  switch (change) {
    case "add":
      return accounts.add(name, roleOf(body.role), password);
    case "role":
      return accounts.setRole(name, roleOf(body.role));
    case "password":
      return accounts.setPassword(name, password);
    case "disable":
    case "enable":
      return accounts.setDisabled(name, change === "disable");
    default:
      throw new CodedError("bad-change", `a change is one of ${CHANGES.join(", ")}`);
  }
}

/** The audit log, newest first: `GET /auth/audit?actor=&action=&result=&target=&from=&to=&before=&limit=`. */
export function auditRoutes(guard: PeopleGuard, pool: () => Pick<Pool, "query"> | undefined, timeZone: string): Router {
  const router = express.Router();
  router.get("/auth/audit", guard.middleware, needs("audit.read"), async (request, response) => {
    response.setHeader("Cache-Control", "no-store");
    try {
      const filter = filterOf(request);
      const opened = pool();
      if (!opened) throw new CodedError("database-away", "the database is being opened");
      response.json({ rows: await readAudit(opened, filter), timeZone });
    } catch (error) {
      const code = codeOf(error, "database-away");
      response.status(code === "bad-filter" ? 400 : 503).json({ error: { code, message: messageOf(error) } });
    }
  });
  return router;
}

/** @throws CodedError `bad-filter` */
function filterOf({ query }: Request): AuditFilter {
  const text = (name: string): string | undefined => {
    const value = query[name];
    if (value === undefined || value === "") return undefined;
    if (typeof value !== "string" || value.length > 200)
      throw new CodedError("bad-filter", `${name} is not a short text`);
    return value;
  };
  const time = (name: string): string | undefined => {
    const value = text(name);
    if (value !== undefined && Number.isNaN(Date.parse(value)))
      throw new CodedError("bad-filter", `${name} is not a time`);
    return value === undefined ? undefined : new Date(value).toISOString();
  };
  const number = (name: string): number | undefined => {
    const value = text(name);
    if (value !== undefined && !/^\d{1,15}$/.test(value)) throw new CodedError("bad-filter", `${name} is not a number`);
    return value === undefined ? undefined : Number(value);
  };
  return {
    actor: text("actor"),
    action: text("action"),
    result: text("result"),
    target: text("target"),
    from: time("from"),
    to: time("to"),
    before: number("before"),
    limit: number("limit"),
  };
}

/** Lets only those pass who may do something; 403 names the role it takes. */
function needs(action: string): RequestHandler {
  return (request: Request, response: Response, next) => {
    const person = personOfRequest(request);
    if (mayDo(person, action)) return next();
    const from = addressOf({ remoteAddress: request.socket.remoteAddress, headers: request.headers });
    audit({ who: person, action, target: request.path, result: "refused", from });
    response.status(403).json({ error: { code: "not-allowed", needed: ACTIONS[action] ?? "admin" } });
  };
}
