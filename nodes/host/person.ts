import { asPerson, type Person } from "../sample/roles.ts";

/** Where the distribution's sign-in leaves the person on an HTTP request. */
const PERSON = "foieflowPerson";

/** Notes who is behind a request; called by the sign-in alone. */
export function setPerson(request: object, person: Person): void {
  Object.defineProperty(request, PERSON, { value: person, configurable: true });
}

/** Who is behind an HTTP request (`msg.req` of an `http in` node), as the sign-in proved it. */
export function personOfRequest(request: unknown): Person | undefined {
  return typeof request === "object" && request !== null && PERSON in request ? asPerson(request[PERSON]) : undefined;
}

/** Who did something on a dashboard page: the role plugin fills `msg._client.user` from the page's session. */
export function personOfMessage(msg: object): Person | undefined {
  const client: unknown = "_client" in msg ? msg._client : undefined;
  return typeof client === "object" && client !== null && "user" in client ? asPerson(client.user) : undefined;
}
