/** The API over HTTP: routes, checks and answers for one request at a time. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isLocalRequest, originAllowed } from "../broker/trust.ts";
import { audit } from "../host/audit.ts";
import { codeOf } from "../host/errors.ts";
import { personOfRequest } from "../host/person.ts";
import { mayDo, type Person } from "../sample/roles.ts";
import { csvLine } from "./csv.ts";
import { checkPath, checkValue, parseQuery } from "./parameters.ts";
import { PROBLEM_TYPE, Problem, problemBody } from "./problem.ts";
import type { ApiContext, ApiRequest, BytesReply, CsvReply, Route } from "./route.ts";
import { Router } from "./router.ts";

const MAX_BODY_BYTES = 64 * 1024;
const BODY_MS = 10_000;
/** Rows of a CSV download; JSON pages have their own, smaller limits. */
const MAX_CSV_ROWS = 1_000_000;
const MAX_URL = 8192;

export interface ApiServerOptions {
  routes: readonly Route[];
  context: ApiContext;
  /** Whether a sign-in stands before these requests; where none does, only this machine is let in. */
  guarded: boolean;
  /** Told of errors that are no problem of the request. */
  onError(error: unknown, operationId: string): void;
}

export class ApiServer {
  readonly #router: Router;
  readonly #options: ApiServerOptions;

  constructor(options: ApiServerOptions) {
    this.#router = new Router(options.routes);
    this.#options = options;
  }

  /** Whether this request (its URL is below `/api`) is one of ours, by its path. */
  knows(request: IncomingMessage): boolean {
    return this.#router.find(request.method ?? "GET", pathOf(request)) !== undefined;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    let operationId = "";
    try {
      if ((request.url ?? "").length > MAX_URL) throw new Problem(400, "bad-request", "the address is too long");
      const match = this.#router.find(request.method ?? "GET", pathOf(request));
      if (!match) throw new Problem(404, "no-such-path", "the API has no such path");
      if ("malformed" in match) throw new Problem(400, "bad-path", "the path is not well encoded");
      if ("allowed" in match) {
        response.setHeader("Allow", match.allowed.join(", "));
        throw new Problem(405, "method-not-allowed", `${request.method} is not for this path`);
      }
      operationId = match.route.operationId;
      await this.#run(match.route, match.params, request, response);
    } catch (error) {
      this.#fail(error, operationId, response);
    }
  }

  async #run(route: Route, params: Record<string, string>, request: IncomingMessage, response: ServerResponse) {
    const person = this.#admit(route, request);
    checkPath(route.params, params);
    const search = searchOf(request);
    const csv = route.csv && wantsCsv(request, search) ? route.csv : undefined;
    const limit = csv ? takeCsvLimit(search) : undefined;
    const query = parseQuery(route.query, search);
    if (limit !== undefined) query.limit = limit;
    const body = route.body ? await readBody(request) : undefined;
    if (route.body) checkValue(route.body, body, "body");
    const asked: ApiRequest<unknown, unknown, unknown> = { query, params, body, person };
    const { context } = this.#options;
    if (csv) return await sendCsv(csv(context, asked), request, response);
    const reply = await handled(route, context, asked, request);
    if (isBytes(reply)) return sendBytes(reply, request, response);
    const text = JSON.stringify(reply);
    response.statusCode = route.status ?? 200;
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    if (route.csv) response.setHeader("Vary", "Accept");
    response.setHeader("Content-Length", Buffer.byteLength(text));
    response.end(request.method === "HEAD" ? undefined : text);
  }

  /** @throws Problem 401, 403 */
  #admit(route: Route, request: IncomingMessage): Person | undefined {
    const { headers } = request;
    if (!originAllowed(headers)) throw new Problem(403, "bad-origin", "requests from other sites' pages are refused");
    const person = personOfRequest(request);
    const remoteAddress = request.socket.remoteAddress;
    if (!person && !this.#options.guarded && !isLocalRequest({ remoteAddress, headers }))
      throw new Problem(403, "only-local", "without a sign-in the API answers this machine only");
    if (route.action === undefined) return person;
    if (!person) throw new Problem(401, "not-signed-in", "this needs a person who has signed in");
    if (!mayDo(person, route.action)) {
      audit({ who: person, action: route.action, target: pathOf(request), result: "refused", from: remoteAddress });
      throw new Problem(403, "not-allowed", `${person.name} (${person.role}) may not: ${route.action}`);
    }
    return person;
  }

  #fail(error: unknown, operationId: string, response: ServerResponse): void {
    const problem = problemOf(error);
    if (problem.status === 500) this.#options.onError(error, operationId);
    if (response.headersSent) {
      response.destroy(); // a table that breaks off must not look whole
      return;
    }
    response.statusCode = problem.status;
    response.setHeader("Content-Type", PROBLEM_TYPE);
    if (problem.retryAfterS !== undefined) response.setHeader("Retry-After", String(problem.retryAfterS));
    response.removeHeader("Content-Disposition");
    response.end(JSON.stringify(problemBody(problem)));
  }
}

