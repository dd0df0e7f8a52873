import type { Route } from "./route.ts";

export type Match =
  | { route: Route; params: Record<string, string> }
  /** The path is there, the method is not. */
  | { allowed: string[] }
  /** A part of the path is no well-formed percent-encoding. */
  | { malformed: true };

interface Compiled {
  route: Route;
  parts: string[];
}

/** Finds routes by method and path. */
export class Router {
  readonly #routes: Compiled[];

  /** @throws Error when two routes have the same method and path */
  constructor(routes: readonly Route[]) {
    const seen = new Set<string>();
    for (const { method, path, operationId } of routes) {
      for (const key of [`${method} ${path.replace(/\{[^}]*\}/g, "{}")}`, `id ${operationId}`]) {
        if (seen.has(key)) throw new Error(`two routes: ${key}`);
        seen.add(key);
      }
    }
    this.#routes = routes.map((route) => ({ route, parts: split(route.path) }));
  }

  /** @param path below `/api`; a slash at its end says nothing */
  find(method: string, path: string): Match | undefined {
    const parts = split(path);
    const found: { route: Route; params: Record<string, string>; literal: number }[] = [];
    for (const { route, parts: wanted } of this.#routes) {
      if (wanted.length !== parts.length) continue;
      const params: Record<string, string> = Object.create(null);
      let literal = 0;
      const fits = wanted.every((part, index) => {
        const given = parts[index] ?? "";
        if (!part.startsWith("{")) {
          literal += 1;
          return part === given;
        }
        params[part.slice(1, -1)] = given;
        return given !== "";
      });
      if (fits) found.push({ route, params, literal });
    }
    // `/lots/{lot}` gives way to `/lots/latest`.
    const most = Math.max(0, ...found.map(({ literal }) => literal));
    const best = found.filter(({ literal }) => literal === most);
    if (best.length === 0) return undefined;
    const wanted = method === "HEAD" ? "get" : method.toLowerCase();
    const match = best.find(({ route }) => route.method === wanted);
    if (!match) return { allowed: best.map(({ route }) => route.method.toUpperCase()) };
    try {
      const decoded = Object.entries(match.params).map(([name, text]) => [name, decodeURIComponent(text)]);
      return { route: match.route, params: Object.fromEntries(decoded) };
    } catch {
      return { malformed: true };
    }
  }
}

const split = (path: string): string[] => path.replace(/^\/+|\/+$/g, "").split("/");
