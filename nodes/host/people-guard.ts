import type { IncomingMessage } from "node:http";
import type { Person } from "../sample/roles.ts";

/** What a page's socket is judged by. */
export interface PersonRequest {
  remoteAddress: string | undefined;
  headers: IncomingMessage["headers"];
}

export type PersonVerdict =
  | {
      allowed: true;
      /** Who it is now; gives undefined once the sign-in is over. */
      person?: () => Person | undefined;
    }
  | { allowed: false; status: number; retryAfterS?: number | undefined };

/** The sign-in of a distribution, asked by what Node-RED's own middleware does not cover (WebSocket upgrades). */
export interface PeopleGuard {
  judge(request: PersonRequest): Promise<PersonVerdict>;
}

// On globalThis, so that an application's copy of this module and a node's share one guard.
const GUARD = Symbol.for("foieflow.people-guard");
const globals = globalThis as typeof globalThis & { [GUARD]?: PeopleGuard | undefined };

/** Called by a distribution when it starts; the last one counts. */
export function registerPeopleGuard(guard: PeopleGuard | undefined): void {
  globals[GUARD] = guard;
}

/** The sign-in in force, or undefined in a Node-RED without our distribution. */
export function peopleGuard(): PeopleGuard | undefined {
  return globals[GUARD];
}
