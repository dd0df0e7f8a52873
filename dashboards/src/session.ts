import { asPerson, atLeast, type Role } from "@foieflow/node-red-foieflow/sample/roles.js";
import { computed, readonly, ref, shallowRef } from "vue";
import type { Refusal } from "../nodes/veto.ts";
import { askAuth, sending } from "./api.ts";
import { language } from "./settings.ts";

/** Who uses this page, as the server sees it. */
export interface Who {
  name: string;
  role: Role;
  isSignedIn: boolean;
  /** The sign-in rests: acting asks for the password again. */
  isIdle: boolean;
}

/** Who a page is asked for, ms; sooner when something was refused or the connection came back. */
const ASK_EVERY_MS = 30_000;
const REFUSAL_SHOWN_MS = 30_000;

const current = shallowRef<Who | null>(null);
const refused = ref<Refusal | null>(null);
let active = false;
let asking = false;
let refusedTimer: ReturnType<typeof setTimeout> | undefined;

/** Null where no sign-in watches over the dashboard. */
export const who = readonly(current);
export const refusal = readonly(refused);
/** Whether the person at this page may do what `needed` may: for what the page offers; the server decides. */
export const may = (needed: Role) => computed(() => current.value === null || atLeast(current.value.role, needed));

/** The sign-in page, and back here afterwards. */
export function signInAddress(): string {
  const next = `${location.pathname}${location.search}`;
  return `/auth/sign-in?lang=${language.value}&next=${encodeURIComponent(next)}`;
}

export async function signOut(): Promise<void> {
  await askAuth("/sign-out", sending("POST"));
  location.assign(signInAddress());
}

/** The server refused what somebody did on this page. */
export function noteRefusal(value: unknown): void {
  if (typeof value !== "object" || value === null || !("action" in value) || !("needed" in value)) return;
  const needed = asPerson({ name: "-", role: value.needed })?.role;
  if (!needed) return;
  refused.value = { action: String(value.action), needed };
  clearTimeout(refusedTimer);
  refusedTimer = setTimeout(dismissRefusal, REFUSAL_SHOWN_MS);
  void ask();
}

export function dismissRefusal(): void {
  refused.value = null;
}

/** Asks who this is. A sign-in that is over leads to the sign-in page; a server that is away says nothing about it. */
export async function ask(): Promise<void> {
  if (asking) return;
  asking = true;
  const wasActive = active;
  active = false;
  const answer = await askAuth<unknown>(`/me${wasActive ? "?active=1" : ""}`);
  asking = false;
  if ("value" in answer) current.value = whoOf(answer.value);
  else if (answer.status === 0) active ||= wasActive;
  else {
    if (answer.status === 401) location.assign(signInAddress());
    current.value = null;
  }
}

function whoOf(value: unknown): Who | null {
  const person = asPerson(value);
  if (!person || typeof value !== "object" || value === null) return null;
  return {
    ...person,
    isSignedIn: Reflect.get(value, "isSignedIn") === true,
    isIdle: Reflect.get(value, "isIdle") === true,
  };
}

for (const event of ["pointerdown", "keydown"])
  addEventListener(event, () => (active = true), { passive: true, capture: true });
void ask();
setInterval(() => void ask(), ASK_EVERY_MS);
