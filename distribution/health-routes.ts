import { createHash, timingSafeEqual } from "node:crypto";
import { type RequestHandler, Router } from "express";
import type { HealthSnapshot } from "../nodes/health/snapshot.ts";
import { metricsOf } from "./metrics.ts";
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from "./prometheus.ts";

/** Where the process is in its life. */
export type LinePhase = "starting" | "running" | "stopping";

/**
 * `degraded`: the database is away, but samples are taken and kept. `refusing`: nothing is acknowledged now (the inbox
 * or its disk is full, or no door is open).
 */
export type Readiness = "ready" | "degraded" | "refusing" | "starting" | "stopping";

export interface HealthSources {
  phase(): LinePhase;
  /** Whether a device can reach a door. */
  doorsOpen(): boolean;
  /** Undefined until there is an inbox to ask. */
  snapshot(): HealthSnapshot | undefined;
  /** Who may read what the API gives. */
  guard: RequestHandler;
  /** A scraper that shows it may read the metrics whoever else may. */
  metricsToken: string | undefined;
}

/** What `/health/ready` says: a line is ready as long as it takes samples. */
export function readinessOf(sources: Pick<HealthSources, "phase" | "doorsOpen" | "snapshot">): Readiness {
  const phase = sources.phase();
  if (phase !== "running") return phase;
  const snapshot = sources.snapshot();
  const { full, failure } = snapshot?.inbox.store ?? {};
  if (!snapshot || full || failure !== undefined || !sources.doorsOpen()) return "refusing";
  return snapshot.database.state === "ready" ? "ready" : "degraded";
}

/**
 * `/health/live`, `/health/ready` and `/metrics`, served by the process itself, so that they answer while flows are
 * deployed. The health routes tell everybody one word and nothing else.
 */
export function healthRoutes(sources: HealthSources): Router {
  const router = Router();
  router.get("/health/live", (_request, response) => {
    response.set("Cache-Control", "no-store").json({ state: "live" });
  });
  router.get("/health/ready", (_request, response) => {
    const state = readinessOf(sources);
    response
      .status(state === "ready" || state === "degraded" ? 200 : 503)
      .set("Cache-Control", "no-store")
      .json({ state });
  });
  const allow: RequestHandler = (request, response, next) => {
    if (showsToken(request.headers.authorization, sources.metricsToken)) next();
    else sources.guard(request, response, next);
  };
  router.get("/metrics", allow, (_request, response) => {
    const snapshot = sources.snapshot();
    const readiness = readinessOf(sources);
    const metrics = snapshot ? metricsOf(snapshot, readiness === "ready" || readiness === "degraded") : [];
    response
      .set("Cache-Control", "no-store")
      .set("Content-Type", PROMETHEUS_CONTENT_TYPE)
      .send(prometheusText(metrics));
  });
  return router;
}

function showsToken(authorization: string | undefined, token: string | undefined): boolean {
  const [scheme, given] = (authorization ?? "").split(/\s+/, 2);
  if (!token || !given || scheme?.toLowerCase() !== "bearer") return false;
  // Hashed first, so that both sides have the same length.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