/** Answers, and has the audit log say who changed what. */
async function handled(
  route: Route,
  context: ApiContext,
  asked: ApiRequest<unknown, unknown, unknown>,
  request: IncomingMessage,
): Promise<unknown> {
  if (route.action === undefined) return route.handle(context, asked);
  const said = { who: asked.person, action: route.action, target: pathOf(request), from: request.socket.remoteAddress };
  try {
    const reply = await route.handle(context, asked);
    audit({ ...said, result: "done", ...(asked.change ?? { after: asked.body }) });
    return reply;
  } catch (error) {
    audit({ ...said, result: "failed", after: asked.body });
    throw error;
  }
}

/** Codes of errors that other rooms throw, as the API answers them. */
const KNOWN: Readonly<Record<string, number>> = {
  "alarm-no-such-rule": 404,
  "alarm-limit-out-of-range": 400,
  "bad-line": 400,
  "bad-time": 400,
  "bad-lot": 400,
  "no-such-assignment": 409,
  "already-superseded": 409,
  "report-failed": 503,
  "unknown-device": 404,
  "too-many-devices": 409,
  "alarm-unknown": 404,
  "alarm-nothing-to-acknowledge": 409,
  "alarm-not-held": 409,
  "alarm-out-of-service": 409,
  "alarm-shelf-too-long": 400,
  "alarm-no-reason": 400,
};

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = codeOf(error, "");
  const status = KNOWN[code];
  if (status !== undefined && error instanceof Error) return new Problem(status, code, error.message);
  return new Problem(500, "internal", "the server failed at this; its log says more");
}

const urlOf = (request: IncomingMessage): string => request.url ?? "/";
const pathOf = (request: IncomingMessage): string => urlOf(request).split("?", 1)[0] ?? "/";
const searchOf = (request: IncomingMessage): URLSearchParams => {
  const at = urlOf(request).indexOf("?");
  return new URLSearchParams(at < 0 ? "" : urlOf(request).slice(at + 1));
};

function wantsCsv(request: IncomingMessage, search: URLSearchParams): boolean {
  const format = search.get("format");
  if (format !== null) return format === "csv";
  return /^\s*text\/csv\b/i.test(request.headers.accept ?? "");
}

/** Takes `limit` out of the parameters of a table, whose bound is another. */
function takeCsvLimit(search: URLSearchParams): number {
  const text = search.get("limit");
  search.delete("limit");
  if (text === null) return MAX_CSV_ROWS;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_CSV_ROWS)
    throw new Problem(400, "bad-request", `limit: 1 to ${MAX_CSV_ROWS} rows as CSV`);
  return limit;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new Problem(415, "not-json", "send the body as application/json");
  const tooLarge = () => new Problem(413, "body-too-large", `the body is longer than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  // Where the editor is at the root too, its own parser has read the body before it comes here.
  if (request.readableEnded && "body" in request) {
    if (Buffer.byteLength(JSON.stringify(request.body) ?? "") > MAX_BODY_BYTES) throw tooLarge();
    return request.body;
  }
  const chunks: Buffer[] = [];
  const read = async () => {
    let length = 0;
    for await (const chunk of request) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
  };
  const patience = new AbortController();
  try {
    await Promise.race([
      read(),
      sleep(BODY_MS, undefined, { signal: patience.signal }).then(() => {
        throw new Problem(400, "body-too-slow", "the body did not come");
      }),
    ]);
  } finally {
    patience.abort();
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Problem(400, "bad-json", "the body is not JSON");
  }
}

async function sendCsv(reply: CsvReply, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader("Content-Type", "text/csv; charset=utf-8");
  response.setHeader("Content-Disposition", `attachment; filename="${reply.name}.csv"`);
  response.setHeader("Vary", "Accept");
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  let first = true;
  for await (const rows of reply.rows) {
    // Written with the first rows, so that a query that fails can still be answered as a problem.
    let text = first ? csvLine(reply.columns) : "";
    first = false;
    for (const row of rows) text += csvLine(reply.columns.map((column) => row[column]));
    if (!response.write(text)) await drained(response);
    if (response.destroyed) return;
  }
  response.end();
}

/** Resolves when the client has read on, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      response.off("drain", end);
      response.off("close", end);
      resolve();
    };
    response.on("drain", end);
    response.on("close", end);
  });
}

function isBytes(reply: unknown): reply is BytesReply {
  return typeof reply === "object" && reply !== null && "bytes" in reply && Buffer.isBuffer(reply.bytes);
}

function sendBytes({ contentType, name, bytes }: BytesReply, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
  response.setHeader("Content-Length", bytes.length);
  response.end(request.method === "HEAD" ? undefined : bytes);
}
