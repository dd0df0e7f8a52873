import { acquire, type Lease } from "../host/service.ts";
import { type CollectorOptions, HealthCollector } from "./collect.ts";

/** Key of the process's health collector among its services. */
export const HEALTH_SERVICE = "health";

const CURRENT = Symbol.for("foieflow.health");
const globals = globalThis as typeof globalThis & { [CURRENT]?: HealthCollector | undefined };

/** Takes a share in the process's one collector, starting it the first time; the latest settings are in force. */
export function healthCollector(options: CollectorOptions): Lease<HealthCollector> {
  const lease = acquire(
    HEALTH_SERVICE,
    () => {
      const collector = new HealthCollector(options);
      globals[CURRENT] = collector;
      return collector;
    },
    (collector) => {
      if (globals[CURRENT] === collector) globals[CURRENT] = undefined;
      collector.close();
    },
  );
  lease.value.then(
    (collector) => collector.configure(options),
    () => undefined,
  );
  return lease;
}

/** The process's collector while it runs: whoever reports its figures elsewhere takes `snapshot()` of it. */
export function currentHealth(): HealthCollector | undefined {
  return globals[CURRENT];
}
