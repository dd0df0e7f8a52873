import type { IncomingMessage, ServerResponse } from "node:http";
import type { NodeAPI } from "node-red";
import { PROBLEM_TYPE, Problem, problemBody } from "./problem.ts";

/** What answers requests below `/api`, whose part of the URL is cut off. */
export interface Mounted {
  takes(request: IncomingMessage): boolean;
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

type Application = NodeAPI["httpNode"];
type Next = (error?: unknown) => void;

// On the application itself: two copies of this module must not mount twice.
const MOUNTED = Symbol.for("foieflow.api");

/**
 * Puts `mounted` in the place of whatever answered below `/api` before. Express has no way to take a handler away, so one
 * stays for good and asks who is there; without anybody, and for paths of other nodes, requests go on.
 * @returns takes it away again
 */
export function mount(application: Application, mounted: Mounted): () => void {
  const places = application as Application & { [MOUNTED]?: { current: Mounted | undefined } };
  let place = places[MOUNTED];
  if (!place) {
    const made: { current: Mounted | undefined } = { current: undefined };
    place = made;
    places[MOUNTED] = made;
    application.use("/api", (request: IncomingMessage, response: ServerResponse, next: Next) => {
      const { current } = made;
      if (!current) return next();
      if (current.takes(request)) {
        current.answer(request, response).catch(next);
        return;
      }
      if (othersTake(application, request)) return next();
      const problem = new Problem(404, "no-such-path", "the API has no such path");
      response.writeHead(404, { "Content-Type": PROBLEM_TYPE, "Cache-Control": "no-store" });
      response.end(JSON.stringify(problemBody(problem)));
    });
  }
  const mine = place;
  mine.current = mounted;
  return () => {
    if (mine.current === mounted) mine.current = undefined;
  };
}

/** Whether another node (`http in`) has a route for this path; when that cannot be told, it is let through. */
function othersTake(application: Application, request: IncomingMessage): boolean {
  const router = propertyOf(application, "_router") ?? propertyOf(application, "router");
  const stack = propertyOf(router, "stack");
  if (!Array.isArray(stack)) return true;
  const path = "originalUrl" in request ? (String(request.originalUrl).split("?", 1)[0] ?? "") : "";
  return stack.some((layer) => {
    const match = propertyOf(layer, "match");
    return propertyOf(layer, "route") !== undefined && typeof match === "function" && match.call(layer, path) === true;
  });
}

function propertyOf(value: unknown, name: string): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  return Reflect.get(value, name);
}
