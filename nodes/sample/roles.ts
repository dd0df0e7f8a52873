/** What a person may do, from least to most; each role may do everything the ones before it may. */
export const ROLES = ["viewer", "operator", "quality", "engineer", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Somebody at a screen or behind an API call, as the sign-in proved it. */
export interface Person {
  name: string;
  role: Role;
}

/** The least role for each thing a person can do. What is not named here is the administrator's alone. */
export const ACTIONS: Readonly<Record<string, Role>> = {
  "sample.inspect": "viewer",
  "widget.use": "operator",
  "audit.read": "quality",
  "people.read": "admin",
  "people.change": "admin",
  "lot.set": "operator",
  "lot.report": "operator",
  "calibration.start": "quality",
  "calibration.accept": "quality",
  "calibration.cancel": "quality",
  "quarantine.list": "viewer",
  "quarantine.look": "viewer",
  "quarantine.export": "quality",
  "quarantine.retry": "engineer",
  "quarantine.retry-all": "engineer",
  "quarantine.stop": "engineer",
  "quarantine.discard": "engineer",
  "quarantine.discard-all": "engineer",
  "quality.baseline": "quality",
  "quality.tolerance": "quality",
  "alarm.ack": "operator",
  "alarm.shelve": "operator",
  "alarm.unshelve": "operator",
  "alarm.service": "engineer",
  "alarm.limit": "engineer",
  "device.issue": "engineer",
  "device.revoke": "engineer",
  "training.start": "engineer",
};

/** Whether `role` may do everything `needed` may. */
export function atLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Whether a person may do something; nobody may do anything without having been told apart. */
export function mayDo(person: Person | undefined, action: string): boolean {
  return (
    person !== undefined &&
    atLeast(person.role, Object.hasOwn(ACTIONS, action) ? (ACTIONS[action] ?? "admin") : "admin")
  );
}

/** A person out of what came from elsewhere (a message's `_client.user`, a request), or undefined. */
export function asPerson(value: unknown): Person | undefined {
  if (typeof value !== "object" || value === null || !("name" in value) || !("role" in value)) return undefined;
  const { name, role } = value;
  const known = ROLES.find((one) => one === role);
  return typeof name === "string" && name !== "" && known ? { name, role: known } : undefined;
}
