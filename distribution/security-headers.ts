import type { IncomingMessage, ServerResponse } from "node:http";

/** Of every answer: no other site may frame it, no plug-in runs in it. The editor's own scripts need the rest open. */
const EVERYWHERE = "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";
/**
 * Of the dashboard's pages: nothing comes from, or goes to, anywhere but here. Dashboard 2 compiles the templates an
 * engineer writes in the browser, which takes `unsafe-eval`.
 */
const DASHBOARD = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'self'",
  EVERYWHERE,
].join("; ");
const HALF_A_YEAR_S = 182 * 24 * 3600;

/** Express middleware that sets the security headers of every answer. @param isTls adds HSTS */
export function securityHeaders(isTls: boolean) {
  return (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Referrer-Policy", "same-origin");
    response.setHeader("X-Frame-Options", "SAMEORIGIN");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader(
      "Content-Security-Policy",
      /^\/dashboard([/?]|$)/.test(request.url ?? "") ? DASHBOARD : EVERYWHERE,
    );
    if (isTls) response.setHeader("Strict-Transport-Security", `max-age=${HALF_A_YEAR_S}`);
    next();
  };
}
