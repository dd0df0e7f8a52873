import { asPerson, type Person } from "../sample/roles.ts";

/** Where the distribution's sign-in leaves the person on an HTTP request. */
const PERSON = "foieflowPerson";

/**
 * Notes who is behind a request; called by the sign-in alone.
 * @param person the person, or (for a connection that lasts) what tells now who it is: undefined once the sign-in is over
 */
export function setPerson(request: object, person: Person | (() => Person | undefined)): void {
  Object.defineProperty(request, PERSON, {
    get: typeof person === "function" ? person : () => person,
    configurable: true,
  });
}

/** Who is behind an HTTP request (`msg.req` of an `http in` node), or a page's connection, as the sign-in proved it. */
export function personOfRequest(request: unknown): Person | undefined {
  return typeof request === "object" && request !== null && PERSON in request ? asPerson(request[PERSON]) : undefined;
}

/** Whether a sign-in watches over a request or connection at all: without the distribution none does. */
export function isGuarded(request: unknown): boolean {
  return typeof request === "object" && request !== null && PERSON in request;
}

/** Who did something on a dashboard page: the role plugin fills `msg._client.user` from the page's session. */
export function personOfMessage(msg: object): Person | undefined {
  const client: unknown = "_client" in msg ? msg._client : undefined;
  return typeof client === "object" && client !== null && "user" in client ? asPerson(client.user) : undefined;
}
