import type { ServerResponse } from "node:http";

/** Files of the viewer. */
const FILES: Readonly<Record<string, string>> = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
  LICENSE: "text/plain; charset=utf-8",
  NOTICE: "text/plain; charset=utf-8",
  "start.js": "text/javascript; charset=utf-8",
};

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>FoieFlow API</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><main id="viewer"></main><script src="docs/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body></html>
`;
/** Beside the page, not in it: the page's policy allows no script of its own. */
const START = `window.addEventListener("load", () => {
  SwaggerUIBundle({ url: "openapi.json", dom_id: "#viewer", validatorUrl: null, deepLinking: true, tryItOutEnabled: true });
});
`;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

/**
 * Answers a request for the viewer of the OpenAPI document.
 * @param path below `/api`
 * @returns false when it is none
 */
export async function serveViewer(
  path: string,
  originalPath: string,
  response: ServerResponse,
  read: (name: string) => Promise<Buffer>,
): Promise<boolean> {
  if (path === "/docs/" || path === "/docs") {
    if (path === "/docs/") {
      // The page's addresses are relative to /api/.
      response.writeHead(302, { Location: originalPath.replace(/\/+$/, "") });
      response.end();
      return true;
    }
    send(response, "text/html; charset=utf-8", PAGE);
    return true;
  }
  const name = /^\/docs\/([A-Za-z.-]+)$/.exec(path)?.[1];
  const type = name !== undefined && Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (name === undefined || type === undefined) return false;
  if (name === "start.js") {
    send(response, type, START);
    return true;
  }
  try {
    send(response, type, await read(name));
  } catch {
    response.statusCode = 404;
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    response.end("The viewer is not built in; /api/openapi.json is there.\n");
  }
  return true;
}

function send(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "max-age=3600",
  });
  response.end(body);
}
