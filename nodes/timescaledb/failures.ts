import { codeOf } from "../host/errors.ts";

/**
 * What a failed statement means for the rows it carried:
 * - `away`: the database cannot be used now (or not as it is); nothing is known against the rows, so try again later;
 * - `refused`: the database will never take this content.
 */
export type FailureKind = "away" | "refused";

/** SQLSTATE classes that blame the content: data exception, integrity violation, program limit, a trigger's RAISE. */
const CONTENT = new Set(["22", "23", "54", "P0"]);

/** Whether an error carries a SQLSTATE, that is, the server answered. */
export function sqlState(error: unknown): string | undefined {
  const code = codeOf(error, "");
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code) ? code : undefined;
}

/** Sorts an error of the writer. Everything unknown counts as `away`: to wait loses nothing, to refuse may. */
export function failureKind(error: unknown): FailureKind {
  if (codeOf(error, "") === "unmappable") return "refused";
  const state = sqlState(error);
  return state !== undefined && CONTENT.has(state.slice(0, 2)) ? "refused" : "away";
}

/**
 * Whether a failure may lie in the content although the server does not say so: an internal error, something it does
 * not support, a crash while it worked on it. Met again and again with the same rows, it counts as a refusal.
 */
export function mayBlameContent(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^(XX|0A|57P02)/.test(state);
}

/** Whether the connection itself is gone or the server is going, starting or refusing clients. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || /^(08|57P0|53300)/.test(state);
}

/** Whether trying again cannot help: wrong password, no such database, no such role. */
export function isHopeless(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^(28|3D)/.test(state);
}

/** Delay before try number `attempt` (0, 1, …), ms: doubling from 250 ms to 15 s, spread so that clients do not march in step. */
export function backoffMs(attempt: number, random = Math.random()): number {
  return Math.min(15_000, 250 * 2 ** Math.min(attempt, 10)) * (0.5 + random / 2);
}
