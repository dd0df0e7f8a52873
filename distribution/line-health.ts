import type { RequestHandler, Router } from "express";
import type { Database } from "../nodes/timescaledb/database.ts";
import { healthRoutes, type LinePhase } from "./health-routes.ts";

/** Gathers the process's health for the routes, from when it starts to when it stops. */
export async function lineHealth(options: {
  siteId: string;
  dataDir: string;
  nodeRed: string;
  database: Promise<Database>;
  guard: RequestHandler;
  metricsToken: string | undefined;
}): Promise<{ routes: Router; enter(phase: LinePhase): void }> {
  const { healthCollector } = await import("@foieflow/node-red-foieflow/health/service.js");
  const { currentInbox } = await import("@foieflow/node-red-foieflow/inbox/service.js");
  const { openServices } = await import("@foieflow/node-red-foieflow/host/service.js");
  const { siteId, dataDir, nodeRed } = options;
  const collector = await healthCollector({ siteId, dataDir, nodeRed }).value;
  collector.useDatabase(options.database);
  let phase: LinePhase = "starting";
  return {
    enter: (next) => {
      phase = next;
    },
    routes: healthRoutes({
      phase: () => phase,
      doorsOpen: () => openServices().some((key) => key.startsWith("door:")),
      snapshot: () => {
        const inbox = currentInbox();
        if (!inbox) return undefined;
        collector.useInbox(inbox);
        return collector.snapshot();
      },
      guard: options.guard,
      metricsToken: options.metricsToken,
    }),
  };
}
