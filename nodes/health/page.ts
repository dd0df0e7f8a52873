import type { HealthSnapshot } from "./snapshot.ts";

/** What the health node sends its page: the newest snapshot, twice a second at most. Types only. */
export interface HealthSection {
  section: "health";
  /** The site. */
  view: string;
  serverMs: number;
  timeZone: string;
  snapshot: HealthSnapshot;
}
