import { ACTIONS, atLeast, mayDo, type Person, type Role } from "@foieflow/node-red-foieflow/sample/roles.js";

/** What came over a page's connection, as far as the decision needs it. */
export interface Deed {
  event: "action" | "change" | "send";
  /** Type of the widget's node; undefined when there is none. */
  type: string | undefined;
  msg: unknown;
}

export type Ruling = { allowed: true; action: string } | { allowed: false; action: string; needed: Role };

/** What a page is told when something was refused: event `foieflow-refused` on its connection. */
export interface Refusal {
  action: string;
  needed: Role;
}

const OURS = /^ui-foieflow-/;
/** The action of a stock widget, which an engineer put on a page: a button, a switch, a form. */
export const STOCK_ACTION = "widget.use";

/**
 * Whether a person may do what their page asks. Our widgets name the action (`payload.action`), and the table ACTIONS the
 * least role for it; they send nothing but actions. A stock widget needs an operator.
 */
export function rule(person: Person | undefined, { event, type, msg }: Deed): Ruling {
  if (type === undefined || !OURS.test(type)) return ruling(person, STOCK_ACTION);
  // A widget-send would be kept as what the widget shows to everybody.
  const action = event === "action" ? actionOf(msg) : undefined;
  return action === undefined ? { allowed: false, action: "widget.forge", needed: "admin" } : ruling(person, action);
}

/** Whether doing this is worth a line in the audit log: looking is not. */
export function isAudited(action: string): boolean {
  return leastRole(action) !== "viewer";
}

function ruling(person: Person | undefined, action: string): Ruling {
  const needed = leastRole(action);
  const allowed = person !== undefined && atLeast(person.role, needed) && mayDo(person, action);
  return allowed ? { allowed, action } : { allowed, action, needed };
}

function leastRole(action: string): Role {
  return Object.hasOwn(ACTIONS, action) ? (ACTIONS[action] ?? "admin") : "admin";
}

function actionOf(msg: unknown): string | undefined {
  const payload: unknown = typeof msg === "object" && msg !== null && "payload" in msg ? msg.payload : undefined;
  const action: unknown =
    typeof payload === "object" && payload !== null && "action" in payload ? payload.action : undefined;
  return typeof action === "string" && action !== "" && action.length <= 64 ? action : undefined;
}
